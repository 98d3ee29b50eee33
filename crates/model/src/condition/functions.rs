//! The functions of the language: a table of what each takes and gives, and what each does.

use super::Type;
use super::code::Code;
use super::evaluate::{Frame, unsigned_zero, value};
use crate::{Decimal, Span, Text, Timestamp, Value};
use rust_decimal::prelude::ToPrimitive;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Matches,
    LowerAscii,
    UpperAscii,
    Duration,
    Timestamp,
    Int,
    Double,
    String,
    Bool,
    Part(Part),
}

/// What is taken out of an instant (in a time zone) or out of a length of time (as a total).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    FullYear,
    /// January is 0, as CEL has it.
    Month,
    /// The first is 0, as CEL has it.
    DayOfMonth,
    /// The first is 1.
    Date,
    /// 1 January is 0.
    DayOfYear,
    /// Sunday is 0.
    DayOfWeek,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// Where a part of an instant is looked at.
#[derive(Clone, Debug)]
pub(super) enum Zone {
    Utc,
    Named(Box<jiff::tz::TimeZone>),
    Computed(Box<Code>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `size(x)`
    Global,
    /// `x.contains(y)`
    Method,
    Both,
}

const BOOL: u8 = 1;
const NUMBER: u8 = 2;
const TEXT: u8 = 4;
const TIME: u8 = 8;
const SPAN: u8 = 16;
const LIST: u8 = 32;
const MAP: u8 = 64;

/// The first of `takes` is the receiver when it is called as a method.
pub(super) struct Signature {
    pub name: &'static str,
    pub function: Function,
    pub form: Form,
    takes: &'static [u8],
    pub optional: usize,
    pub gives: Type,
}

const fn signature(name: &'static str, function: Function, form: Form, takes: &'static [u8], gives: Type) -> Signature {
    Signature { name, function, form, takes, optional: 0, gives }
}

/// Parts of an instant take a time zone, and those of the clock also a length of time.
const fn part_of(name: &'static str, part: Part, takes: &'static [u8]) -> Signature {
    Signature { name, function: Function::Part(part), form: Form::Method, takes, optional: 1, gives: Type::Number }
}

const DATE: &[u8] = &[TIME | TEXT, TEXT];
const CLOCK: &[u8] = &[TIME | TEXT | SPAN, TEXT];

pub(super) static SIGNATURES: [Signature; 23] = [
    signature("size", Function::Size, Form::Both, &[TEXT | LIST | MAP], Type::Number),
    signature("contains", Function::Contains, Form::Method, &[TEXT, TEXT], Type::Bool),
    signature("startsWith", Function::StartsWith, Form::Method, &[TEXT, TEXT], Type::Bool),
    signature("endsWith", Function::EndsWith, Form::Method, &[TEXT, TEXT], Type::Bool),
    signature("matches", Function::Matches, Form::Both, &[TEXT, TEXT], Type::Bool),
    signature("lowerAscii", Function::LowerAscii, Form::Method, &[TEXT], Type::Text),
    signature("upperAscii", Function::UpperAscii, Form::Method, &[TEXT], Type::Text),
    signature("duration", Function::Duration, Form::Global, &[TEXT | SPAN], Type::Span),
    signature("timestamp", Function::Timestamp, Form::Global, &[TEXT | TIME], Type::Time),
    signature("int", Function::Int, Form::Global, &[NUMBER | TEXT | TIME], Type::Number),
    signature("double", Function::Double, Form::Global, &[NUMBER | TEXT], Type::Number),
    signature("string", Function::String, Form::Global, &[BOOL | NUMBER | TEXT | TIME | SPAN], Type::Text),
    signature("bool", Function::Bool, Form::Global, &[BOOL | TEXT], Type::Bool),
    part_of("getFullYear", Part::FullYear, DATE),
    part_of("getMonth", Part::Month, DATE),
    part_of("getDayOfMonth", Part::DayOfMonth, DATE),
    part_of("getDate", Part::Date, DATE),
    part_of("getDayOfYear", Part::DayOfYear, DATE),
    part_of("getDayOfWeek", Part::DayOfWeek, DATE),
    part_of("getHours", Part::Hours, CLOCK),
    part_of("getMinutes", Part::Minutes, CLOCK),
    part_of("getSeconds", Part::Seconds, CLOCK),
    part_of("getMilliseconds", Part::Milliseconds, CLOCK),
];

impl Signature {
    /// Fewest and most arguments, the receiver counted.
    pub fn arguments(&self) -> (usize, usize) {
        (self.takes.len() - self.optional, self.takes.len())
    }

