//! Signatures of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, as `v1,` and base 64.

use crate::settings::{Fault, Secret, SettingsError};
use crate::{InboundCall, InboundError};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;

/// How far a call's clock may be from ours, in seconds.
const TOLERANCE: i64 = 300;

/// One secret, ready to sign.
#[derive(Clone)]
pub struct Key(hmac::Key);

impl Key {
    /// # Errors
    /// [`SettingsError`] when it is not `whsec_` and base 64 of 24 to 64 bytes.
    pub fn parse(secret: &Secret) -> Result<Key, SettingsError> {
        const WRONG: SettingsError = SettingsError { key: "secret", fault: Fault::NoWebhookSecret };
        let text = secret.reveal().strip_prefix("whsec_").ok_or(WRONG)?;
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| WRONG)?;
        if !(24..=64).contains(&bytes.len()) {
            return Err(WRONG);
        }
        Ok(Key(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }
}

fn signed(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()
}

/// The value of `webhook-signature`: one signature for each key, with a space between.
pub fn sign(keys: &[Key], id: &str, timestamp: i64, body: &[u8]) -> String {
    let content = signed(id, &timestamp.to_string(), body);
    let signatures = keys.iter().map(|key| format!("v1,{}", BASE64_STANDARD.encode(hmac::sign(&key.0, &content))));
    signatures.collect::<Vec<_>>().join(" ")
}

/// Whether the call was signed with one of our keys, no longer than five minutes ago.
///
/// # Errors
/// [`InboundError::Signature`] when it was not.
pub fn verify(keys: &[Key], call: &InboundCall<'_>) -> Result<(), InboundError> {
    let header = |name| call.headers.get(name).and_then(|value| value.to_str().ok()).ok_or(InboundError::Signature);
    let (id, timestamp, signatures) = (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
    let seconds: i64 = timestamp.parse().map_err(|_| InboundError::Signature)?;
    let now = call.now.0.div_euclid(1000);
    if seconds.checked_sub(now).is_none_or(|away| away.abs() > TOLERANCE) {
        return Err(InboundError::Signature);
    }
    let content = signed(id, timestamp, call.body);
    let mut candidates = signatures.split(' ').filter_map(|one| BASE64_STANDARD.decode(one.strip_prefix("v1,")?).ok());
    let good = candidates.any(|candidate| keys.iter().any(|key| hmac::verify(&key.0, &content, &candidate).is_ok()));
    if good { Ok(()) } else { Err(InboundError::Signature) }
}
