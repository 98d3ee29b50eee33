//! CloudEvents 1.0 over HTTP: structured, batched and binary mode, at one address.

use super::body::Unreadable;
use super::{BATCH_BYTES_MAX, CALL_BYTES_MAX, Intake, Taken, text_of, unreadable};
use crate::access::unauthorized;
use crate::keeper::now;
use crate::keys::Caller;
use crate::problem::Problem;
use crate::state::App;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::routing::post;
use axum::{Extension, Json, Router};
use faden_model::event::Receipt;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// What dead letters call these.
const CALL: &str = "cloud_event";

/// The address of CloudEvents.
pub fn router() -> Router<App> {
    Router::new().route("/v1/events", post(events))
}

/// Everything that is not a Segment call, as CloudEvents 1.0
#[utoipa::path(post, path = "/v1/events", tag = "intake",
    request_body(content = serde_json::Value, content_type = "application/cloudevents+json", description = "one event, a list of events (`application/cloudevents-batch+json`), or the data of an event whose attributes are `ce-` headers"),
    responses((status = 200, body = Taken), (status = 400, body = Problem), (status = 401, body = Problem), (status = 413, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
pub async fn events(
    State(app): State<App>,
    who: Option<Extension<Caller>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Taken>, Problem> {
    let Some(Extension(caller)) = who else { return Err(unauthorized()) };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let batched = kind.starts_with("application/cloudevents-batch+json");
    let text = text_of(&app, Some(&caller), CALL, &headers, body, if batched { BATCH_BYTES_MAX } else { CALL_BYTES_MAX }).await?;
    let receipt = Receipt { kind: None, received_at: Some(now()), sent_at: None };
    let mut intake = Intake::new(&app, &caller.name, CALL);
    if batched {
        let events: Vec<&RawValue> = match serde_json::from_str(&text) {
            Ok(events) => events,
            Err(error) => {
                let found = Unreadable::new("event-not-json", not_json(&error), text.as_bytes());
                return Err(unreadable(&app, Some(&caller), CALL, found).await);
            }
        };
        for event in events {
            intake.event(event.get(), &receipt);
        }
    } else if headers.contains_key("ce-specversion") {
        intake.event(&from_binary(&headers, &kind, &text)?, &receipt);
    } else {
        intake.event(&text, &receipt);
    }
    Ok(Json(intake.finish().await?))
}

/// Binary mode as the same event in structured mode: attributes are `ce-` headers, the body is the data.
fn from_binary(headers: &HeaderMap, kind: &str, text: &str) -> Result<String, Problem> {
    let mut event = Map::new();
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix("ce-") else { continue };
        let value =
            value.to_str().map_err(|_| Problem::bad_request("event-not-text", "a `ce-` header is not text", "percent-encode it"))?;
        event.insert(name.to_owned(), Value::String(percent_decoded(value)));
    }
    if !text.trim().is_empty() {
        let json = kind.is_empty() || kind.starts_with("application/json") || kind.contains("+json");
        let data = if json {
            serde_json::from_str(text)
                .map_err(|error| Problem::bad_request("event-not-json", not_json(&error), "send CloudEvents 1.0 as JSON"))?
        } else {
            Value::String(text.to_owned())
        };
        event.insert("data".to_owned(), data);
    }
    Ok(Value::Object(event).to_string())
}

/// Header values are percent-encoded as the HTTP binding of CloudEvents says (section 3.1.3.2).
fn percent_decoded(value: &str) -> String {
    let bytes = value.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = value.get(at + 1..at + 3).filter(|_| bytes[at] == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        plain.push(hex.unwrap_or(bytes[at]));
        at += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8(plain).unwrap_or_else(|_| value.to_owned())
}

fn not_json(error: &serde_json::Error) -> String {
    format!("the events cannot be read: {error}; send CloudEvents 1.0 as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_are_decoded_as_the_binding_says() {
        for (value, plain) in [("Euro%20%E2%82%AC", "Euro €"), ("100%", "100%"), ("%zz", "%zz"), ("plain", "plain"), ("%ff", "%ff")] {
            assert_eq!(percent_decoded(value), plain);
        }
    }
}
