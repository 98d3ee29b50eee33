//! Suppression: addresses that are never written to, whatever else is allowed.
//!
//! Two sources: lists in policy files (legal, Robinson lists, test domains), and addresses of a profile
//! that bounced or complained. A list has three written forms: an exact address (`ada@example.com`,
//! `+4915112345678`), a domain with its subdomains (`@example.com`), and `sha256:` with 64 hex digits of
//! the SHA-256 of the normalised address, for lists that must not be readable.

use faden_model::Text;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An address of a profile that must not be used any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressedAddress {
    pub address: Text,
    /// `bounce`, `complaint`, ...
    pub reason: Text,
}

/// A list of a policy file, ready for look-ups in logarithmic time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    addresses: Vec<Text>,
    domains: Vec<Text>,
    hashes: Vec<[u8; 32]>,
}

/// Whether a written entry has one of the three forms.
pub fn is_entry(text: &str) -> bool {
    match text.strip_prefix("sha256:") {
        Some(digits) => parse_hash(digits).is_some(),
        None => text.strip_prefix('@').map_or(!text.trim().is_empty(), |domain| !domain.trim().is_empty()),
    }
}

impl List {
    /// An entry that has none of the forms is taken as an exact address.
    pub(super) fn new(written: &[Text]) -> List {
        let mut list = List::default();
        for entry in written {
            let entry = entry.trim().to_lowercase();
            if let Some(hash) = entry.strip_prefix("sha256:").and_then(parse_hash) {
                list.hashes.push(hash);
            } else if let Some(domain) = entry.strip_prefix('@') {
                list.domains.push(domain.into());
            } else {
                list.addresses.push(entry.into());
            }
        }
        list.addresses.sort_unstable();
        list.domains.sort_unstable();
        list.hashes.sort_unstable();
        list
    }

    pub(super) fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.domains.is_empty() && self.hashes.is_empty()
    }

    pub(super) fn contains(&self, address: &str) -> bool {
        if address.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return self.contains(&address.to_ascii_lowercase());
        }
        self.addresses.binary_search_by(|known| known.as_str().cmp(address)).is_ok()
            || self.contains_domain(address)
            || (!self.hashes.is_empty() && self.hashes.binary_search(&Sha256::digest(address.as_bytes()).into()).is_ok())
    }

    fn contains_domain(&self, address: &str) -> bool {
        if self.domains.is_empty() {
            return false;
        }
        let Some((_, domain)) = address.rsplit_once('@') else { return false };
        let mut rest = Some(domain);
        while let Some(part) = rest {
            if self.domains.binary_search_by(|known| known.as_str().cmp(part)).is_ok() {
                return true;
            }
            rest = part.split_once('.').map(|(_, parent)| parent);
        }
        false
    }
}

fn parse_hash(digits: &str) -> Option<[u8; 32]> {
    let digits = digits.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_knows_addresses_domains_and_hashes_and_nothing_else() {
        let hash = "sha256:2b48d1c4bff0ddcd0b4c0cba4d4b5f6b5b3b5e7f0c8a7fd0dbd0d4e8f6c9a7b1";
        assert!(is_entry(hash));
        let known: String = Sha256::digest(b"eve@example.org").iter().map(|byte| format!("{byte:02x}")).collect();
        let list =
            List::new(&["Ada@Example.com".into(), "@Spam.example".into(), "+4915112345678".into(), format!("sha256:{known}").into()]);
        for (address, contained) in [
            ("ada@example.com", true),
            ("ADA@example.com", true),
            ("bob@example.com", false),
            ("x@spam.example", true),
            ("x@mail.spam.example", true),
            ("x@nospam.example", false),
            ("spam.example", false),
            ("+4915112345678", true),
            ("+491511234567", false),
            ("eve@example.org", true),
            ("eve@example.net", false),
            ("", false),
        ] {
            assert_eq!(list.contains(address), contained, "{address}");
        }
    }

    #[test]
    fn the_hash_is_the_published_one() {
        // FIPS 180-4 example: SHA-256 of "abc".
        let list = List::new(&["sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into()]);
        assert!(list.contains("abc"));
        assert!(!list.contains("abd"));
    }

    #[test]
    fn an_entry_without_a_known_form_is_told_apart() {
        for (text, is) in [("a@b.c", true), ("@b.c", true), ("@", false), ("", false), ("sha256:12", false)] {
            assert_eq!(is_entry(text), is, "{text}");
        }
    }
}
