//! One call for each message, and what Meta's error codes mean.
//!
//! Source of the codes: "Error codes" of the WhatsApp Business Platform documentation.

use super::settings::{CloudApi, Settings};
use crate::outbound_http::{Http, error_by_status, handing_over, unreadable};
use crate::settings::{Fault, SettingsError};
use crate::{Accepted, BoxFuture, Channel, Content, Outgoing, SendError};
use futures_util::FutureExt;
use http::{Method, Request, StatusCode, Uri};
use serde_json::{Value, json};
use std::time::Duration;

/// Meta's customer service window: so long after the customer wrote, texts of one's own are taken.
const SESSION: Duration = Duration::from_secs(24 * 3600);
/// Characters of a text.
const LONGEST_TEXT: usize = 4096;

/// An account of the kind `whatsapp`.
pub struct WhatsApp {
    pub(super) settings: CloudApi,
    number: Uri,
    messages: Uri,
    limit: Duration,
    http: Http,
}

impl WhatsApp {
    /// # Errors
    /// [`SettingsError`] when the address made of the settings is none.
    pub fn new(settings: &Settings, http: Http) -> Result<WhatsApp, SettingsError> {
        const WRONG: SettingsError = SettingsError { key: "base_url, version, phone_number_id", fault: Fault::WhatsAppAddress };
        let settings = settings.cloud_api.clone();
        settings.app_secret.not_empty("app_secret")?;
        settings.verify_token.not_empty("verify_token")?;
        let number = format!("{}/{}/{}", settings.base_url.trim_end_matches('/'), settings.version, settings.phone_number_id);
        let messages = format!("{number}/messages").parse().map_err(|_| WRONG)?;
        let number = format!("{number}?fields=id").parse().map_err(|_| WRONG)?;
        let limit = Duration::from_secs(settings.timeout_seconds.max(1));
        Ok(WhatsApp { settings, number, messages, limit, http })
    }

    async fn call(&self, method: Method, uri: &Uri, body: Vec<u8>) -> Result<Value, SendError> {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("authorization", format!("Bearer {}", self.settings.access_token.reveal()))
            .header("content-type", "application/json")
            .body(body)
            .map_err(|_| SendError::Account { code: "access_token".to_owned() })?;
        let answer = self.http.call(request, self.limit).await.map_err(handing_over)?;
        let (status, after) = (answer.status(), answer.retry_after());
        let read = serde_json::from_slice::<Value>(&answer.body().await.map_err(handing_over)?);
        match read {
            Ok(body) if status.is_success() => Ok(body),
            Err(_) if status.is_success() => Err(unreadable()),
            Ok(body) => Err(error(status, after, body["error"]["code"].as_i64())),
            Err(_) => Err(error(status, after, None)),
        }
    }

    async fn post(&self, message: &Outgoing) -> Result<Accepted, SendError> {
        let body = body(message)?;
        let answer = self.call(Method::POST, &self.messages, body.to_string().into_bytes()).await?;
        let id = answer["messages"][0]["id"].as_str().ok_or_else(unreadable)?;
        Ok(Accepted { provider_id: Some(id.to_owned()) })
    }
}

impl Channel for WhatsApp {
    fn send<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, SendError>> {
        self.post(message).boxed()
    }

    fn session(&self, content: &Content) -> Option<Duration> {
        (self.settings.session_window && matches!(content, Content::Text(_))).then_some(SESSION)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), SendError>> {
        async { self.call(Method::GET, &self.number, Vec::new()).await.map(|_| ()) }.boxed()
    }
}

fn body(message: &Outgoing) -> Result<Value, SendError> {
    let refused = |code: &str| Err(SendError::Refused { code: code.to_owned() });
    let content = match &message.content {
        Content::Text(text) if text.is_empty() => return refused("empty_text"),
        Content::Text(text) if text.chars().count() > LONGEST_TEXT => return refused("too_long"),
        Content::Text(text) => json!({"type": "text", "text": {"preview_url": false, "body": text}}),
        Content::Template { name, language, parameters } => {
            let mut template = json!({"name": name, "language": {"code": language.replace('-', "_")}});
            if !parameters.is_empty() {
                let parameters: Vec<Value> = parameters.iter().map(|text| json!({"type": "text", "text": text})).collect();
                template["components"] = json!([{"type": "body", "parameters": parameters}]);
            }
            json!({"type": "template", "template": template})
        }
        Content::Email(_) | Content::Push { .. } | Content::Webhook { .. } => return refused("wrong_content"),
    };
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.to,
        "biz_opaque_callback_data": message.message.to_string(),
    });
    if let (Value::Object(body), Value::Object(content)) = (&mut body, content) {
        body.extend(content);
    }
    Ok(body)
}

fn error(status: StatusCode, after: Option<Duration>, meta: Option<i64>) -> SendError {
    let Some(meta) = meta else { return error_by_status(status, after, status.as_str().to_owned()) };
    let code = meta.to_string();
    match meta {
        // Token, permissions, account locked or unpaid, number not registered.
        0 | 3 | 10 | 190 | 200..=299 | 368 | 131_005 | 131_031 | 131_042 | 131_045 | 133_010 => SendError::Account { code },
        // To one customer.
        131_056 => SendError::Later { code, after },
        // Calls of the app, of the account, messages, spam, registrations.
        4 | 80_007 | 130_429 | 131_048 | 133_016 => SendError::Throttled { code, after },
        // Unknown or down on Meta's side, or in maintenance.
        1 | 2 | 131_000 | 131_016 | 131_057 | 133_004 => SendError::Unavailable { code },
        // Everything that Meta numbers otherwise is about this message: outside the 24 hours (131047), cannot be
        // delivered (131026: not on WhatsApp, or an old client, or terms not accepted), template (132000 and up).
        _ if status.is_client_error() => SendError::Refused { code },
        _ => error_by_status(status, after, code),
    }
}
