//! What Twilio calls us with: status callbacks and replies, both as forms.
//!
//! Signed with HMAC-SHA1 over the URL and the sorted fields ("Security" in Twilio's documentation). Twilio signs the
//! URL with or without the port; both are tried.

use super::send::{Twilio, is_gone};
use crate::{Inbound, InboundAnswer, InboundCall, InboundError, Received, Reference, Report};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use faden_model::Receipt;
use ring::hmac;
use std::collections::BTreeSet;

/// Sorted by name, then by value, each pair once: as they are signed.
type Fields = BTreeSet<(String, String)>;

impl Twilio {
    /// # Errors
    /// [`InboundError`] when the call is not Twilio's or not of its form.
    pub fn inbound(&self, call: &InboundCall<'_>) -> Result<InboundAnswer, InboundError> {
        let signature = call.headers.get("x-twilio-signature").and_then(|value| value.to_str().ok()).ok_or(InboundError::Signature)?;
        let tag = BASE64_STANDARD.decode(signature).map_err(|_| InboundError::Signature)?;
        let fields: Fields = form_urlencoded::parse(call.body).into_owned().collect();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.settings.auth_token.reveal().as_bytes());
        let believed = with_and_without_port(call.url).iter().any(|url| hmac::verify(&key, signed(url, &fields).as_bytes(), &tag).is_ok());
        if !believed {
            return Err(InboundError::Signature);
        }
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let id = field("MessageSid").or_else(|| field("SmsSid")).ok_or(InboundError::Form)?;
        if let Some(status) = field("MessageStatus") {
            return Ok(InboundAnswer::Take(report(id, status, field("ErrorCode")).into_iter().collect()));
        }
        let (Some(from), Some(to), Some(text)) = (field("From"), field("To"), field("Body")) else { return Err(InboundError::Form) };
        let media = field("NumMedia").is_some_and(|number| number != "0");
        Ok(InboundAnswer::Take(vec![Inbound::Message(Received {
            provider_id: id.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            text: if text.is_empty() && media { "[media]".to_owned() } else { text.to_owned() },
            ..Received::default()
        })]))
    }
}

fn signed(url: &str, fields: &Fields) -> String {
    fields.iter().fold(url.to_owned(), |content, (name, value)| content + name + value)
}

fn with_and_without_port(url: &str) -> Vec<String> {
    let mut urls = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return urls };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let usual = if scheme == "https" { "443" } else { "80" };
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => urls.push(format!("{scheme}://{host}{path}")),
        _ => urls.push(format!("{scheme}://{authority}:{usual}{path}")),
    }
    urls
}

fn report(id: &str, status: &str, code: Option<&str>) -> Option<Inbound> {
    let receipt = match status {
        "sent" => Receipt::Sent,
        "delivered" => Receipt::Delivered,
        "read" => Receipt::Read,
        "failed" | "undelivered" | "canceled" => Receipt::Failed,
        _ => return None,
    };
    let code = code.filter(|code| !code.is_empty());
    Some(Inbound::Report(Report {
        about: Reference::Provider(id.to_owned()),
        receipt,
        code: code.map(str::to_owned),
        address_gone: code.and_then(|code| code.parse().ok()).is_some_and(is_gone),
        at: None,
    }))
}
