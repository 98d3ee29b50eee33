//! A value of a Parquet column as JSON: exact, or a reason why it cannot be said.
//!
//! Decimals and whole numbers keep every digit, instants are RFC 3339 in UTC with as many digits as they have,
//! an instant without a zone is taken as UTC. Not a number (NaN) is a missing value, as data frames mean it.
//! Source: Apache Parquet, LogicalTypes.md.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use faden_model::Timestamp;
use faden_model::json::write_text;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::schema::types::ColumnDescriptor;
use serde_json::value::RawValue;

/// JSON, or why there is none.
pub type Cell = Result<String, &'static str>;

/// What the values of a column mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// As the physical type says; of bytes, text where they are UTF-8.
    Plain,
    Unsigned,
    Text,
    Json,
    Uuid,
    Date,
    Decimal {
        scale: usize,
    },
    /// Since midnight, in parts of a second.
    Time {
        per_second: i64,
    },
    /// Since 1970, in parts of a second.
    Instant {
        per_second: i64,
    },
}

/// Days from 0000-01-01 and up to 9999-12-31, the years of RFC 3339.
const DAYS: std::ops::RangeInclusive<i64> = -719_528..=2_932_896;
const DAY_SECONDS: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;
/// Julian day of 1970-01-01, from which the old 96-bit instants count.
const JULIAN_EPOCH: i64 = 2_440_588;
const BEYOND: &str = "a time outside the years 0 to 9999";

impl Meaning {
    /// `None` for types that have no JSON.
    pub fn of(column: &ColumnDescriptor) -> Option<Meaning> {
        let meaning = match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::String | LogicalType::Enum), _) | (None, ConvertedType::UTF8 | ConvertedType::ENUM) => Meaning::Text,
            (Some(LogicalType::Json), _) | (None, ConvertedType::JSON) => Meaning::Json,
            (Some(LogicalType::Uuid), _) => Meaning::Uuid,
            (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) => Meaning::Date,
            (Some(LogicalType::Time(time)), _) => Meaning::Time { per_second: per_second(&time.unit) },
            (None, ConvertedType::TIME_MILLIS) => Meaning::Time { per_second: 1000 },
            (None, ConvertedType::TIME_MICROS) => Meaning::Time { per_second: 1_000_000 },
            (Some(LogicalType::Timestamp(time)), _) => Meaning::Instant { per_second: per_second(&time.unit) },
            (None, ConvertedType::TIMESTAMP_MILLIS) => Meaning::Instant { per_second: 1000 },
            (None, ConvertedType::TIMESTAMP_MICROS) => Meaning::Instant { per_second: 1_000_000 },
            (Some(LogicalType::Decimal(_)), _) | (None, ConvertedType::DECIMAL) => {
                Meaning::Decimal { scale: usize::try_from(column.type_scale()).ok()? }
            }
            (Some(LogicalType::Integer(integer)), _) if !integer.is_signed => Meaning::Unsigned,
            (None, ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64) => Meaning::Unsigned,
            (Some(LogicalType::Integer(_) | LogicalType::Unknown) | None, converted) if converted != ConvertedType::INTERVAL => {
                if converted == ConvertedType::BSON {
                    return None;
                }
                Meaning::Plain
            }
            _ => return None,
        };
        fits(meaning, column.physical_type()).then_some(meaning)
    }

    pub fn bool(self, value: bool) -> Cell {
        Ok(value.to_string())
    }

    /// `bits` wide as it is stored.
    pub fn integer(self, value: i64, bits: u32) -> Cell {
        match self {
            Meaning::Unsigned => Ok((value as u64 & (u64::MAX >> (64 - bits))).to_string()),
            Meaning::Date => Ok(format!("\"{}\"", &instant(i128::from(value) * i128::from(DAY_SECONDS), 0)?[..10])),
            Meaning::Decimal { scale } => Ok(decimal(i128::from(value), scale)),
            Meaning::Time { per_second } => time(value, per_second),
            Meaning::Instant { per_second } => {
                let nanos = value.rem_euclid(per_second) * (NANOS / per_second);
                Ok(format!("\"{}\"", instant(i128::from(value.div_euclid(per_second)), nanos)?))
            }
            _ => Ok(value.to_string()),
        }
    }

    /// An instant of 96 bits, as older programs write it: nanoseconds of a Julian day.
    pub fn julian(self, words: &[u32]) -> Cell {
        let [low, high, day] = words else { return Err("no instant of 96 bits") };
        let nanos = (i64::from(*high) << 32) | i64::from(*low);
        let seconds = (i64::from(*day) - JULIAN_EPOCH) * DAY_SECONDS + nanos.div_euclid(NANOS);
        Ok(format!("\"{}\"", instant(i128::from(seconds), nanos.rem_euclid(NANOS))?))
    }

    /// `written` is the shortest text that gives the value again.
    pub fn float(self, value: f64, written: String) -> Cell {
        match value {
            _ if value.is_nan() => Ok("null".to_owned()),
            _ if value.is_infinite() => Err("an infinite number"),
            _ => Ok(written),
        }
    }

    pub fn bytes(self, bytes: &[u8]) -> Cell {
        match self {
            Meaning::Decimal { scale } => Ok(decimal(whole(bytes).ok_or("a decimal of more than 38 digits")?, scale)),
            Meaning::Uuid => Ok(uuid(bytes)),
            Meaning::Json => {
                let text = std::str::from_utf8(bytes).map_err(|_| "no UTF-8")?;
                serde_json::from_str::<&RawValue>(text).map(|json| json.get().to_owned()).map_err(|_| "no JSON")
            }
            Meaning::Text => std::str::from_utf8(bytes).map(text).map_err(|_| "no UTF-8"),
            _ => Ok(std::str::from_utf8(bytes).map_or_else(|_| text(&BASE64_STANDARD.encode(bytes)), text)),
        }
    }
}

