//! Phone numbers and names, with the type and plan that SMPP wants beside them.

use rusmpp::values::{Npi, Ton};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub ton: Ton,
    pub npi: Npi,
    pub text: String,
}

fn digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `+491701234567`.
pub fn destination(text: &str) -> Option<Address> {
    let number = text.strip_prefix('+').filter(|number| digits(number, 5..=15))?;
    Some(Address { ton: Ton::International, npi: Npi::Isdn, text: number.to_owned() })
}

/// A number with `+`, a short code, or a name.
pub fn source(text: &str) -> Option<Address> {
    if text.starts_with('+') {
        return destination(text);
    }
    if digits(text, 2..=8) {
        return Some(Address { ton: Ton::NetworkSpecific, npi: Npi::Unknown, text: text.to_owned() });
    }
    let name = (1..=11).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    name.then(|| Address { ton: Ton::Alphanumeric, npi: Npi::Unknown, text: text.to_owned() })
}

/// As the rest of Faden writes it: `+` before an international number. Providers that name no type write such numbers
/// without anything before the country code, so ten digits or more that do not begin with 0 are read as one.
pub fn read(ton: Ton, text: &str) -> String {
    let international = match ton {
        Ton::International => digits(text, 5..=15),
        Ton::Unknown => digits(text, 10..=15) && !text.starts_with('0'),
        _ => false,
    };
    if international { format!("+{text}") } else { text.to_owned() }
}
