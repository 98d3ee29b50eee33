//! Instants and spans: milliseconds on one line, written as RFC 3339 in UTC.
//!
//! A day is 24 hours here; local days belong to `engine::calendar`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};

/// An instant: milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored (as POSIX does).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

/// A length of time in milliseconds; never negative when parsed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span(pub i64);

/// Why a text is not a time or a length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    #[error("`{0}` is not an instant; write RFC 3339 such as 2026-03-01T10:00:00Z")]
    NotAnInstant(String),
    #[error("`{0}` is not a duration; write a whole number and a unit, such as 30s, 10m, 24h, 7d or 2w")]
    NotASpan(String),
}

impl Timestamp {
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// Parses RFC 3339 with any offset; digits below the millisecond are cut off.
    ///
    /// # Errors
    /// [`TimeError::NotAnInstant`] when the text is not a full date and time with an offset.
    pub fn parse(text: &str) -> Result<Timestamp, TimeError> {
        if let Some(at) = parse_utc(text.as_bytes()) {
            return Ok(at);
        }
        text.parse::<jiff::Timestamp>().map(|at| Timestamp(at.as_millisecond())).map_err(|_| TimeError::NotAnInstant(text.to_owned()))
    }

    /// The instant as jiff knows it; saturates at jiff's range (years -9999 to 9999).
    pub fn to_jiff(self) -> jiff::Timestamp {
        let (low, high) = (jiff::Timestamp::MIN.as_millisecond(), jiff::Timestamp::MAX.as_millisecond());
        jiff::Timestamp::from_millisecond(self.0.clamp(low, high)).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// `self + span`, kept inside the representable range.
    pub fn saturating_add(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_add(span.0))
    }
}

/// The common shape `YYYY-MM-DDTHH:MM:SS[.fff...]Z`, read without a calendar library (about 10 ns).
fn parse_utc(text: &[u8]) -> Option<Timestamp> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let mut digits_only = true;
    let mut two = |at: usize| {
        let (tens, ones) = (head[at].wrapping_sub(b'0'), head[at + 1].wrapping_sub(b'0'));
        digits_only &= tens < 10 && ones < 10;
        i64::from(tens) * 10 + i64::from(ones)
    };
    let (year, month, day) = (two(0) * 100 + two(2), two(5), two(8));
    let (hour, minute, second) = (two(11), two(14), two(17));
    let marks = [head[4], head[7], head[10] | 0x20, head[13], head[16]];
    if !digits_only || marks != *b"--t::" {
        return None;
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = [31, 28 + i64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days = *month_days.get(usize::try_from(month - 1).ok()?)?;
    if day < 1 || day > days || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let milli = match rest {
        [b'Z' | b'z'] => 0,
        [b'.', digits @ .., b'Z' | b'z'] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
            (0..3).fold(0, |sum, place| sum * 10 + digits.get(place).map_or(0, |digit| i64::from(digit - b'0')))
        }
        _ => return None,
    };
    Some(Timestamp(((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + milli))
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Inverse of [`days_from_civil`]; same source, `civil_from_days`.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

impl fmt::Display for Timestamp {
    /// `2026-03-01T10:00:00Z`, with three digits of milliseconds only when they are not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_to(f)
    }
}

impl Timestamp {
    /// As `Display` does it, without the formatter's detours: outputs are full of instants.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_to(self, out: &mut impl fmt::Write) -> fmt::Result {
        let (seconds, milli) = (self.0.div_euclid(1000), self.0.rem_euclid(1000));
        let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
        let second = seconds.rem_euclid(86_400);
        if !(0..10_000).contains(&year) {
            write!(out, "{year}-{month:02}-{day:02}T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)?;
            return if milli == 0 { out.write_str("Z") } else { write!(out, ".{milli:03}Z") };
        }
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let numbers = [(0, 4, year), (5, 2, month), (8, 2, day), (11, 2, second / 3600), (14, 2, second / 60 % 60), (17, 2, second % 60)];
        for (first, width, number) in numbers {
            digits(&mut text[first..first + width], number);
        }
        let length = if milli == 0 { 20 } else { text.len() };
        digits(&mut text[20..23], milli);
        text[length - 1] = b'Z';
        out.write_str(std::str::from_utf8(&text[..length]).unwrap_or_default())
    }
}

/// Writes `number`, which has at most as many digits, with leading zeros.
#[inline]
fn digits(text: &mut [u8], mut number: i64) {
    for place in text.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl Span {
    pub const SECOND: Span = Span(1000);
    pub const MINUTE: Span = Span(60_000);
    pub const HOUR: Span = Span(3_600_000);
    pub const DAY: Span = Span(86_400_000);

    /// Parses `30s 10m 1h 24h 7d 2w`; several parts may follow each other (`1h30m`), and `500ms` works.
    ///
    /// # Errors
    /// [`TimeError::NotASpan`] when the text is anything else, or longer than 1,000 years.
    pub fn parse(text: &str) -> Result<Span, TimeError> {
        let error = || TimeError::NotASpan(text.to_owned());
        let mut rest = text.trim();
        let mut total: i64 = 0;
        if rest.is_empty() {
            return Err(error());
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number: i64 = rest[..digits].parse().map_err(|_| error())?;
            rest = &rest[digits..];
            let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            let unit = match &rest[..letters] {
                "ms" => 1,
                "s" => 1000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                "w" => 604_800_000,
                _ => return Err(error()),
            };
            rest = &rest[letters..];
            total = number.checked_mul(unit).and_then(|part| total.checked_add(part)).ok_or_else(error)?;
        }
        if total > 1000 * 366 * Span::DAY.0 {
            return Err(error());
        }
        Ok(Span(total))
    }
}

impl fmt::Display for Span {
    /// The largest units that write it exactly: `90m` is `1h30m`, 14 days are `14d`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")] {
            if rest >= unit {
                write!(f, "{}{name}", rest / unit)?;
                rest %= unit;
            }
        }
        Ok(())
    }
}

impl Add<Span> for Timestamp {
    type Output = Timestamp;
    fn add(self, span: Span) -> Timestamp {
        self.saturating_add(span)
    }
}

impl Sub<Span> for Timestamp {
    type Output = Timestamp;
    fn sub(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_sub(span.0))
    }
}

