//! DKIM signatures (RFC 6376, Ed25519 by RFC 8463), relaxed/relaxed.
//!
//! Signs what our own writer made: every header at most once, lines ending with CRLF. Headers that decide
//! whom a mail comes from and where an answer goes are signed once more than they occur, so that nobody can
//! add a second one (RFC 6376 section 8.15). RFC 8058 wants both List-Unsubscribe headers covered.

use super::settings::Dkim;
use crate::settings::{Fault, SettingsError};
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use sha2::{Digest, Sha256};

const SIGNED: [&str; 14] = [
    "from",
    "reply-to",
    "to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "auto-submitted",
    "list-unsubscribe",
    "list-unsubscribe-post",
];

const SIGNED_AGAIN: [&str; 6] = ["from", "reply-to", "to", "subject", "date", "list-unsubscribe"];

pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
}

enum Key {
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl Signer {
    /// # Errors
    /// [`SettingsError`] for a key that cannot sign.
    pub fn new(settings: &Dkim) -> Result<Signer, SettingsError> {
        let wrong = |fault| SettingsError { key: "dkim.key", fault };
        let der = PrivateKeyDer::from_pem_slice(settings.key.reveal().as_bytes()).map_err(|_| wrong(Fault::NoPrivateKey))?;
        let key = match &der {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).ok().map(Box::new).map(Key::Rsa),
            // Not checked against a public key inside, which OpenSSL does not write.
            PrivateKeyDer::Pkcs8(der) => match Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()) {
                Ok(key) => Some(Key::Ed25519(key)),
                Err(_) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok().map(Box::new).map(Key::Rsa),
            },
            _ => None,
        };
        let key = key.ok_or_else(|| wrong(Fault::NoSigningKey))?;
        Ok(Signer { domain: settings.domain.clone(), selector: settings.selector.clone(), key })
    }

    /// The `DKIM-Signature` header for a whole mail, with its line end; it goes before the others.
    pub fn sign(&self, mail: &[u8], at_seconds: u64) -> String {
        let (head, body) = split(mail);
        let headers = headers(head);
        let present = SIGNED.iter().filter(|name| headers.iter().any(|(have, _)| have == *name));
        let names: Vec<&str> = present.chain(&SIGNED_AGAIN).copied().collect();

        let mut signed = String::new();
        let mut left: Vec<&(String, String)> = headers.iter().collect();
        for name in &names {
            // From the last one up; one that is not there adds nothing and must stay absent.
            if let Some(place) = left.iter().rposition(|(have, _)| have == name) {
                let (name, value) = left.remove(place);
                signed.push_str(&format!("{name}:{value}\r\n"));
            }
        }
        let algorithm = match self.key {
            Key::Ed25519(_) => "ed25519-sha256",
            Key::Rsa(_) => "rsa-sha256",
        };
        let lists: Vec<String> = names.chunks(5).map(|names| names.join(":")).collect();
        let unsigned = format!(
            "v=1; a={algorithm}; c=relaxed/relaxed; d={}; s={};\r\n t={at_seconds};\r\n h={};\r\n bh={};\r\n b=",
            self.domain,
            self.selector,
            lists.join(":\r\n "),
            STANDARD.encode(Sha256::digest(relaxed_body(body))),
        );
        signed.push_str("dkim-signature:");
        signed.push_str(&relaxed_value(&unsigned));
        let signature = STANDARD.encode(self.key.sign(signed.as_bytes()));
        let folded: Vec<&str> = signature.as_bytes().chunks(72).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
        format!("DKIM-Signature: {unsigned}{}\r\n", folded.join("\r\n "))
    }
}

impl Key {
    fn sign(&self, data: &[u8]) -> Vec<u8> {
        match self {
            // RFC 8463 section 3: the hash is what is signed.
            Key::Ed25519(key) => key.sign(&Sha256::digest(data)).as_ref().to_vec(),
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), data, &mut signature).expect("the buffer has the key's length");
                signature
            }
        }
    }
}

fn split(mail: &[u8]) -> (&[u8], &[u8]) {
    match mail.windows(4).position(|window| window == b"\r\n\r\n") {
        Some(at) => (&mail[..at + 2], &mail[at + 4..]),
        None => (mail, b""),
    }
}

/// Lower case names and relaxed values, in order.
fn headers(head: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(head);
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in text.split("\r\n").filter(|line| !line.is_empty()) {
        match (line.starts_with([' ', '\t']), headers.last_mut(), line.split_once(':')) {
            (true, Some((_, value)), _) => value.push_str(line),
            (_, _, Some((name, value))) => headers.push((name.trim_end().to_ascii_lowercase(), value.to_owned())),
            _ => {}
        }
    }
    headers.into_iter().map(|(name, value)| (name, relaxed_value(&value))).collect()
}

/// RFC 6376 section 3.4.2: unfolded, runs of blanks as one, none at the ends.
fn relaxed_value(value: &str) -> String {
    value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// RFC 6376 section 3.4.4: runs of blanks as one, none at the end of a line, no empty lines at the end.
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 2);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut blank = false;
        for byte in line {
            match byte {
                b' ' | b'\t' => blank = true,
                _ => {
                    if std::mem::take(&mut blank) {
                        out.push(b' ');
                    }
                    out.push(*byte);
                }
            }
        }
        out.extend_from_slice(b"\r\n");
    }
    while out.ends_with(b"\r\n\r\n") {
        out.truncate(out.len() - 2);
    }
    if out == b"\r\n" { Vec::new() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Secret;

    #[test]
    fn bodies_and_values_are_relaxed_as_the_standard_shows() {
        // RFC 6376 section 3.4.5.
        for (body, expected) in
            [(" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"), ("", ""), ("\r\n\r\n", ""), ("a", "a\r\n"), ("a\r\n \t\r\n", "a\r\n")]
        {
            assert_eq!(String::from_utf8(relaxed_body(body.as_bytes())).as_deref(), Ok(expected), "{body:?}");
        }
        let parsed = headers(b"A: X\r\nB : Y\t\r\n\tZ  \r\n");
        assert_eq!(parsed, [("a".to_owned(), "X".to_owned()), ("b".to_owned(), "Y Z".to_owned())]);
    }

    #[test]
    fn a_key_that_cannot_sign_is_refused_with_a_reason() {
        for (key, why) in
            [("", "holds no private key"), ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is no key that can sign")]
        {
            let settings = Dkim { domain: "example.com".to_owned(), selector: "s".to_owned(), key: Secret::new(key) };
            let error = Signer::new(&settings).err().expect("the key is bad");
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
