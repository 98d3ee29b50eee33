//! The browser's side: a subscription, and the message in what its push service hands over. For demonstrations.

use super::encrypt::{AUTH_LENGTH, BASE64_URL, Browser, open, parts};
use base64::Engine;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::{PublicKey, SecretKey};
use serde_json::{Value, json};

/// A browser with a key that it keeps; `ring` makes keys for one agreement only.
pub struct Receiver {
    private: SecretKey,
    browser: Browser,
}

impl Receiver {
    /// `private_key` is 32 bytes in URL-safe base 64; `None` when it is no key.
    pub fn new(private_key: &str, auth: [u8; AUTH_LENGTH]) -> Option<Receiver> {
        let private = SecretKey::from_slice(&BASE64_URL.decode(private_key).ok()?).ok()?;
        let public_key = private.public_key().to_encoded_point(false).as_bytes().try_into().ok()?;
        Some(Receiver { private, browser: Browser { public_key, auth } })
    }

    /// The same browser key with another secret: another browser, and cheap.
    #[must_use]
    pub fn with_auth(&self, auth: [u8; AUTH_LENGTH]) -> Receiver {
        Receiver { private: self.private.clone(), browser: Browser { auth, ..self.browser.clone() } }
    }

    /// As `JSON.stringify(subscription)` gives it.
    pub fn subscription(&self, endpoint: &str) -> String {
        let Browser { public_key, auth } = &self.browser;
        json!({"endpoint": endpoint, "expirationTime": null, "keys": {"p256dh": BASE64_URL.encode(public_key), "auth": BASE64_URL.encode(auth)}})
            .to_string()
    }

    /// The message as the service worker gets it; `None` when it was not made for this browser.
    pub fn open(&self, sealed: &[u8]) -> Option<Value> {
        let (sender, salt, record) = parts(sealed)?;
        let theirs = PublicKey::from_sec1_bytes(sender).ok()?;
        let shared = p256::ecdh::diffie_hellman(self.private.to_nonzero_scalar(), theirs.as_affine());
        let message = open(&self.browser, sender, shared.raw_secret_bytes(), salt, record).ok()?;
        serde_json::from_slice(&message).ok()
    }
}
