//! One POST for each message.

use super::settings::Settings;
use super::sign::{Key, sign};
use crate::outbound_http::{Answer, Http};
use crate::settings::{Fault, SettingsError};
use crate::{Accepted, BoxFuture, Channel, Content, Outgoing, SendError};
use faden_model::Timestamp;
use futures_util::FutureExt;
use http::{Method, Request, StatusCode, Uri};
use serde::Serialize;
use serde_json::value::RawValue;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An account of the kind `webhook`. What it sends goes to the account's URL, whatever the message's address is.
pub struct Webhook {
    url: Uri,
    keys: Vec<Key>,
    limit: Duration,
    http: Http,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    event: &'a str,
    timestamp: String,
    data: &'a RawValue,
}

impl Webhook {
    /// # Errors
    /// [`SettingsError`] when the URL or a secret cannot be used.
    pub fn new(settings: &Settings, http: Http) -> Result<Webhook, SettingsError> {
        const URL: SettingsError = SettingsError { key: "url", fault: Fault::NoUrl };
        let endpoint = &settings.webhook;
        let url: Uri = endpoint.url.parse().map_err(|_| URL)?;
        if !matches!(url.scheme_str(), Some("http" | "https")) || url.host().is_none() {
            return Err(URL);
        }
        let keys = std::iter::once(&endpoint.secret).chain(&endpoint.secrets).map(Key::parse).collect::<Result<_, _>>()?;
        Ok(Webhook { url, keys, limit: Duration::from_secs(endpoint.timeout_seconds.max(1)), http })
    }

    async fn post(&self, message: &Outgoing) -> Result<Accepted, SendError> {
        let Content::Webhook { event, at, data } = &message.content else {
            return Err(SendError::Refused { code: "wrong_content".to_owned() });
        };
        let body = body(event, *at, data)?;
        let id = message.message.to_string();
        let now = seconds_now();
        let request = Request::post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", now)
            .header("webhook-signature", sign(&self.keys, &id, now, &body))
            .body(body)
            .expect("the URL was parsed and the headers are ASCII");
        outcome(&self.http.call(request, self.limit).await?)
    }

    async fn reach(&self) -> Result<(), SendError> {
        let request = Request::builder().method(Method::HEAD).uri(&self.url).body(Vec::new()).expect("the URL was parsed");
        let status = self.http.call(request, self.limit).await?.status();
        if status.is_server_error() {
            return Err(SendError::Unavailable { code: status.as_str().to_owned() });
        }
        Ok(())
    }
}

impl Channel for Webhook {
    fn send<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, SendError>> {
        self.post(message).boxed()
    }

    /// `HEAD`: whatever a receiver thinks of that, it is there.
    fn check(&self) -> BoxFuture<'_, Result<(), SendError>> {
        self.reach().boxed()
    }
}

fn body(event: &str, at: Timestamp, data: &str) -> Result<Vec<u8>, SendError> {
    let no_json = |_| SendError::Refused { code: "data_is_not_json".to_owned() };
    let data: &RawValue = serde_json::from_str(data).map_err(no_json)?;
    serde_json::to_vec(&Body { event, timestamp: at.to_string(), data }).map_err(no_json)
}

fn outcome(answer: &Answer) -> Result<Accepted, SendError> {
    let status = answer.status();
    let code = status.as_str().to_owned();
    match status {
        _ if status.is_success() => Ok(Accepted::default()),
        // It lives elsewhere now: somebody has to write the new address.
        _ if status.is_redirection() => Err(SendError::Account { code }),
        StatusCode::GONE => Err(SendError::AddressGone { code }),
        StatusCode::TOO_MANY_REQUESTS => Err(SendError::Throttled { code, after: answer.retry_after() }),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => Err(SendError::Unavailable { code }),
        _ if status.is_client_error() => Err(SendError::Refused { code }),
        _ => Err(SendError::Unavailable { code }),
    }
}

fn seconds_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