    pub fn accepts(&self, position: usize, given: &Type) -> bool {
        let kind = match given {
            Type::Any => return true,
            Type::Bool => BOOL,
            Type::Number => NUMBER,
            Type::Text => TEXT,
            Type::Time => TIME,
            Type::Span => SPAN,
            Type::List(_) => LIST,
            Type::Map => MAP,
        };
        self.takes.get(position).is_some_and(|kinds| kinds & kind != 0)
    }

    /// `a text, a list or a map`
    pub fn wanted(&self, position: usize) -> String {
        let names = [
            (BOOL, "true or false"),
            (NUMBER, "a number"),
            (TEXT, "a text"),
            (TIME, "an instant"),
            (SPAN, "a length of time"),
            (LIST, "a list"),
            (MAP, "a map"),
        ];
        let kinds = self.takes.get(position).copied().unwrap_or(0);
        let wanted: Vec<&str> = names.iter().filter(|(kind, _)| kinds & kind != 0).map(|(_, name)| *name).collect();
        match wanted.split_last() {
            Some((last, before)) if !before.is_empty() => format!("{} or {last}", before.join(", ")),
            Some((only, _)) => (*only).to_owned(),
            None => "nothing".to_owned(),
        }
    }

    /// How a call is written, for messages.
    pub fn usage(&self) -> String {
        let argument = |position: usize| match self.takes.get(position) {
            Some(&TEXT) => "\"...\"",
            _ => "x",
        };
        let rest = |from: usize| (from..self.takes.len() - self.optional).map(argument).collect::<Vec<_>>().join(", ");
        match self.form {
            Form::Global => format!("{}({})", self.name, rest(0)),
            Form::Method | Form::Both => format!("x.{}({})", self.name, rest(1)),
        }
    }
}

/// `None` is null: an argument of another kind, or a text that cannot be read.
pub(super) fn call(function: Function, arguments: &[Code], frame: Frame<'_>) -> Option<Value> {
    let first = value(arguments.first()?, frame);
    let texts = |check: fn(&str, &str) -> bool| {
        let second = value(arguments.get(1)?, frame);
        Some(Value::Bool(check(first.as_text()?, second.as_text()?)))
    };
    match function {
        Function::Size => size(&first),
        Function::Contains => texts(|text, part| text.contains(part)),
        Function::StartsWith => texts(|text, part| text.starts_with(part)),
        Function::EndsWith => texts(|text, part| text.ends_with(part)),
        Function::LowerAscii => Some(Value::from(first.as_text()?.to_ascii_lowercase().as_str())),
        Function::UpperAscii => Some(Value::from(first.as_text()?.to_ascii_uppercase().as_str())),
        Function::Duration => match &*first {
            Value::Text(text) => parse_span(text).map(Value::Span),
            Value::Span(span) => Some(Value::Span(*span)),
            _ => None,
        },
        Function::Timestamp => match &*first {
            Value::Text(text) => Timestamp::parse(text).ok().map(Value::Time),
            Value::Time(at) => Some(Value::Time(*at)),
            _ => None,
        },
        Function::Int => match &*first {
            Value::Number(number) => Some(unsigned_zero(number.trunc())),
            Value::Text(text) => crate::json::number(text).filter(Decimal::is_integer).map(Value::Number),
            Value::Time(at) => Some(Value::from(at.0.div_euclid(1000))),
            _ => None,
        },
        Function::Double => match &*first {
            Value::Number(number) => Some(Value::Number(*number)),
            Value::Text(text) => crate::json::number(text).map(Value::Number),
            _ => None,
        },
        Function::String => string(&first),
        Function::Bool => match &*first {
            Value::Bool(flag) => Some(Value::Bool(*flag)),
            Value::Text(text) => match text.as_str() {
                "true" | "True" | "TRUE" | "t" | "1" => Some(Value::Bool(true)),
                "false" | "False" | "FALSE" | "f" | "0" => Some(Value::Bool(false)),
                _ => None,
            },
            _ => None,
        },
        // These two have operations of their own.
        Function::Matches | Function::Part(_) => None,
    }
}

/// A text counts in characters, as CEL has it.
fn size(of: &Value) -> Option<Value> {
    let count = match of {
        Value::Text(text) => text.chars().count(),
        Value::List(items) => items.len(),
        Value::Map(fields) => fields.len(),
        _ => return None,
    };
    Some(Value::Number(Decimal::from(count)))
}

fn string(of: &Value) -> Option<Value> {
    match of {
        Value::Text(text) => Some(Value::Text(text.clone())),
        Value::Bool(flag) => Some(Value::from(if *flag { "true" } else { "false" })),
        Value::Number(number) => Some(Value::from(number.to_string().as_str())),
        Value::Time(at) => Some(Value::from(at.to_string().as_str())),
        Value::Span(span) => Some(Value::from(span.to_string().as_str())),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

/// What [`Span::parse`] reads, and of CEL's own form a minus in front and parts of units (`1.5h`).
pub(super) fn parse_span(text: &str) -> Option<Span> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('-') {
        return if rest.starts_with('-') { None } else { parse_span(rest).map(|span| Span(-span.0)) };
    }
    if let Ok(span) = Span::parse(text) {
        return Some(span);
    }
    let mut rest = text;
    let mut total = Decimal::ZERO;
    while !rest.is_empty() {
        let letters_at = rest.find(|letter: char| letter.is_ascii_alphabetic())?;
        let (number, tail) = rest.split_at(letters_at);
        let next_at = tail.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(next_at);
        let unit = Span::parse(&format!("1{unit}")).ok()?;
        if !number.starts_with(|letter: char| letter.is_ascii_digit()) {
            return None;
        }
        let part = Decimal::from_str_exact(number).ok()?.checked_mul(Decimal::from(unit.0))?;
        total = total.checked_add(part)?;
        rest = tail;
    }
    // The same bound as `Span::parse` has.
    total.trunc().to_i64().filter(|milli| *milli <= 1000 * 366 * Span::DAY.0 && !text.is_empty()).map(Span)
}

/// A name of the IANA database or an offset such as `+02:00`.
pub(super) fn parse_zone(name: &str) -> Option<jiff::tz::TimeZone> {
    let offset = name.strip_prefix('-').or_else(|| name.strip_prefix('+')).unwrap_or(name);
    if let Some((hours, minutes)) = offset.split_once(':') {
        if hours.len() != 2 || minutes.len() != 2 {
            return None;
        }
        let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok().filter(|minutes| *minutes < 60)?);
        let seconds = (i32::from(hours) * 60 + i32::from(minutes)) * 60;
        let signed = if name.starts_with('-') { -seconds } else { seconds };
        return jiff::tz::Offset::from_seconds(signed).ok().map(jiff::tz::TimeZone::fixed);
    }
    jiff::tz::TimeZone::get(name).ok()
}

pub(super) fn part(part: Part, of: &Value, zone: &Zone, frame: Frame<'_>) -> Option<Value> {
    let at = match of {
        Value::Time(at) => *at,
        Value::Text(text) => Timestamp::parse(text).ok()?,
        Value::Span(span) => return part_of_span(part, *span),
        _ => return None,
    };
    let zone = match zone {
        Zone::Utc => jiff::tz::TimeZone::UTC,
        Zone::Named(zone) => zone.as_ref().clone(),
        Zone::Computed(name) => parse_zone(value(name, frame).as_text()?)?,
    };
    let local = zone.to_datetime(at.to_jiff());
    let number = match part {
        Part::FullYear => i64::from(local.year()),
        Part::Month => i64::from(local.month()) - 1,
        Part::DayOfMonth => i64::from(local.day()) - 1,
        Part::Date => i64::from(local.day()),
        Part::DayOfYear => i64::from(local.date().day_of_year()) - 1,
        Part::DayOfWeek => i64::from(local.weekday().to_sunday_zero_offset()),
        Part::Hours => i64::from(local.hour()),
        Part::Minutes => i64::from(local.minute()),
        Part::Seconds => i64::from(local.second()),
        Part::Milliseconds => i64::from(local.millisecond()),
    };
    Some(Value::from(number))
}

/// The whole length in that unit; of milliseconds only what is above the second, as CEL has it.
fn part_of_span(part: Part, span: Span) -> Option<Value> {
    match part {
        Part::Hours => Some(Value::from(span.0 / Span::HOUR.0)),
        Part::Minutes => Some(Value::from(span.0 / Span::MINUTE.0)),
        Part::Seconds => Some(Value::from(span.0 / Span::SECOND.0)),
        Part::Milliseconds => Some(Value::from(span.0 % Span::SECOND.0)),
        _ => None,
    }
}

/// The name among `known` that was most likely meant by `written`: at most a third of its letters differ.
pub fn nearest<'n>(written: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (written.chars().count().div_ceil(3)).min(3);
    let folded = written.to_lowercase().replace('_', "");
    let distance = |name: &str| edit_distance(&folded, &name.to_lowercase().replace('_', ""));
    known.into_iter().map(|name| (distance(name), name)).filter(|(distance, _)| *distance <= limit).min().map(|(_, name)| name)
}

/// Levenshtein's distance, a swap of neighbours counted as one (optimal string alignment).
fn edit_distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let mut best = (last[column] + usize::from(letter != other)).min(last[column + 1] + 1).min(current[column] + 1);
            let swapped = row > 0 && column > 0 && *letter == right[column - 1] && left[row - 1] == *other;
            if swapped {
                best = best.min(before_last[column - 1] + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}

/// The text of a constant, when it is one.
pub(super) fn constant_text(code: &Code) -> Option<&Text> {
    match &code.operation {
        super::code::Operation::Constant(Value::Text(text)) => Some(text),
        _ => None,
    }
}
