//! Telephone numbers into E.164: `+` and at most 15 digits.
//!
//! Reads what people type: separators, `00` or the country's own international prefix, `(0)` after a
//! calling code, national numbers with or without the trunk prefix, a calling code without `+`. It does not
//! check whether a number is in service; a full number plan would change under old events.

use super::countries::{self, Country};
use std::borrow::Cow;

/// Digits of an E.164 number, calling code included (ITU-T E.164, 6.2.1); the lower bound excludes short codes.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// From this length on, digits that begin with the own calling code are read as calling code and number.
/// National numbers of 11 digits and more are written with their trunk prefix, or (Brazil, China) do not begin
/// with the calling code.
const WITH_CALLING_CODE_DIGITS_MIN: usize = 11;

/// How a number without any prefix is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Bare {
    /// As dialled in the given country.
    National,
    /// With a calling code, as WhatsApp writes its ids.
    International,
}

/// The number in E.164, or its digits and `+` when it cannot be read; `None` without any digit.
/// `country` is a two-letter code in any case.
pub fn normalise<'a>(text: &'a str, country: &str, bare: Bare) -> Option<Cow<'a, str>> {
    if text.strip_prefix('+').is_some_and(is_international) {
        return Some(Cow::Borrowed(text));
    }
    let number = digits_and_plus(text)?;
    Some(Cow::Owned(international(&number, country, bare).unwrap_or(number)))
}

fn is_international(digits: &str) -> bool {
    DIGITS.contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Keeps digits and a leading `+`; an extension (from the first letter after a digit on) is cut off.
fn digits_and_plus(text: &str) -> Option<String> {
    let mut number = String::with_capacity(text.len());
    let has_plus = |number: &str| number.starts_with('+');
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        // `+49 (0)170`: the trunk prefix in brackets is not dialled from abroad.
        if has_plus(&number) && rest.starts_with("(0)") {
            rest = &rest[3..];
            continue;
        }
        match character {
            '0'..='9' => number.push(character),
            '+' | '\u{ff0b}' if number.is_empty() => number.push('+'),
            _ if character.is_alphabetic() && number.len() > usize::from(has_plus(&number)) => break,
            _ => {}
        }
        rest = &rest[character.len_utf8()..];
    }
    if number.is_empty() || number == "+" { None } else { Some(number) }
}

fn international(number: &str, country: &str, bare: Bare) -> Option<String> {
    let written = |digits: &str| is_international(digits).then(|| format!("+{digits}"));
    if let Some(digits) = number.strip_prefix('+') {
        return written(digits);
    }
    let country: &Country = countries::find(&country.to_ascii_uppercase())?;
    let prefix = if country.international.is_empty() { "00" } else { country.international };
    if let Some(digits) = number.strip_prefix(prefix).or_else(|| number.strip_prefix("00")) {
        return written(digits);
    }
    if bare == Bare::International && !number.starts_with('0') {
        return written(number);
    }
    let by_trunk = if country.trunk.is_empty() { None } else { number.strip_prefix(country.trunk) };
    match by_trunk {
        Some(national) => written(&format!("{}{national}", country.calling_code)),
        None if number.len() >= WITH_CALLING_CODE_DIGITS_MIN && number.starts_with(country.calling_code) => written(number),
        None => written(&format!("{}{number}", country.calling_code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_type_them_become_one() {
        for (country, typed, wanted) in [
            ("DE", "+491701234567", "+491701234567"),
            ("de", "0170 1234567", "+491701234567"),
            ("DE", "+49 (0)170/123 45-67", "+491701234567"),
            ("DE", "0049.170.1234567", "+491701234567"),
            ("DE", "491701234567", "+491701234567"),
            ("DE", "170 1234567", "+491701234567"),
            ("DE", "tel:+49-170-1234567", "+491701234567"),
            ("DE", "\u{ff0b}49 170 1234567 ext. 12", "+491701234567"),
            ("US", "(202) 555-0123", "+12025550123"),
            ("US", "1-202-555-0123", "+12025550123"),
            ("US", "011 49 170 1234567", "+491701234567"),
            ("GB", "020 7946 0123", "+442079460123"),
            ("IT", "06 1234 5678", "+390612345678"),
            ("IT", "393 123 4567", "+393931234567"),
            ("IT", "39 333 123 4567", "+393331234567"),
            ("ES", "612 345 678", "+34612345678"),
            ("RU", "8 (916) 123-45-67", "+79161234567"),
            ("RU", "79161234567", "+79161234567"),
            ("BR", "(11) 91234-5678", "+5511912345678"),
            ("AM", "091 123456", "+37491123456"),
            ("XX", "0170 1234567", "01701234567"),
            ("DE", "110", "110"),
            ("DE", "+0170", "+0170"),
            ("DE", "1234567890123456", "1234567890123456"),
        ] {
            assert_eq!(normalise(typed, country, Bare::National).as_deref(), Some(wanted), "{typed} in {country}");
        }
        for nothing in ["", "+", "n/a", "()-"] {
            assert_eq!(normalise(nothing, "DE", Bare::National), None, "{nothing}");
        }
        assert_eq!(normalise("393123456789", "DE", Bare::International).as_deref(), Some("+393123456789"));
    }
}
