//! Access tokens by OAuth 2 (client credentials), kept until shortly before they end.

use super::settings::App;
use crate::SendError;
use crate::outbound_http::{Http, error_by_status};
use crate::settings::{Fault, Secret, SettingsError};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{Request, Uri};
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A token is renewed this long before it ends.
const EARLY: Duration = Duration::from_secs(60);

pub enum Tokens {
    Given(Secret),
    /// `basic` is the key as HTTP wants it.
    Fetched {
        basic: String,
        address: Uri,
        kept: Mutex<Option<Kept>>,
    },
}

pub struct Kept {
    token: String,
    until: Instant,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: u64,
}

impl Tokens {
    /// # Errors
    /// [`SettingsError`] when there is neither a key nor a token, or an empty one.
    pub fn new(app: &App) -> Result<Tokens, SettingsError> {
        match (&app.token, &app.key_id, &app.key_secret) {
            (Some(token), None, None) => {
                token.not_empty("token")?;
                Ok(Tokens::Given(token.clone()))
            }
            (None, Some(id), Some(secret)) => {
                secret.not_empty("key_secret")?;
                let wrong = SettingsError { key: "auth_url", fault: Fault::NoHttps };
                let address = app.auth_url.parse().map_err(|_| wrong)?;
                Ok(Tokens::Fetched { basic: BASE64_STANDARD.encode(format!("{id}:{}", secret.reveal())), address, kept: Mutex::new(None) })
            }
            _ => Err(SettingsError { key: "key_id, key_secret, token", fault: Fault::SinchKeys }),
        }
    }

    /// Whoever comes while one is fetched waits for it.
    pub async fn get(&self, http: &Http, limit: Duration) -> Result<String, SendError> {
        let (basic, address, kept) = match self {
            Tokens::Given(token) => return Ok(token.reveal().to_owned()),
            Tokens::Fetched { basic, address, kept } => (basic, address, kept),
        };
        let mut kept = kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| Instant::now() < kept.until) {
            return Ok(kept.token.clone());
        }
        let request = Request::post(address)
            .header("authorization", format!("Basic {basic}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(b"grant_type=client_credentials".to_vec())
            .expect("the address was parsed and the headers are ASCII");
        let answer = http.call(request, limit).await?;
        let (status, after) = (answer.status(), answer.retry_after());
        if !status.is_success() {
            // Whatever is refused here is not about a message: 400 too means that the key is wrong.
            let code = format!("token_{}", status.as_str());
            return Err(match error_by_status(status, after, code) {
                SendError::Refused { code } => SendError::Account { code },
                other => other,
            });
        }
        let broken = |_| SendError::Unavailable { code: "broken_answer".to_owned() };
        let answer: Answer = serde_json::from_slice(&answer.body().await?).map_err(broken)?;
        let until = Instant::now() + Duration::from_secs(answer.expires_in.min(86_400)).saturating_sub(EARLY);
        *kept = Some(Kept { token: answer.access_token.clone(), until });
        Ok(answer.access_token)
    }

    /// The provider does not take this one any more. `false` when there is no other.
    pub async fn forget(&self, token: &str) -> bool {
        let Tokens::Fetched { kept, .. } = self else { return false };
        let mut kept = kept.lock().await;
        if kept.as_ref().is_some_and(|kept| kept.token == token) {
            *kept = None;
        }
        true
    }
}