/// Whether values that are stored so can mean that; a file may say anything.
fn fits(meaning: Meaning, physical: Physical) -> bool {
    let bytes = matches!(physical, Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY);
    let integer = matches!(physical, Physical::INT32 | Physical::INT64);
    match meaning {
        Meaning::Plain => true,
        Meaning::Text | Meaning::Json | Meaning::Uuid => bytes,
        Meaning::Decimal { .. } => bytes || integer,
        Meaning::Unsigned | Meaning::Date | Meaning::Time { .. } | Meaning::Instant { .. } => integer,
    }
}

fn per_second(unit: &TimeUnit) -> i64 {
    match unit {
        TimeUnit::MILLIS => 1000,
        TimeUnit::MICROS => 1_000_000,
        TimeUnit::NANOS => NANOS,
    }
}

fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_text(&mut out, text);
    out
}

/// RFC 3339 with as many digits as are needed, in threes.
fn instant(seconds: i128, nanos: i64) -> Cell {
    let seconds = i64::try_from(seconds).map_err(|_| BEYOND)?;
    if !DAYS.contains(&seconds.div_euclid(DAY_SECONDS)) {
        return Err(BEYOND);
    }
    let mut out = Timestamp(seconds * 1000).to_string();
    out.pop();
    out.push_str(&fraction(nanos));
    out.push('Z');
    Ok(out)
}

fn time(value: i64, per_second: i64) -> Cell {
    let seconds = value.div_euclid(per_second);
    if !(0..DAY_SECONDS).contains(&seconds) {
        return Err("a time beyond a day");
    }
    let nanos = fraction(value.rem_euclid(per_second) * (NANOS / per_second));
    Ok(format!("\"{:02}:{:02}:{:02}{nanos}\"", seconds / 3600, seconds / 60 % 60, seconds % 60))
}

fn fraction(nanos: i64) -> String {
    match nanos {
        0 => String::new(),
        _ if nanos % 1_000_000 == 0 => format!(".{:03}", nanos / 1_000_000),
        _ if nanos % 1000 == 0 => format!(".{:06}", nanos / 1000),
        _ => format!(".{nanos:09}"),
    }
}

/// A big-endian number in two's complement; `None` beyond 128 bits.
fn whole(bytes: &[u8]) -> Option<i128> {
    let sign = if bytes.first().is_some_and(|first| first & 0x80 != 0) { 0xff } else { 0 };
    let (above, low) = bytes.split_at(bytes.len().saturating_sub(16));
    let mut all = [sign; 16];
    all[16 - low.len()..].copy_from_slice(low);
    let number = i128::from_be_bytes(all);
    (above.iter().all(|byte| *byte == sign) && (number < 0) == (sign != 0)).then_some(number)
}

fn decimal(unscaled: i128, scale: usize) -> String {
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let point = if scale > 0 { "." } else { "" };
    format!("{}{whole}{point}{fraction}", if unscaled < 0 { "-" } else { "" })
}

