//! An account of the kind `whatsapp` as it stands in `faden.yaml`.

use crate::settings::Secret;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub struct Settings {
    pub cloud_api: CloudApi,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudApi {
    pub phone_number_id: String,
    pub access_token: Secret,
    /// Signs what Meta calls us with.
    pub app_secret: Secret,
    /// A word of ours that Meta says back when the webhook is set up.
    pub verify_token: Secret,
    /// Whether texts of one's own are held to the 24 hours after the customer wrote. Off where his messages do not
    /// come here: Meta refuses what is too late then.
    #[serde(default = "yes")]
    pub session_window: bool,
    #[serde(default = "default_base_url")]
    pub base_url: String,
    #[serde(default = "default_version")]
    pub version: String,
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u64,
}

fn yes() -> bool {
    true
}

fn default_base_url() -> String {
    "https://graph.facebook.com".to_owned()
}

fn default_version() -> String {
    "v23.0".to_owned()
}

fn default_timeout() -> u64 {
    15
}
