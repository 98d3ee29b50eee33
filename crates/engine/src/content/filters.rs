//! Filters beyond the usual ones: `date`, `number`, `money`; `default` also for null; HTML with readable links.
//!
//! Language and time zone are those of the message (the variables `language` and `time_zone`), never the
//! machine's. Numbers are decimals as written; nothing is rounded that was not asked for.

use super::locale::{self, Locale};
use crate::calendar;
use faden_model::{Decimal, Timestamp};
use minijinja::value::Rest;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, Value};
use std::str::FromStr;

/// The filters that a template may use; the check of a workspace refuses any other.
pub(crate) const FILTERS: [&str; 49] = [
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "count",
    "d",
    "date",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "money",
    "number",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "urlencode",
];

/// What our filters say when they cannot use what they got; none of it cites a value.
pub(super) const WANTS: [&str; 4] = [
    "`date` takes an instant such as `now`, or a day, as RFC 3339 writes them",
    "`date` knows long, short, weekday, time, datetime and patterns of numbers such as \"%d.%m.\"",
    "`number` and `money` take a number",
    "`money` takes three letters of ISO 4217, such as \"EUR\"",
];

/// Most decimals that `number` prints.
const DECIMALS_MAX: u32 = 12;

pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_filter("date", date);
    environment.add_filter("number", number);
    environment.add_filter("money", money);
    environment.set_formatter(print);
}

/// As Jinja's, for null too: a trait that was taken back is as good as missing.
fn default(value: Value, arguments: Rest<Value>) -> Result<Value, Error> {
    let other = arguments.first().cloned().unwrap_or_else(|| Value::from(""));
    let also_empty = arguments.get(1).is_some_and(Value::is_true);
    let missing = value.is_undefined() || value.is_none() || (also_empty && !value.is_true());
    Ok(if missing { other } else { value })
}

/// `2. März 2026`; `short`, `weekday`, `time`, `datetime`, or a pattern such as `%d.%m.`.
fn date(state: &State<'_, '_>, value: Value, style: Option<String>) -> Result<String, Error> {
    let text = value.as_str().ok_or_else(|| unusable(&value, WANTS[0]))?;
    let zone = state.lookup("time_zone").and_then(|name| calendar::zone(name.as_str()?));
    let local = match (Timestamp::parse(text), jiff::civil::Date::from_str(text)) {
        (Ok(instant), _) => match zone {
            Some(zone) => zone.datetime(instant),
            None => instant.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).datetime(),
        },
        // A day without a time of day is that day everywhere.
        (_, Ok(day)) => day.at(0, 0, 0, 0),
        _ => return Err(unusable(&value, WANTS[0])),
    };
    let written = locale::date(&locale_of(state), local, style.as_deref().unwrap_or("long"));
    written.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, WANTS[1]))
}

/// `1.234,5`; with a number of decimals, rounded to it.
fn number(state: &State<'_, '_>, value: Value, decimals: Option<u32>) -> Result<String, Error> {
    let number = decimal(&value)?;
    Ok(locale::number(&locale_of(state), number, decimals.map(|decimals| decimals.min(DECIMALS_MAX))))
}

/// `12,50 €` for `money("EUR")`.
fn money(state: &State<'_, '_>, value: Value, currency: String) -> Result<String, Error> {
    let amount = decimal(&value)?;
    locale::money(&locale_of(state), amount, &currency).ok_or_else(|| Error::new(ErrorKind::InvalidOperation, WANTS[3]))
}

fn locale_of(state: &State<'_, '_>) -> Locale {
    let language = state.lookup("language");
    Locale::of(language.as_ref().and_then(Value::as_str).unwrap_or(""))
}

fn decimal(value: &Value) -> Result<Decimal, Error> {
    let numeric = value.is_number() || value.as_str().is_some();
    let number =
        numeric.then(|| value.to_string()).and_then(|text| Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)).ok());
    number.ok_or_else(|| unusable(value, WANTS[2]))
}

/// Says what is missing when something is, else what the filter wants.
fn unusable(value: &Value, wants: &'static str) -> Error {
    let kind = if value.is_undefined() { ErrorKind::UndefinedError } else { ErrorKind::InvalidOperation };
    Error::new(kind, wants)
}

/// Prints a value; null is as undefined as what is missing. Escapes for HTML without touching `/`, which
/// would only make addresses unreadable.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_undefined() || value.is_none() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    if !matches!(state.auto_escape(), AutoEscape::Html) || value.is_safe() || value.is_number() {
        return minijinja::escape_formatter(out, state, value);
    }
    let text = value.to_string();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (plain, special) = rest.split_at(at);
        let escaped = match special.as_bytes().first() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'"') => "&quot;",
            _ => "&#39;",
        };
        write(out, plain)?;
        write(out, escaped)?;
        rest = &special[1..];
    }
    write(out, rest)
}

fn write(out: &mut Output<'_>, text: &str) -> Result<(), Error> {
    out.write_str(text).map_err(|_| Error::from(ErrorKind::WriteFailure))
}