fn uuid(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push_str(&format!("{byte:02x}"));
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_every_digit() {
        for (unscaled, scale, text) in [
            (1234, 2, "12.34"),
            (-5, 2, "-0.05"),
            (0, 3, "0.000"),
            (7, 0, "7"),
            (i128::from(i64::MIN), 0, "-9223372036854775808"),
            (99_999_999_999_999_999_999_999_999_999_999_999_999, 10, "9999999999999999999999999999.9999999999"),
        ] {
            assert_eq!(decimal(unscaled, scale), text);
            for bytes in [&unscaled.to_be_bytes()[..], &[&[if unscaled < 0 { 0xff } else { 0 }; 4][..], &unscaled.to_be_bytes()].concat()] {
                assert_eq!(Meaning::Decimal { scale }.bytes(bytes), Ok(text.to_owned()));
            }
        }
        assert_eq!(whole(&[0xff]), Some(-1));
        assert_eq!(whole(&[]), Some(0));
        assert_eq!(whole(&[1; 17]), None, "more than 128 bits");
        assert_eq!(whole(&[&[0][..], &[0x80; 16]].concat()), None, "the sign would turn");
    }

    #[test]
    fn times_are_written_as_rfc_3339() {
        let [milli, nano] = [1000, NANOS].map(|per_second| Meaning::Instant { per_second });
        for (meaning, value, cell) in [
            (milli, 0, Ok("1970-01-01T00:00:00Z")),
            (milli, -1, Ok("1969-12-31T23:59:59.999Z")),
            (nano, 1_772_359_200_123_456_789, Ok("2026-03-01T10:00:00.123456789Z")),
            (nano, 1_772_359_200_123_456_000, Ok("2026-03-01T10:00:00.123456Z")),
            (milli, 253_402_300_799_999, Ok("9999-12-31T23:59:59.999Z")),
            (milli, 253_402_300_800_000, Err(BEYOND)),
            (milli, -62_167_219_200_000, Ok("0000-01-01T00:00:00Z")),
            (milli, -62_167_219_200_001, Err(BEYOND)),
            (milli, i64::MIN, Err(BEYOND)),
            (Meaning::Date, 20_513, Ok("2026-03-01")),
            (Meaning::Date, -1, Ok("1969-12-31")),
            (Meaning::Date, i64::from(i32::MAX), Err(BEYOND)),
            (Meaning::Time { per_second: 1000 }, 36_000_500, Ok("10:00:00.500")),
            (Meaning::Time { per_second: 1000 }, 86_400_000, Err("a time beyond a day")),
            (Meaning::Time { per_second: 1000 }, -1, Err("a time beyond a day")),
        ] {
            assert_eq!(meaning.integer(value, 64), cell.map(|text| format!("\"{text}\"")), "{meaning:?} {value}");
        }
        let noon = 12 * 3600 * NANOS;
        let words = [noon as u32, (noon >> 32) as u32, 2_440_589];
        assert_eq!(Meaning::Plain.julian(&words), Ok("\"1970-01-02T12:00:00Z\"".to_owned()));
    }

    #[test]
    fn what_has_no_json_is_told() {
        for (meaning, bytes, cell) in [
            (Meaning::Text, &b"a\"b"[..], Ok(r#""a\"b""#)),
            (Meaning::Text, b"\xff", Err("no UTF-8")),
            (Meaning::Plain, b"\xff\xfe", Ok(r#""//4=""#)),
            (Meaning::Plain, b"text", Ok(r#""text""#)),
            (Meaning::Json, b" {\"a\": 1.50} ", Ok("{\"a\": 1.50}")),
            (Meaning::Json, b"{", Err("no JSON")),
            (Meaning::Uuid, &[0x12; 16], Ok("\"12121212-1212-1212-1212-121212121212\"")),
        ] {
            assert_eq!(meaning.bytes(bytes), cell.map(str::to_owned), "{meaning:?} {bytes:?}");
        }
        assert_eq!(Meaning::Unsigned.integer(-1, 32), Ok("4294967295".to_owned()));
        assert_eq!(Meaning::Unsigned.integer(-1, 64), Ok("18446744073709551615".to_owned()));
        assert_eq!(Meaning::Plain.integer(-1, 32), Ok("-1".to_owned()));
        assert_eq!(Meaning::Plain.float(f64::NAN, String::new()), Ok("null".to_owned()));
        assert_eq!(Meaning::Plain.float(f64::INFINITY, String::new()), Err("an infinite number"));
    }
}
