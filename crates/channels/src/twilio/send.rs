//! One call for each message, and what Twilio's error codes mean.
//!
//! Source of the codes: "Error and Warning Dictionary" of Twilio's documentation.

use super::settings::{Account, Settings};
use crate::outbound_http::{Http, error_by_status, handing_over, unreadable};
use crate::settings::{Fault, SettingsError};
use crate::{Accepted, BoxFuture, Channel, Content, Outgoing, SendError};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::FutureExt;
use http::{Method, Request, StatusCode, Uri};
use serde_json::Value;
use std::time::Duration;

/// Characters of a text, parts together.
const LONGEST_TEXT: usize = 1600;

/// An account of the kind `sms` with Twilio.
pub struct Twilio {
    pub(super) settings: Account,
    account: Uri,
    messages: Uri,
    /// The field that names the sender, and its value.
    sender: (&'static str, String),
    limit: Duration,
    http: Http,
}

impl Twilio {
    /// # Errors
    /// [`SettingsError`] when the address made of the settings is none, or the token is empty.
    pub fn new(settings: &Settings, http: Http) -> Result<Twilio, SettingsError> {
        const WRONG: SettingsError = SettingsError { key: "base_url, account_sid", fault: Fault::TwilioAddress };
        let settings = settings.twilio.clone();
        settings.auth_token.not_empty("auth_token")?;
        let account = format!("{}/2010-04-01/Accounts/{}", settings.base_url.trim_end_matches('/'), settings.account_sid);
        let messages = format!("{account}/Messages.json").parse().map_err(|_| WRONG)?;
        let account = format!("{account}.json").parse().map_err(|_| WRONG)?;
        let sender = match (&settings.from, &settings.messaging_service_sid) {
            (Some(from), None) => ("From", from.clone()),
            (None, Some(service)) => ("MessagingServiceSid", service.clone()),
            _ => {
                return Err(SettingsError { key: "from, messaging_service_sid", fault: Fault::TwoSenders });
            }
        };
        let limit = Duration::from_secs(settings.timeout_seconds.max(1));
        Ok(Twilio { settings, account, messages, sender, limit, http })
    }

    async fn call(&self, method: Method, uri: &Uri, body: String) -> Result<Value, SendError> {
        let user = format!("{}:{}", self.settings.account_sid, self.settings.auth_token.reveal());
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("authorization", format!("Basic {}", BASE64_STANDARD.encode(user)))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.into_bytes())
            .expect("the address was parsed and the headers are ASCII");
        let answer = self.http.call(request, self.limit).await.map_err(handing_over)?;
        let (status, after) = (answer.status(), answer.retry_after());
        match serde_json::from_slice::<Value>(&answer.body().await.map_err(handing_over)?) {
            Ok(body) if status.is_success() => Ok(body),
            Err(_) if status.is_success() => Err(unreadable()),
            Ok(body) => Err(error(status, after, body["code"].as_i64())),
            Err(_) => Err(error(status, after, None)),
        }
    }

    async fn post(&self, message: &Outgoing) -> Result<Accepted, SendError> {
        let refused = |code: &str| Err(SendError::Refused { code: code.to_owned() });
        let text = match &message.content {
            Content::Text(text) if text.is_empty() => return refused("empty_text"),
            Content::Text(text) if text.chars().count() > LONGEST_TEXT => return refused("too_long"),
            Content::Text(text) => text,
            _ => return refused("wrong_content"),
        };
        let callback = self.settings.status_callback.as_deref().map(|url| ("StatusCallback", url));
        let fields = [("To", &*message.to), ("Body", text), (self.sender.0, &*self.sender.1)].into_iter().chain(callback);
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let answer = self.call(Method::POST, &self.messages, form).await?;
        let id = answer["sid"].as_str().ok_or_else(unreadable)?;
        Ok(Accepted { provider_id: Some(id.to_owned()) })
    }
}

impl Channel for Twilio {
    fn send<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, SendError>> {
        self.post(message).boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<(), SendError>> {
        async { self.call(Method::GET, &self.account, String::new()).await.map(|_| ()) }.boxed()
    }
}

/// Numbers that can take no SMS from us any more: the customer wrote STOP to Twilio, no mobile number, unknown, a
/// land line.
pub fn is_gone(code: i64) -> bool {
    matches!(code, 21_610 | 21_614 | 30_005 | 30_006)
}

fn error(status: StatusCode, after: Option<Duration>, twilio: Option<i64>) -> SendError {
    let Some(number) = twilio else { return error_by_status(status, after, status.as_str().to_owned()) };
    let code = number.to_string();
    match number {
        _ if is_gone(number) => SendError::AddressGone { code },
        // Sign-in, account suspended, a sender that is not ours or cannot send.
        20_003 | 20_005 | 20_008 | 20_404 | 21_212 | 21_603 | 21_606 | 21_659 | 21_660 | 21_703 | 30_002 => SendError::Account { code },
        // Calls, the queue of the sender, the rate of the sender.
        14_107 | 20_429 | 21_611 | 30_001 | 30_022 => SendError::Throttled { code, after },
        // Everything else that Twilio numbers is about this message: not a number (21211), a country that the account
        // may not write to (21408, with status 403).
        _ if status == StatusCode::FORBIDDEN => SendError::Refused { code },
        _ => error_by_status(status, after, code),
    }
}
