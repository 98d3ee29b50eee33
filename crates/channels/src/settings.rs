//! What the settings of all accounts have in common: secrets that do not show, and how a wrong value is told.

use serde::Deserialize;
use std::fmt;

/// A password, token or key. It can be used and not seen: `Debug` writes dots.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself, for the provider only.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// An empty secret signs nothing: everybody knows it.
    ///
    /// # Errors
    /// [`SettingsError`] when it is empty.
    pub fn not_empty(&self, key: &'static str) -> Result<(), SettingsError> {
        if self.0.is_empty() {
            return Err(SettingsError { key, problem: "is empty; set the environment variable or file that it comes from" });
        }
        Ok(())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("...")
    }
}

/// An account whose settings are of the right shape but cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` of a channel account {problem}")]
pub struct SettingsError {
    pub key: &'static str,
    /// What is wrong and what to write instead.
    pub problem: &'static str,
}

impl SettingsError {
    pub fn code(&self) -> &'static str {
        "channel-setting"
    }
}
