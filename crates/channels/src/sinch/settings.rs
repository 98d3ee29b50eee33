//! An account of the kind `sms` or `rcs` with `sinch`, as it stands in `faden.yaml`.

use crate::settings::Secret;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub struct Settings {
    pub kind: Carrier,
    /// The sender of SMS; without it the app's own.
    pub from: Option<String>,
    pub sinch: App,
}

/// Sinch's channels that are spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carrier {
    Sms,
    Rcs,
}

impl Carrier {
    /// As Sinch calls it.
    pub fn name(self) -> &'static str {
        match self {
            Carrier::Sms => "SMS",
            Carrier::Rcs => "RCS",
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    pub project_id: String,
    pub app_id: String,
    /// An access key, or a token that somebody else renews.
    pub key_id: Option<String>,
    pub key_secret: Option<Secret>,
    pub token: Option<Secret>,
    /// Signs what Sinch calls us with.
    pub webhook_secret: Secret,
    /// Where the app lives: `us`, `eu` or `br`.
    #[serde(default = "default_region")]
    pub region: String,
    /// In place of the region's address.
    pub base_url: Option<String>,
    #[serde(default = "default_auth_url")]
    pub auth_url: String,
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u64,
}

fn default_region() -> String {
    "eu".to_owned()
}

fn default_auth_url() -> String {
    "https://auth.sinch.com/oauth2/token".to_owned()
}

fn default_timeout() -> u64 {
    15
}

impl App {
    /// Without a slash at the end.
    pub fn address(&self) -> String {
        let by_region = || format!("https://{}.conversation.api.sinch.com", self.region);
        self.base_url.as_deref().map_or_else(by_region, |url| url.trim_end_matches('/').to_owned())
    }
}
