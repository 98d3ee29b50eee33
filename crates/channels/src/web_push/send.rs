//! One POST to the browser's push service for each message.

use super::encrypt::{BASE64_URL, Browser, LONGEST_MESSAGE, encrypt};
use super::settings::Settings;
use super::vapid::Signer;
use crate::outbound_http::{Answer, CallError, Http, error_by_status};
use crate::settings::SettingsError;
use crate::{Accepted, BoxFuture, Channel, Content, Outgoing, SendError};
use base64::Engine;
use futures_util::FutureExt;
use http::{Request, Uri};
use serde::Deserialize;
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An account of the kind `web_push`.
pub struct WebPush {
    signer: Signer,
    ttl: u64,
    limit: Duration,
    http: Http,
}

/// As `PushSubscription.toJSON` writes it.
#[derive(Deserialize)]
struct Subscription {
    endpoint: String,
    keys: Keys,
}

#[derive(Deserialize)]
struct Keys {
    p256dh: String,
    auth: String,
}

impl WebPush {
    /// # Errors
    /// [`SettingsError`] when the key or the subject cannot be used.
    pub fn new(settings: &Settings, http: Http) -> Result<WebPush, SettingsError> {
        let vapid = &settings.vapid;
        let limit = Duration::from_secs(vapid.timeout_seconds.max(1));
        Ok(WebPush { signer: Signer::new(vapid)?, ttl: vapid.ttl_seconds, limit, http })
    }

    /// What a page hands to `pushManager.subscribe` as `applicationServerKey`.
    pub fn public_key(&self) -> String {
        self.signer.public_key()
    }

    async fn post(&self, message: &Outgoing) -> Result<Accepted, SendError> {
        let refused = |code: &str| SendError::Refused { code: code.to_owned() };
        let Content::Push { title, body, url } = &message.content else { return Err(refused("wrong_content")) };
        let id = message.message.to_string();
        let payload = json!({"title": title, "body": body, "url": url, "message": id}).to_string();
        if payload.len() > LONGEST_MESSAGE {
            return Err(refused("too_long"));
        }
        let (endpoint, origin, browser) = read(&message.to).ok_or_else(|| refused("not_a_subscription"))?;
        let encrypted = encrypt(&browser, payload.as_bytes()).map_err(|_| refused("not_a_subscription"))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let request = Request::post(endpoint)
            .header("authorization", self.signer.authorization(&origin, now))
            .header("content-encoding", "aes128gcm")
            .header("content-type", "application/octet-stream")
            .header("ttl", self.ttl)
            .header("topic", id)
            .body(encrypted)
            .map_err(|_| refused("not_a_subscription"))?;
        outcome(&self.http.call(request, self.limit).await.map_err(unreachable_for)?)
    }
}

impl Channel for WebPush {
    fn send<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, SendError>> {
        self.post(message).boxed()
    }

    /// There is no one provider to reach: each browser brings its own. The key was checked when the account was opened.
    fn check(&self) -> BoxFuture<'_, Result<(), SendError>> {
        std::future::ready(Ok(())).boxed()
    }
}

/// The endpoint, its origin, and the browser's keys.
fn read(subscription: &str) -> Option<(Uri, String, Browser)> {
    let subscription: Subscription = serde_json::from_str(subscription).ok()?;
    let endpoint: Uri = subscription.endpoint.parse().ok()?;
    let authority = endpoint.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let origin = format!("{}://{authority}", endpoint.scheme()?);
    let public_key = BASE64_URL.decode(subscription.keys.p256dh).ok()?.try_into().ok()?;
    let auth = BASE64_URL.decode(subscription.keys.auth).ok()?.try_into().ok()?;
    Some((endpoint, origin, Browser { public_key, auth }))
}

/// An address that cannot be called is the subscription's fault, and anybody can make one up: the account goes on.
fn unreachable_for(error: CallError) -> SendError {
    for_this_one(SendError::from(error))
}

/// Each browser brings its own push service: what one of them says is never about the whole account.
fn for_this_one(error: SendError) -> SendError {
    match error {
        SendError::Account { code } => SendError::Refused { code },
        SendError::Throttled { code, after } => SendError::Later { code, after },
        SendError::Unavailable { code } => SendError::Later { code, after: None },
        other => other,
    }
}

fn outcome(answer: &Answer) -> Result<Accepted, SendError> {
    let status = answer.status();
    let code = status.as_str().to_owned();
    match status.as_u16() {
        200..=299 => Ok(Accepted::default()),
        404 | 410 => Err(SendError::AddressGone { code }),
        // Made with another key, or moved, which push services do not do: this subscription's matter, not the account's.
        300..=399 | 401 | 403 => Err(SendError::Refused { code }),
        _ => Err(for_this_one(error_by_status(status, answer.retry_after(), code))),
    }
}
