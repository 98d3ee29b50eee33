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
            return Err(SettingsError { key, fault: Fault::Empty });
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
#[error("`{key}` of a channel account {}", fault.words())]
pub struct SettingsError {
    pub key: &'static str,
    pub fault: Fault,
}

impl SettingsError {
    pub fn code(&self) -> &'static str {
        "channel-setting"
    }
}

/// What can be wrong with a setting: its name, and what is wrong and what to write instead.
macro_rules! faults {
    ($($fault:ident, $name:literal, $words:literal;)*) => {
        /// What is wrong with a setting.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $($fault,)*
        }

        impl Fault {
            pub const ALL: &[Fault] = &[$(Fault::$fault,)*];

            /// Stable, for clients that say it themselves.
            pub fn name(self) -> &'static str {
                match self {
                    $(Fault::$fault => $name,)*
                }
            }

            /// What is wrong and what to write instead, after the name of the setting.
            pub fn words(self) -> &'static str {
                match self {
                    $(Fault::$fault => $words,)*
                }
            }
        }
    };
}

faults! {
    Empty, "empty", "is empty; set the environment variable or file that it comes from";
    NoMail, "no_mail", "is no e-mail address; write it like news@example.com or Shop <news@example.com>";
    NoBounces, "no_bounces", "is no e-mail address; write it like bounces@example.com, bounces+@example.com or b-{message}@example.com";
    NoUrl, "no_url", "cannot be called; write http:// or https:// and a host";
    NoHttps, "no_https", "is no address; write https:// and a host";
    NoSender, "no_sender", "is neither a number with `+`, a short code, nor 1 to 11 letters, digits and spaces";
    TwoSenders, "two_senders", "are two ways to name the sender; write one of them";
    NoSubject, "no_subject", "is neither `mailto:` and an address nor an `https:` URL";
    TwilioAddress, "twilio_address", "make no address; write https:// and AC...";
    WhatsAppAddress, "whatsapp_address", "make no address; write https://, v and a number, digits";
    SinchAddress, "sinch_address", "make no address; write eu, us or br, and ids";
    SinchKeys, "sinch_keys", "must be the first two, or the third alone";
    SystemIdTooLong, "system_id_too_long", "is longer than the 15 ASCII characters of SMPP 3.4";
    PasswordTooLong, "password_too_long", "is longer than the 8 ASCII characters of SMPP 3.4; ask the provider for another one";
    SystemTypeTooLong, "system_type_too_long", "is longer than the 12 ASCII characters of SMPP 3.4";
    Zero, "zero", "must be at least 1";
    NoWebhookSecret, "no_webhook_secret", "is not `whsec_` and base 64 of 24 to 64 bytes; `openssl rand -base64 32` makes such bytes";
    NoVapidKey, "no_vapid_key", "is no P-256 key; make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`";
    NoPrivateKey, "no_private_key", "holds no private key; write a PEM block `PRIVATE KEY`";
    NoSigningKey, "no_signing_key", "is no key that can sign; make one of RSA with 2048 bits or more, or of Ed25519";
    NoCertificate, "no_certificate", "holds no certificate that can be read; write PEM text";
    FileUnreadable, "file_unreadable", "names a file that cannot be read; write the path of a PEM file";
    FileWithoutCertificate, "file_without_certificate", "names a file without a sound certificate; it has to be PEM";
    FileWithoutKey, "file_without_key", "names a file without a private key; write the path of a PEM file";
    OtherKey, "other_key", "does not belong to the certificate; name the key that it was made with";
}
