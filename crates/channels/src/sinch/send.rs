//! One call for each message, and what Sinch's errors mean.

use super::settings::{App, Carrier, Settings};
use super::token::Tokens;
use crate::outbound_http::{Answer, CallError, Http, error_by_status, handing_over, unreadable};
use crate::settings::{Fault, SettingsError};
use crate::{Accepted, BoxFuture, Channel, Content, Outgoing, SendError};
use futures_util::FutureExt;
use http::{Method, Request, StatusCode, Uri};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// Characters of a text, parts together.
const LONGEST_TEXT: usize = 1600;

/// An account of the kind `sms` or `rcs` with Sinch.
pub struct Sinch {
    pub(super) app: App,
    pub(super) carrier: Carrier,
    from: Option<String>,
    messages: Uri,
    this_app: Uri,
    tokens: Tokens,
    limit: Duration,
    http: Http,
}

impl Sinch {
    /// # Errors
    /// [`SettingsError`] when the address made of the settings is none, or a secret is empty.
    pub fn new(settings: &Settings, http: Http) -> Result<Sinch, SettingsError> {
        const WRONG: SettingsError = SettingsError { key: "region, base_url, project_id, app_id", fault: Fault::SinchAddress };
        let app = settings.sinch.clone();
        app.webhook_secret.not_empty("webhook_secret")?;
        let tokens = Tokens::new(&app)?;
        let project = format!("{}/v1/projects/{}", app.address(), app.project_id);
        let messages = format!("{project}/messages:send").parse().map_err(|_| WRONG)?;
        let this_app = format!("{project}/apps/{}", app.app_id).parse().map_err(|_| WRONG)?;
        let limit = Duration::from_secs(app.timeout_seconds.max(1));
        Ok(Sinch { app, carrier: settings.kind, from: settings.from.clone(), messages, this_app, tokens, limit, http })
    }

    /// With a new token if the one that was kept is not taken any more.
    async fn call(&self, method: Method, uri: &Uri, body: &[u8]) -> Result<Value, SendError> {
        let token = self.tokens.get(&self.http, self.limit).await?;
        let mut answer = self.call_once(&method, uri, body, &token).await?;
        if answer.status() == StatusCode::UNAUTHORIZED && self.tokens.forget(&token).await {
            let token = self.tokens.get(&self.http, self.limit).await?;
            answer = self.call_once(&method, uri, body, &token).await?;
        }
        let (status, after) = (answer.status(), answer.retry_after());
        match serde_json::from_slice::<Value>(&answer.body().await.map_err(handing_over)?) {
            Ok(body) if status.is_success() => Ok(body),
            Err(_) if status.is_success() => Err(unreadable()),
            Ok(body) => Err(error_by_status(status, after, body["error"]["status"].as_str().unwrap_or(status.as_str()).to_owned())),
            Err(_) => Err(error_by_status(status, after, status.as_str().to_owned())),
        }
    }

    async fn call_once(&self, method: &Method, uri: &Uri, body: &[u8], token: &str) -> Result<Answer, SendError> {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(body.to_vec())
            .map_err(|_| SendError::Account { code: "token".to_owned() })?;
        self.http.call(request, self.limit).await.map_err(handing_over)
    }

    async fn post(&self, message: &Outgoing) -> Result<Accepted, SendError> {
        let body = self.body(message)?.to_string();
        let answer = self.call(Method::POST, &self.messages, body.as_bytes()).await?;
        let id = answer["message_id"].as_str().ok_or_else(unreadable)?;
        Ok(Accepted { provider_id: Some(id.to_owned()) })
    }

    fn body(&self, message: &Outgoing) -> Result<Value, SendError> {
        let refused = |code: &str| Err(SendError::Refused { code: code.to_owned() });
        let content = match &message.content {
            Content::Text(text) if text.is_empty() => return refused("empty_text"),
            Content::Text(text) if text.chars().count() > LONGEST_TEXT => return refused("too_long"),
            Content::Text(text) => json!({"text_message": {"text": text}}),
            Content::Template { name, language, parameters } => {
                // Sinch names parameters; ours have places.
                let named: Map<String, Value> = (1..).zip(parameters).map(|(number, text)| (number.to_string(), json!(text))).collect();
                let template = json!({"template_id": name, "version": "latest", "language_code": language, "parameters": named});
                json!({"template_message": {"omni_template": template}})
            }
            Content::Email(_) | Content::Push { .. } | Content::Webhook { .. } => return refused("wrong_content"),
        };
        let channel = self.carrier.name();
        let mut body = json!({
            "app_id": self.app.app_id,
            "recipient": {"identified_by": {"channel_identities": [{"channel": channel, "identity": message.to}]}},
            "message": content,
            "channel_priority_order": [channel],
            "message_metadata": message.message.to_string(),
        });
        if let (Carrier::Sms, Some(from)) = (self.carrier, &self.from) {
            body["channel_properties"] = json!({"SMS_SENDER": from});
        }
        Ok(body)
    }
}

impl Channel for Sinch {
    fn send<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, SendError>> {
        // Token and message together.
        async { timeout(self.limit, self.post(message)).await.unwrap_or(Err(CallError::Timeout.into())) }.boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<(), SendError>> {
        async { self.call(Method::GET, &self.this_app, b"").await.map(|_| ()) }.boxed()
    }
}
