//! An account of the kind `web_push` as it stands in `faden.yaml`.

use crate::settings::Secret;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub struct Settings {
    pub vapid: Vapid,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vapid {
    /// PEM (PKCS #8), or 32 bytes in URL-safe base 64 as many tools make them, then with `public_key`.
    pub private_key: Secret,
    pub public_key: Option<String>,
    /// Whom push services write to: `mailto:` or `https:`.
    pub subject: String,
    /// How long a push service keeps a message for a browser that is not there.
    #[serde(default = "a_day")]
    pub ttl_seconds: u64,
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u64,
}

fn a_day() -> u64 {
    86_400
}

fn default_timeout() -> u64 {
    15
}
