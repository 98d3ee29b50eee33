//! Signed links: what a customer reaches without signing in, such as his preferences.
//!
//! A token names the strand of a profile and a purpose of the link, and carries a keyed hash over both.
//! It does not run out: an unsubscribe link in an old mail must work. The key is made once per data directory.

use faden_model::ProfileId;
use std::path::Path;
use subtle::ConstantTimeEq;

/// Bytes of the hash in a token.
const HASH_BYTES: usize = 16;

/// Makes and checks tokens.
pub struct Signer {
    key: [u8; 32],
}

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// See and change one's preferences.
    Preferences,
    /// Leave a purpose on a channel at once.
    Unsubscribe,
    /// Confirm a consent.
    Confirm,
    /// Be recognised as the one to whom a message went.
    Recognition,
}

impl Use {
    fn name(self) -> &'static str {
        match self {
            Use::Preferences => "preferences",
            Use::Unsubscribe => "unsubscribe",
            Use::Confirm => "confirm",
            Use::Recognition => "recognition",
        }
    }
}

impl Signer {
    /// Reads the key, or makes it.
    ///
    /// # Errors
    /// The system's.
    pub fn open(file: &Path) -> std::io::Result<Signer> {
        match std::fs::read(file) {
            Ok(bytes) => {
                let key = bytes.try_into().map_err(|_| std::io::Error::other("the signing key is not 32 bytes long"))?;
                Ok(Signer { key })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut key = [0; 32];
                getrandom::fill(&mut key).map_err(std::io::Error::other)?;
                crate::keys::replace(file, &key)?;
                Ok(Signer { key })
            }
            Err(error) => Err(error),
        }
    }

    fn hash(&self, of: Use, body: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(of.name().as_bytes());
        hasher.update(&[0]);
        hasher.update(body.as_bytes());
        hasher.finalize().to_hex()[..HASH_BYTES * 2].to_owned()
    }

    /// A token for a profile; `detail` is what the link is about (purpose and channel) and may be empty. It
    /// must not hold a `.`.
    pub fn sign(&self, of: Use, profile: ProfileId, detail: &str) -> String {
        let body = format!("{profile}.{detail}");
        format!("{body}.{}", self.hash(of, &body))
    }

    /// What a token says, if it is ours.
    pub fn read(&self, of: Use, token: &str) -> Option<(ProfileId, String)> {
        let (body, hash) = token.rsplit_once('.')?;
        if !bool::from(self.hash(of, body).as_bytes().ct_eq(hash.as_bytes())) {
            return None;
        }
        let (profile, detail) = body.split_once('.')?;
        Some((ProfileId::parse(profile).ok()?, detail.to_owned()))
    }
}

/// Text that a token may hold, whatever stands in it.
pub fn hexed(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The text again; `None` where it is none.
pub fn unhexed(hex: &str) -> Option<String> {
    let byte = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
    String::from_utf8(bytes?).ok().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_for_its_profile_and_use_and_nothing_else() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("signing.key");
        let signer = Signer::open(&file).expect("a new key");
        let token = signer.sign(Use::Unsubscribe, ProfileId(7), "marketing:email");
        let again = Signer::open(&file).expect("the key");
        assert_eq!(again.read(Use::Unsubscribe, &token), Some((ProfileId(7), "marketing:email".to_owned())));
        assert_eq!(again.read(Use::Preferences, &token), None);
        assert_eq!(again.read(Use::Unsubscribe, &token.replace("prf_7", "prf_8")), None);
        assert_eq!(again.read(Use::Unsubscribe, ""), None);
        let other = Signer::open(&directory.path().join("other.key")).expect("a new key");
        assert_eq!(other.read(Use::Unsubscribe, &token), None);
    }
}