impl Sub for Timestamp {
    type Output = Span;
    fn sub(self, earlier: Timestamp) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn instants_are_read_and_written_in_one_form() {
        for (text, written) in [
            ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"),
            ("2026-03-01T10:00:00.250Z", "2026-03-01T10:00:00.250Z"),
            ("2026-03-01T10:00:00.1239Z", "2026-03-01T10:00:00.123Z"),
            ("2026-03-01T10:00:00+01:00", "2026-03-01T09:00:00Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(Timestamp::parse(text).map(|at| at.to_string()), Ok(written.to_owned()), "{text}");
        }
        for bad in
            ["", "2026-03-01", "2023-02-29T00:00:00Z", "2026-03-01T24:00:01Z", "2026-03-01 10:00", "2026-03-01T10:00:00.Z", "yesterday"]
        {
            assert!(Timestamp::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn spans_are_read_and_written_in_one_form() {
        for (text, written) in
            [("30s", "30s"), ("90m", "1h30m"), ("24h", "1d"), ("2w", "14d"), ("1h30m", "1h30m"), ("500ms", "500ms"), ("0s", "0s")]
        {
            assert_eq!(Span::parse(text).map(|span| span.to_string()), Ok(written.to_owned()), "{text}");
        }
        for bad in ["", "5", "d", "5 d", "-1d", "1y", "1.5h", "99999999999w"] {
            assert!(Span::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_agrees_with_the_calendar_library(milli in -60_000_000_000_000i64..200_000_000_000_000) {
            let text = Timestamp(milli).to_string();
            let slow: jiff::Timestamp = text.parse().expect("we write RFC 3339");
            prop_assert_eq!(slow.as_millisecond(), milli);
            prop_assert_eq!(Timestamp::parse(&text), Ok(Timestamp(milli)));
        }
    }
}
