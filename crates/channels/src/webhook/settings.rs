//! An account of the kind `webhook` as it stands in `faden.yaml`.

use crate::settings::Secret;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub struct Settings {
    pub webhook: Endpoint,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    pub url: String,
    /// `whsec_` and base 64 of 24 to 64 bytes.
    pub secret: Secret,
    /// Further secrets that sign too, while receivers change from one to the other.
    #[serde(default)]
    pub secrets: Vec<Secret>,
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u64,
}

fn default_timeout() -> u64 {
    15
}
