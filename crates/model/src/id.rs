//! Ids: made from positions in the log and counters in the state, never from a generator.
//!
//! A profile's number is given by the identity stream in order of first sight, so it does not depend
//! on the number of partitions. Everything a profile brings forth (enrollment, message, decision)
//! carries the id of the profile it was born under and a count of that profile.
//! Written form: a prefix and Crockford base 32 (digits and letters without i, l, o, u).

use serde::{Deserialize, Serialize};
use std::fmt;

/// Virtual shards of a workspace, for ever; partitions own whole shards.
pub const SHARDS: u64 = 256;

/// One customer. The number counts profiles from 0 in order of first sight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProfileId(pub u64);

/// A thing that a profile brought forth: the profile it was born under and a count from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Born {
    pub under: ProfileId,
    pub count: u32,
}

/// One passage of a profile through a journey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EnrollmentId(pub Born);

/// One message, sent or held back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageId(pub Born);

/// One line of the engine's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DecisionId(pub Born);

/// Why a text is not an id of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of this kind; it should look like {example}")]
pub struct IdError {
    pub text: String,
    pub example: &'static str,
}

impl ProfileId {
    /// The virtual shard that holds this profile, below [`SHARDS`].
    pub fn shard(self) -> u8 {
        (self.0 % SHARDS) as u8
    }
}

const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Writes a number so that it ends before `end`; returns where it begins.
fn put_base32(text: &mut [u8], end: usize, mut number: u64) -> usize {
    let mut at = end;
    loop {
        at -= 1;
        text[at] = DIGITS[(number % 32) as usize];
        number /= 32;
        if number == 0 {
            return at;
        }
    }
}

fn read_base32(text: &str) -> Option<u64> {
    if text.is_empty() || text.len() > 13 {
        return None;
    }
    text.bytes().try_fold(0u64, |sum, byte| {
        let digit = DIGITS.iter().position(|candidate| *candidate == byte.to_ascii_lowercase())?;
        sum.checked_mul(32)?.checked_add(digit as u64)
    })
}

impl fmt::Display for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_to(f)
    }
}

impl ProfileId {
    /// As `Display` does it, without the formatter's detours.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_to(self, out: &mut impl fmt::Write) -> fmt::Result {
        let mut text = *b"prf_.............";
        let at = put_base32(&mut text, 17, self.0) - 4;
        text.copy_within(..4, at);
        out.write_str(std::str::from_utf8(&text[at..]).unwrap_or_default())
    }
}

impl ProfileId {
    /// # Errors
    /// [`IdError`] when the text is not `prf_` and base 32.
    pub fn parse(text: &str) -> Result<ProfileId, IdError> {
        text.strip_prefix("prf_").and_then(read_base32).map(ProfileId).ok_or_else(|| IdError { text: text.to_owned(), example: "prf_7b" })
    }
}

macro_rules! born_id {
    ($name:ident, $prefix:literal, $example:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.write_to(f)
            }
        }

        impl $name {
            /// As `Display` does it, without the formatter's detours.
            ///
            /// # Errors
            /// The writer's.
            pub fn write_to(self, out: &mut impl fmt::Write) -> fmt::Result {
                let mut text = [b'_'; 4 + 13 + 1 + 7];
                let under = put_base32(&mut text, 25, u64::from(self.0.count)) - 1;
                let at = put_base32(&mut text, under, self.0.under.0) - 4;
                text[at..at + 4].copy_from_slice($prefix.as_bytes());
                out.write_str(std::str::from_utf8(&text[at..]).unwrap_or_default())
            }

            /// # Errors
            /// [`IdError`] when the text does not have this kind's prefix and two base 32 numbers.
            pub fn parse(text: &str) -> Result<$name, IdError> {
                let read = || {
                    let (under, count) = text.strip_prefix($prefix)?.split_once('_')?;
                    Some(Born { under: ProfileId(read_base32(under)?), count: u32::try_from(read_base32(count)?).ok()? })
                };
                read().map($name).ok_or_else(|| IdError { text: text.to_owned(), example: $example })
            }
        }
    };
}

born_id!(EnrollmentId, "enr_", "enr_7b_3");
born_id!(MessageId, "msg_", "msg_7b_4");
born_id!(DecisionId, "dec_", "dec_7b_5");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_writing_and_reading() {
        for number in [0, 31, 32, 1023, u64::MAX] {
            let id = ProfileId(number);
            assert_eq!(ProfileId::parse(&id.to_string()), Ok(id));
            let enrollment = EnrollmentId(Born { under: id, count: 77 });
            assert_eq!(EnrollmentId::parse(&enrollment.to_string()), Ok(enrollment));
        }
        for bad in ["prf_", "prf_u", "enr_1", "7", "prf_zzzzzzzzzzzzzz"] {
            assert!(ProfileId::parse(bad).is_err(), "{bad}");
            assert!(EnrollmentId::parse(bad).is_err(), "{bad}");
        }
    }
}
