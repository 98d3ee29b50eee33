//! An account of the kind `sms` with `twilio`, as it stands in `faden.yaml`.

use crate::settings::Secret;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub struct Settings {
    pub twilio: Account,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub account_sid: String,
    /// Signs what Twilio calls us with, too.
    pub auth_token: Secret,
    /// This, or a messaging service.
    pub from: Option<String>,
    pub messaging_service_sid: Option<String>,
    #[serde(default = "default_base_url")]
    pub base_url: String,
    /// Where Twilio reports to; without it no receipts come.
    pub status_callback: Option<String>,
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u64,
}

fn default_base_url() -> String {
    "https://api.twilio.com".to_owned()
}

fn default_timeout() -> u64 {
    15
}
