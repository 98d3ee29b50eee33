//! VAPID: who sends, as a token signed with ES256 for one push service (RFC 8292).

use super::encrypt::{BASE64_URL, PUBLIC_KEY_LENGTH};
use super::settings::Vapid;
use crate::settings::{Fault, SettingsError};
use base64::Engine;
use ring::error::KeyRejected;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;

/// A token's life; push services take no more than 24 hours.
const LIFE_SECONDS: u64 = 12 * 3600;

pub struct Signer {
    key: EcdsaKeyPair,
    random: SystemRandom,
    subject: String,
}

impl Signer {
    /// # Errors
    /// [`SettingsError`] when the key or the subject cannot be used.
    pub fn new(settings: &Vapid) -> Result<Signer, SettingsError> {
        const KEY: SettingsError = SettingsError { key: "private_key", fault: Fault::NoVapidKey };
        if !settings.subject.starts_with("mailto:") && !settings.subject.starts_with("https:") {
            return Err(SettingsError { key: "subject", fault: Fault::NoSubject });
        }
        let random = SystemRandom::new();
        let key = match &settings.public_key {
            Some(public) => raw_key(settings.private_key.reveal(), public, &random),
            None => PrivatePkcs8KeyDer::from_pem_slice(settings.private_key.reveal().as_bytes())
                .ok()
                .map(|key| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.secret_pkcs8_der(), &random)),
        };
        let key = key.and_then(Result::ok).filter(|key| key.public_key().as_ref().len() == PUBLIC_KEY_LENGTH).ok_or(KEY)?;
        Ok(Signer { key, random, subject: settings.subject.clone() })
    }

    /// What a page hands to `pushManager.subscribe`.
    pub fn public_key(&self) -> String {
        BASE64_URL.encode(self.key.public_key())
    }

    /// The value of `Authorization` for the push service at this origin.
    pub fn authorization(&self, origin: &str, now_seconds: u64) -> String {
        let claims = json!({"aud": origin, "exp": now_seconds + LIFE_SECONDS, "sub": self.subject});
        let head = BASE64_URL.encode(r#"{"typ":"JWT","alg":"ES256"}"#);
        let content = format!("{head}.{}", BASE64_URL.encode(claims.to_string()));
        let signature = self.key.sign(&self.random, content.as_bytes()).expect("the system gives random bytes");
        format!("vapid t={content}.{},k={}", BASE64_URL.encode(signature), self.public_key())
    }
}

fn raw_key(private: &str, public: &str, random: &SystemRandom) -> Option<Result<EcdsaKeyPair, KeyRejected>> {
    let (private, public) = (BASE64_URL.decode(private).ok()?, BASE64_URL.decode(public).ok()?);
    Some(EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, &private, &public, random))
}
