//! How numbers, amounts and days are written in English, German and Portuguese.
//!
//! Small on purpose: the three languages of the examples, each with what differs in a country of theirs.
//! Any other language gets ISO forms, which nobody reads wrongly. Source: Unicode CLDR 48.

use faden_model::Decimal;
use jiff::civil::DateTime;
use rust_decimal::RoundingStrategy;

/// A no-break space, so that an amount and its currency stay on one line.
const NBSP: char = '\u{a0}';

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    English,
    German,
    Portuguese,
    Other,
}

/// A language and, where it matters, its country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locale {
    language: Language,
    /// Upper case; `None` when the tag names none.
    american: bool,
    austrian: bool,
}

impl Locale {
    /// Of a tag such as `de` or `de-AT`.
    pub fn of(tag: &str) -> Locale {
        let (main, region) = tag.split_once('-').unwrap_or((tag, ""));
        let language = match main {
            "en" => Language::English,
            "de" => Language::German,
            "pt" => Language::Portuguese,
            _ => Language::Other,
        };
        Locale { language, american: region.eq_ignore_ascii_case("us"), austrian: region.eq_ignore_ascii_case("at") }
    }
}

const ENGLISH_MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const GERMAN_MONTHS: [&str; 12] =
    ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"];
const PORTUGUESE_MONTHS: [&str; 12] =
    ["janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"];
const ENGLISH_DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const GERMAN_DAYS: [&str; 7] = ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"];
const PORTUGUESE_DAYS: [&str; 7] = ["segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo"];

/// `long`, `short`, `weekday`, `time`, `datetime`, or a pattern with `%`; `None` for any other style.
pub fn date(locale: &Locale, at: DateTime, style: &str) -> Option<String> {
    Some(match style {
        "long" => long(locale, at),
        "short" => short(locale, at),
        "weekday" => weekday(locale, at),
        "time" => time(locale, at),
        "datetime" => format!("{}, {}", long(locale, at), time(locale, at)),
        // Only what is the same in every language: numbers.
        pattern if numeric(pattern) => jiff::fmt::strtime::format(pattern, at).ok()?,
        _ => return None,
    })
}

/// A pattern of digits only: day, month, year, hour, minute, second, week, day of the year.
fn numeric(pattern: &str) -> bool {
    let mut tags = pattern.split('%').skip(1).peekable();
    tags.peek().is_some() && tags.all(|tag| tag.starts_with(|first: char| "demyYHMSVj".contains(first)))
}

fn names(locale: &Locale, at: DateTime) -> Option<(&'static str, &'static str)> {
    let (months, days) = match locale.language {
        Language::English => (&ENGLISH_MONTHS, &ENGLISH_DAYS),
        Language::German => (&GERMAN_MONTHS, &GERMAN_DAYS),
        Language::Portuguese => (&PORTUGUESE_MONTHS, &PORTUGUESE_DAYS),
        Language::Other => return None,
    };
    let month = usize::try_from(at.month() - 1).ok()?;
    let day = usize::try_from(at.weekday().to_monday_zero_offset()).ok()?;
    let month = if locale.austrian && month == 0 { "Jänner" } else { months.get(month)? };
    Some((month, days.get(day)?))
}

fn long(locale: &Locale, at: DateTime) -> String {
    let (day, year) = (at.day(), at.year());
    match (locale.language, names(locale, at)) {
        (Language::English, Some((month, _))) if locale.american => format!("{month} {day}, {year}"),
        (Language::English, Some((month, _))) => format!("{day} {month} {year}"),
        (Language::German, Some((month, _))) => format!("{day}. {month} {year}"),
        (Language::Portuguese, Some((month, _))) => format!("{day} de {month} de {year}"),
        _ => at.date().to_string(),
    }
}

fn short(locale: &Locale, at: DateTime) -> String {
    let (day, month, year) = (at.day(), at.month(), at.year());
    match locale.language {
        Language::English if locale.american => format!("{month}/{day}/{year}"),
        Language::English | Language::Portuguese => format!("{day:02}/{month:02}/{year}"),
        Language::German => format!("{day:02}.{month:02}.{year}"),
        Language::Other => at.date().to_string(),
    }
}

fn weekday(locale: &Locale, at: DateTime) -> String {
    match (locale.language, names(locale, at)) {
        (Language::English, Some((_, name))) if !locale.american => format!("{name} {}", long(locale, at)),
        (_, Some((_, name))) => format!("{name}, {}", long(locale, at)),
        (_, None) => long(locale, at),
    }
}

fn time(locale: &Locale, at: DateTime) -> String {
    let (hour, minute) = (at.hour(), at.minute());
    if !locale.american {
        return format!("{hour:02}:{minute:02}");
    }
    let half = if hour < 12 { "AM" } else { "PM" };
    format!("{}:{minute:02}{NBSP}{half}", (hour + 11) % 12 + 1)
}

/// With the language's marks; with `decimals` rounded half away from zero, else all that were written.
pub fn number(locale: &Locale, number: Decimal, decimals: Option<u32>) -> String {
    let shown = match decimals {
        Some(decimals) => {
            format!("{:.*}", decimals as usize, number.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero))
        }
        None => number.normalize().to_string(),
    };
    let (group, point) = match locale.language {
        Language::English => (",", "."),
        Language::German | Language::Portuguese => (".", ","),
        Language::Other => ("", "."),
    };
    let (sign, shown) = shown.strip_prefix('-').map_or(("", shown.as_str()), |rest| ("-", rest));
    let (whole, fraction) = shown.split_once('.').unwrap_or((shown, ""));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push_str(group);
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push_str(point);
        out.push_str(fraction);
    }
    out
}

/// An amount with its currency's symbol where the language puts it; `None` when the code is not three letters.
pub fn money(locale: &Locale, amount: Decimal, currency: &str) -> Option<String> {
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let code = currency.to_ascii_uppercase();
    let (symbol, decimals) = match code.as_str() {
        "EUR" => ("€", 2),
        "BRL" => ("R$", 2),
        "GBP" => ("£", 2),
        "USD" => (if locale.language == Language::Portuguese { "US$" } else { "$" }, 2),
        "JPY" => ("¥", 0),
        other => (other, 2),
    };
    let (sign, shown) =
        (if amount.is_sign_negative() && !amount.is_zero() { "-" } else { "" }, number(locale, amount.abs(), Some(decimals)));
    Some(match locale.language {
        Language::German if !locale.austrian => format!("{sign}{shown}{NBSP}{symbol}"),
        Language::English if symbol != code => format!("{sign}{symbol}{shown}"),
        Language::Other => format!("{sign}{shown}{NBSP}{code}"),
        _ => format!("{sign}{symbol}{NBSP}{shown}"),
    })
}
