//! What Meta calls us with: the question whether we are there, statuses, and what customers write.

use super::send::WhatsApp;
use crate::{Inbound, InboundAnswer, InboundCall, InboundError, Received, Reference, Report};
use faden_model::{MessageId, Receipt, Timestamp};
use http::Method;
use ring::hmac;
use serde::Deserialize;
use serde_json::Value;
use subtle::ConstantTimeEq;

#[derive(Deserialize)]
struct Notice {
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    field: String,
    value: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Messages {
    metadata: Metadata,
    statuses: Vec<Status>,
    messages: Vec<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    phone_number_id: String,
    display_phone_number: String,
}

#[derive(Deserialize)]
struct Status {
    id: String,
    status: String,
    timestamp: Option<String>,
    biz_opaque_callback_data: Option<String>,
    #[serde(default)]
    errors: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    code: i64,
}

impl WhatsApp {
    /// # Errors
    /// [`InboundError`] when the call is not Meta's or not of its form.
    pub fn inbound(&self, call: &InboundCall<'_>) -> Result<InboundAnswer, InboundError> {
        if call.method == Method::GET {
            return self.challenge(call.url);
        }
        let signature = call.headers.get("x-hub-signature-256").and_then(|value| value.to_str().ok());
        let tag = signature.and_then(|text| read_hex(text.strip_prefix("sha256=")?)).ok_or(InboundError::Signature)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.settings.app_secret.reveal().as_bytes());
        hmac::verify(&key, call.body, &tag).map_err(|_| InboundError::Signature)?;
        let notice: Notice = serde_json::from_slice(call.body).map_err(|_| InboundError::Form)?;
        let mut taken = Vec::new();
        for change in notice.entry.into_iter().flat_map(|entry| entry.changes).filter(|change| change.field == "messages") {
            let messages: Messages = serde_json::from_value(change.value).map_err(|_| InboundError::Form)?;
            // Meta calls one address for all numbers of an app.
            if messages.metadata.phone_number_id == self.settings.phone_number_id {
                taken.extend(messages.statuses.iter().filter_map(report));
                taken.extend(messages.messages.iter().filter_map(|message| received(message, &messages.metadata)));
            }
        }
        Ok(InboundAnswer::Take(taken))
    }

    fn challenge(&self, url: &str) -> Result<InboundAnswer, InboundError> {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let value = |name: &str| form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let (Some(token), Some(challenge)) = (value("hub.verify_token"), value("hub.challenge")) else { return Err(InboundError::Form) };
        let ours = self.settings.verify_token.reveal().as_bytes();
        if value("hub.mode").as_deref() != Some("subscribe") || !bool::from(token.as_bytes().ct_eq(ours)) {
            return Err(InboundError::Signature);
        }
        Ok(InboundAnswer::Say(challenge))
    }
}

fn report(status: &Status) -> Option<Inbound> {
    let receipt = match status.status.as_str() {
        "sent" => Receipt::Sent,
        "delivered" => Receipt::Delivered,
        "read" => Receipt::Read,
        "failed" => Receipt::Failed,
        _ => return None,
    };
    let ours = status.biz_opaque_callback_data.as_deref().and_then(|text| MessageId::parse(text).ok());
    Some(Inbound::Report(Report {
        about: ours.map_or_else(|| Reference::Provider(status.id.clone()), Reference::Message),
        receipt,
        code: status.errors.first().map(|problem| problem.code.to_string()),
        address_gone: false,
        at: status.timestamp.as_deref().and_then(seconds),
    }))
}

fn received(message: &Value, metadata: &Metadata) -> Option<Inbound> {
    let kind = message["type"].as_str()?;
    let text = match kind {
        "text" => message["text"]["body"].as_str().map(str::to_owned),
        "button" => message["button"]["text"].as_str().map(str::to_owned),
        "interactive" => interactive(&message["interactive"]),
        "image" | "video" | "document" => message[kind]["caption"].as_str().map(str::to_owned),
        // A mark on a message, a change of the customer's number, what even WhatsApp cannot show.
        "reaction" | "system" | "unsupported" => return None,
        _ => None,
    };
    Some(Inbound::Message(Received {
        provider_id: message["id"].as_str()?.to_owned(),
        from: international(message["from"].as_str()?),
        to: international(&metadata.display_phone_number),
        subject: None,
        text: text.unwrap_or_else(|| format!("[{kind}]")),
        answers: Vec::new(),
        at: message["timestamp"].as_str().and_then(seconds),
    }))
}

/// A tapped button, a chosen row, or a form's answers as JSON.
fn interactive(interactive: &Value) -> Option<String> {
    let kind = interactive["type"].as_str()?;
    let field = if kind == "nfm_reply" { "response_json" } else { "title" };
    interactive[kind][field].as_str().map(str::to_owned)
}

fn international(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    format!("+{digits}")
}

fn seconds(text: &str) -> Option<Timestamp> {
    text.parse::<i64>().ok()?.checked_mul(1000).map(Timestamp)
}

fn read_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
