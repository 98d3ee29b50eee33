//! An account of the kind `sms` with `smpp`, as it stands in `faden.yaml`.

use crate::settings::{Fault, Secret, SettingsError};
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub struct Settings {
    /// Who the message is from: a number with `+`, a short code, or up to 11 letters and digits.
    pub from: String,
    pub smpp: Connection,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    pub host: String,
    pub port: u16,
    pub system_id: String,
    pub password: Secret,
    #[serde(default)]
    pub system_type: String,
    /// How many messages may wait for the provider's answer at the same time.
    #[serde(default = "ten")]
    pub window: usize,
    /// Messages a second, each part counted; no limit if it is not written.
    pub per_second: Option<u32>,
    #[serde(default)]
    pub tls: bool,
    /// PEM text: certificates that are trusted beside the public ones.
    pub trusted_certificates: Option<String>,
    #[serde(default = "thirty")]
    pub enquire_link_seconds: u64,
    /// For one message, with waiting for its turn.
    #[serde(default = "thirty")]
    pub timeout_seconds: u64,
}

fn ten() -> usize {
    10
}

fn thirty() -> u64 {
    30
}

impl Settings {
    /// # Errors
    /// [`SettingsError`] for what the protocol cannot carry.
    pub fn check(&self) -> Result<(), SettingsError> {
        let smpp = &self.smpp;
        let wrong = |key, fault| Err(SettingsError { key, fault });
        if super::address::source(&self.from).is_none() {
            return wrong("from", Fault::NoSender);
        }
        if !fits(&smpp.system_id, 15) {
            return wrong("system_id", Fault::SystemIdTooLong);
        }
        if !fits(smpp.password.reveal(), 8) {
            return wrong("password", Fault::PasswordTooLong);
        }
        if !fits(&smpp.system_type, 12) {
            return wrong("system_type", Fault::SystemTypeTooLong);
        }
        if smpp.window == 0 || smpp.per_second == Some(0) || smpp.enquire_link_seconds == 0 || smpp.timeout_seconds == 0 {
            return wrong("window, per_second, enquire_link_seconds, timeout_seconds", Fault::Zero);
        }
        Ok(())
    }
}

fn fits(text: &str, longest: usize) -> bool {
    text.is_ascii() && text.len() <= longest && !text.contains('\0')
}
