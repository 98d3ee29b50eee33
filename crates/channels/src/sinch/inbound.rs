//! What Sinch calls us with: delivery reports and replies.

use super::send::Sinch;
use crate::{Inbound, InboundAnswer, InboundCall, InboundError, Received, Reference, Report};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use faden_model::{MessageId, Receipt, Timestamp};
use ring::hmac;
use serde::Deserialize;
use serde_json::Value;

/// How old a signature may be, in seconds. Long, because it is not said that a repeated call is signed anew, and a
/// repeat does no harm: what it tells is recognised by its id.
const TOLERANCE: i64 = 86_400;

#[derive(Deserialize)]
struct Callback {
    app_id: String,
    event_time: Option<String>,
    message_delivery_report: Option<DeliveryReport>,
    message: Option<Message>,
}

#[derive(Deserialize)]
struct DeliveryReport {
    message_id: String,
    status: String,
    channel_identity: Option<Identity>,
    reason: Option<Value>,
    metadata: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    id: String,
    direction: Option<String>,
    contact_message: Value,
    channel_identity: Identity,
    accept_time: Option<String>,
    sender_id: Option<String>,
}

#[derive(Deserialize)]
struct Identity {
    channel: String,
    identity: String,
}

impl Sinch {
    /// # Errors
    /// [`InboundError`] when the call is not Sinch's or not of its form.
    pub fn inbound(&self, call: &InboundCall<'_>) -> Result<InboundAnswer, InboundError> {
        self.verify(call)?;
        let callback: Callback = serde_json::from_slice(call.body).map_err(|_| InboundError::Form)?;
        if callback.app_id != self.app.app_id {
            return Ok(InboundAnswer::Take(Vec::new()));
        }
        let at = callback.event_time.as_deref().and_then(|text| Timestamp::parse(text).ok());
        let report = callback.message_delivery_report.and_then(|report| self.report(report, at));
        let message = callback.message.and_then(|message| self.received(message));
        Ok(InboundAnswer::Take(report.into_iter().chain(message).collect()))
    }

    fn verify(&self, call: &InboundCall<'_>) -> Result<(), InboundError> {
        let header = |name| call.headers.get(name).and_then(|value| value.to_str().ok()).ok_or(InboundError::Signature);
        let (signature, nonce) = (header("x-sinch-webhook-signature")?, header("x-sinch-webhook-signature-nonce")?);
        let timestamp = header("x-sinch-webhook-signature-timestamp")?;
        if header("x-sinch-webhook-signature-algorithm").is_ok_and(|algorithm| algorithm != "HmacSHA256") {
            return Err(InboundError::Signature);
        }
        let seconds: i64 = timestamp.parse().map_err(|_| InboundError::Signature)?;
        if seconds.checked_sub(call.now.0.div_euclid(1000)).is_none_or(|away| away.abs() > TOLERANCE) {
            return Err(InboundError::Signature);
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.app.webhook_secret.reveal().as_bytes());
        let tag = BASE64_STANDARD.decode(signature).map_err(|_| InboundError::Signature)?;
        let content = [call.body, b".", nonce.as_bytes(), b".", timestamp.as_bytes()].concat();
        hmac::verify(&key, &content, &tag).map_err(|_| InboundError::Signature)
    }

    fn report(&self, report: DeliveryReport, at: Option<Timestamp>) -> Option<Inbound> {
        if report.channel_identity.is_some_and(|identity| identity.channel != self.carrier.name()) {
            return None;
        }
        let receipt = match report.status.as_str() {
            "QUEUED_ON_CHANNEL" => Receipt::Sent,
            "DELIVERED" => Receipt::Delivered,
            "READ" => Receipt::Read,
            "FAILED" => Receipt::Failed,
            _ => return None,
        };
        let ours = report.metadata.as_deref().and_then(|text| MessageId::parse(text).ok());
        let code = report.reason.and_then(|reason| reason["code"].as_str().map(str::to_owned));
        let about = ours.map_or_else(|| Reference::Provider(report.message_id), Reference::Message);
        Some(Inbound::Report(Report { about, receipt, code, address_gone: false, at }))
    }

    fn received(&self, message: Message) -> Option<Inbound> {
        let ours =
            message.channel_identity.channel == self.carrier.name() && message.direction.is_none_or(|direction| direction == "TO_APP");
        let content = message.contact_message.as_object().filter(|_| ours)?;
        let (kind, content) = content.iter().find(|(name, content)| name.ends_with("_message") && content.is_object())?;
        let text = match kind.as_str() {
            "text_message" => content["text"].as_str().map(str::to_owned),
            // What was tapped: the words that stand behind the button.
            "choice_response_message" => content["postback_data"].as_str().map(str::to_owned),
            _ => None,
        };
        Some(Inbound::Message(Received {
            provider_id: message.id,
            from: international(&message.channel_identity.identity),
            to: message.sender_id.map(|number| international(&number)).unwrap_or_default(),
            text: text.unwrap_or_else(|| format!("[{}]", kind.trim_end_matches("_message"))),
            at: message.accept_time.as_deref().and_then(|text| Timestamp::parse(text).ok()),
            ..Received::default()
        }))
    }
}

/// Sinch writes numbers without `+`; short codes and names stay as they are.
fn international(number: &str) -> String {
    let long = number.len() >= 8 && number.bytes().all(|byte| byte.is_ascii_digit());
    if long { format!("+{number}") } else { number.to_owned() }
}
