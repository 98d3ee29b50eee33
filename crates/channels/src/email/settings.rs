//! What an e-mail account and the inbound listener are told.

use crate::settings::Secret;
use serde::Deserialize;
use std::num::{NonZeroU16, NonZeroU64};
use std::path::PathBuf;

/// An account of the kind `email` as it stands in `faden.yaml`.
#[derive(Clone, Debug, Deserialize)]
pub struct Settings {
    /// `Shop <news@example.com>` or `news@example.com`.
    pub from: String,
    pub reply_to: Option<String>,
    pub smtp: Server,
    /// The envelope sender, where bounces go. `{message}`, or the place after a `+` at the end of the local
    /// part, becomes the message's id. The address in `from` if left out.
    pub bounces: Option<String>,
    pub dkim: Option<Dkim>,
    /// For a [`Listener`](super::Listener); [`Smtp`](super::Smtp) does not use it.
    pub inbound: Option<Inlet>,
}

/// The server that takes our mail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub host: String,
    /// 587 with STARTTLS, 465 with TLS, 25 without, if left out.
    pub port: Option<u16>,
    #[serde(default)]
    pub tls: Tls,
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// For one mail, from the first byte to the last answer.
    #[serde(default = "sixty")]
    pub timeout_seconds: NonZeroU64,
    #[serde(default = "one")]
    pub connections: NonZeroU16,
    /// PEM; these authorities are trusted beside the public ones.
    pub ca_file: Option<PathBuf>,
    /// What we call ourselves; our IP address if left out.
    pub hello: Option<String>,
}

/// How the connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    None,
    #[default]
    Starttls,
    Tls,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dkim {
    pub domain: String,
    pub selector: String,
    /// PEM: RSA or Ed25519, PKCS #8.
    pub key: Secret,
}

/// The inbound listener.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inlet {
    /// `127.0.0.1:2526`; port 0 takes a free one.
    pub listen: String,
    /// Mail to any address of these domains is taken.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Mail to these addresses is taken, too.
    #[serde(default)]
    pub addresses: Vec<String>,
    #[serde(default = "ten_mebibytes")]
    pub size_max_bytes: NonZeroU64,
    /// Connections at the same time; one more is told to come back later.
    #[serde(default = "hundred")]
    pub connections: NonZeroU16,
    /// How long the other side may be silent (RFC 5321 asks for at least five minutes).
    #[serde(default = "five_minutes")]
    pub timeout_seconds: NonZeroU64,
    pub tls: Option<InletTls>,
}

/// With a certificate the listener offers STARTTLS.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InletTls {
    pub certificate_file: PathBuf,
    pub key_file: PathBuf,
}

const fn sixty() -> NonZeroU64 {
    NonZeroU64::MIN.saturating_add(59)
}

const fn one() -> NonZeroU16 {
    NonZeroU16::MIN
}

const fn hundred() -> NonZeroU16 {
    NonZeroU16::MIN.saturating_add(99)
}

const fn five_minutes() -> NonZeroU64 {
    NonZeroU64::MIN.saturating_add(299)
}

const fn ten_mebibytes() -> NonZeroU64 {
    NonZeroU64::MIN.saturating_add(10 * 1024 * 1024 - 1)
}
