//! Typed reading of a tree: each function takes a node and yields a value, or reports and yields none.
//!
//! `name` is always the key under which the node stands, for the message. A value that is wrong never
//! stops its neighbours from being read, so one run finds everything.

use super::code;
use super::report::Sheet;
use super::suggest::{hint, quoted};
use super::yaml::{Key, Kind, Node, Style};
use faden_model::diagnostic::ByteRange;
use faden_model::{Span, Text};

/// Longest name of anything.
const NAME_CHARS_MAX: usize = 100;
/// Days as they are written, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
pub const ALL_DAYS: u8 = 0b111_1111;

/// A map whose keys were held against the allowed ones.
#[derive(Clone, Copy, Debug)]
pub struct Map<'a> {
    pub sheet: &'a Sheet<'a>,
    pub place: ByteRange,
    fields: &'a [(Key, Node)],
    what: &'a str,
}

impl<'a> Map<'a> {
    /// The value under a key; a key without a value is reported and counts as missing.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        let (name, node) = self.fields.iter().find(|(name, _)| name.name == key)?;
        if node.scalar().is_some_and(|scalar| scalar.is_null()) {
            self.sheet.error(name.place, code::WRONG_TYPE, format!("`{key}` has no value"), "write one, or remove the key");
            return None;
        }
        Some(node)
    }

    pub fn has(&self, key: &str) -> bool {
        self.fields.iter().any(|(name, _)| name.name == key)
    }

    /// Where the key stands.
    pub fn key_place(&self, key: &str) -> ByteRange {
        self.fields.iter().find(|(name, _)| name.name == key).map_or(self.place, |(name, _)| name.place)
    }

    /// As [`Map::get`]; reports when the key is missing. `example` shows how to write it.
    pub fn require(&self, key: &str, example: &str) -> Option<&'a Node> {
        if !self.has(key) {
            let message = format!("{} lacks `{key}`", self.what);
            self.sheet.error(first_line(self.sheet, self.place), code::MISSING_KEY, message, format!("add `{example}`"));
        }
        self.get(key)
    }

    pub fn fields(&self) -> &'a [(Key, Node)] {
        self.fields
    }
}

/// A place cut at the end of its first line: enough to show where a map begins.
pub fn first_line(sheet: &Sheet<'_>, place: ByteRange) -> ByteRange {
    let text = sheet.text.get(place.start..place.end).unwrap_or("");
    let length = text.find('\n').unwrap_or(text.len());
    ByteRange { start: place.start, end: place.start + text[..length].trim_end().len() }
}

impl<'a> Sheet<'a> {
    /// A map with none but these keys. `what` says what is described, such as `a journey`.
    pub fn map(&'a self, node: &'a Node, what: &'a str, keys: &[&str]) -> Option<Map<'a>> {
        let map = self.open_map(node, what)?;
        for (key, _) in map.fields.iter().filter(|(key, _)| !keys.contains(&key.name.as_str())) {
            let help = hint(&key.name, keys.iter().copied(), "allowed here");
            self.error(key.place, code::UNKNOWN_KEY, format!("{what} has no key `{}`", key.name), help);
        }
        Some(map)
    }

    /// A map with any keys.
    pub fn open_map(&'a self, node: &'a Node, what: &'a str) -> Option<Map<'a>> {
        match &node.kind {
            Kind::Map(fields) => Some(Map { sheet: self, place: node.place, fields, what }),
            _ => {
                let message = format!("{what} is {} here", kind_of(node));
                self.error(first_line(self, node.place), code::WRONG_TYPE, message, "write a map: `key: value` lines, or `{key: value}`");
                None
            }
        }
    }

    /// The items of a list.
    pub fn list(&self, node: &'a Node, name: &str) -> Option<&'a [Node]> {
        match &node.kind {
            Kind::List(items) => Some(items),
            _ => {
                let message = format!("`{name}` is {}", kind_of(node));
                self.error(first_line(self, node.place), code::WRONG_TYPE, message, format!("write a list, such as `{name}: [..., ...]`"));
                None
            }
        }
    }

    pub fn text(&self, node: &Node, name: &str) -> Option<Text> {
        let text = node.text().map(str::trim);
        if text.is_none_or(str::is_empty) {
            let place = first_line(self, node.place);
            self.error(place, code::WRONG_TYPE, format!("`{name}` is {}", kind_of(node)), "write a text");
            return None;
        }
        text.map(Text::new)
    }

    /// A whole number between two bounds, which belong to it.
    pub fn integer(&self, node: &Node, name: &str, bounds: (i64, i64)) -> Option<i64> {
        let example = bounds.0.max(1).min(bounds.1).max(3.min(bounds.1));
        let number = match (number_text(node), node.text()) {
            (Some(text), _) => text.parse::<i64>().ok(),
            _ => {
                let message = format!("`{name}` is {}", kind_of(node));
                let help = format!("write a whole number such as {example}");
                self.error(first_line(self, node.place), code::WRONG_TYPE, message, help);
                return None;
            }
        };
        match number {
            Some(number) if number >= bounds.0 && number <= bounds.1 => Some(number),
            _ => {
                let message = format!("`{name}` is {}", node.text().unwrap_or(""));
                let help = format!("write a whole number from {} to {}", bounds.0, bounds.1);
                self.error(node.place, code::OUT_OF_RANGE, message, help);
                None
            }
        }
    }

    /// A percentage with up to two decimals, as parts per 10,000.
    pub fn percent(&self, node: &Node, name: &str) -> Option<u32> {
        let Some(text) = number_text(node).map(|text| text.strip_suffix('%').unwrap_or(text)) else {
            let message = format!("`{name}` is {}", kind_of(node));
            self.error(first_line(self, node.place), code::WRONG_TYPE, message, "write a percentage such as 50 or 33.34");
            return None;
        };
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let parts = (decimals.len() <= 2 && whole.len() <= 3 && digits(whole) && digits(decimals))
            .then(|| format!("{whole}{decimals:0<2}").parse::<u32>().ok())
            .flatten()
            .filter(|parts| *parts <= crate::experiment::PARTS);
        if parts.is_none() {
            let help = "write a percentage from 0 to 100 with at most two decimals, such as 33.34";
            self.error(node.place, code::OUT_OF_RANGE, format!("`{name}` is {text}"), help);
        }
        parts
    }

    pub fn boolean(&self, node: &Node, name: &str) -> Option<bool> {
        match node.scalar().filter(|scalar| scalar.style == Style::Plain).map(|scalar| scalar.text.as_str()) {
            Some("true" | "True" | "TRUE") => Some(true),
            Some("false" | "False" | "FALSE") => Some(false),
            _ => {
                let message = format!("`{name}` is {}", kind_of(node));
                self.error(first_line(self, node.place), code::WRONG_TYPE, message, "write true or false");
                None
            }
        }
    }

    pub fn span(&self, node: &Node, name: &str) -> Option<Span> {
        let text = self.text(node, name)?;
        match Span::parse(&text) {
            Ok(span) => Some(span),
            Err(_) => {
                let help = "write a whole number and a unit, such as 30s, 10m, 24h, 7d or 2w";
                self.error(node.place, code::NOT_A_DURATION, format!("`{name}` is `{text}`, which is not a duration"), help);
                None
            }
        }
    }

    /// `HH:MM` as minutes after midnight; `24:00` only where the bound allows it.
    pub fn minute_of_day(&self, node: &Node, name: &str, max: u16) -> Option<u16> {
        let text = self.text(node, name)?;
        let minute = text.split_once(':').and_then(|(hour, minute)| {
            let digits = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            if !digits(hour) || minute.len() != 2 || !digits(minute) {
                return None;
            }
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            (minute < 60).then_some(hour * 60 + minute).filter(|minute| *minute <= max)
        });
        if minute.is_none() {
            let message = format!("`{name}` is `{text}`, which is not a time of day");
            self.error(node.place, code::NOT_A_TIME, message, "write hours and minutes in quotes, such as \"09:00\" or \"20:30\"");
        }
        minute
    }

    /// Days of the week as bits, Monday first.
    pub fn days(&self, node: &'a Node, name: &str) -> Option<u8> {
        let mut days = 0;
        for item in self.list(node, name)? {
            let text = self.text(item, name)?;
            match DAYS.iter().position(|day| *day == text.to_lowercase()) {
                Some(at) => days |= 1 << at,
                None => {
                    let help = hint(&text, DAYS, "days");
                    self.error(item.place, code::UNKNOWN_VALUE, format!("`{text}` is not a day"), help);
                }
            }
        }
        if days == 0 && node.items().is_empty() {
            self.error(node.place, code::WRONG_TYPE, format!("`{name}` is an empty list"), "name a day, or remove the key for every day");
        }
        (days != 0).then_some(days)
    }

    /// One of a few words.
    pub fn one_of<T: Copy>(&self, node: &Node, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let Some(text) = node.text() else {
            let message = format!("`{name}` is {}", kind_of(node));
            self.error(first_line(self, node.place), code::WRONG_TYPE, message, format!("write one of {}", quoted(&words)));
            return None;
        };
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let help = hint(text, words.iter().copied(), "allowed");
            self.error(node.place, code::UNKNOWN_VALUE, format!("`{name}` is `{text}`"), help);
        }
        found
    }

    /// The name of something defined here: letters, digits, `_` and `-`, first a letter.
    pub fn name(&self, node: &Node, name: &str) -> Option<Text> {
        let text = self.text(node, name)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !text.starts_with(|c: char| c.is_ascii_alphabetic()) || !text.chars().all(fits) || text.len() > NAME_CHARS_MAX {
            let help =
                format!("use letters a-z, digits, `_` and `-`, first a letter, at most {NAME_CHARS_MAX}, such as `{}`", name_like(&text));
            self.error(node.place, code::BAD_NAME, format!("`{text}` cannot be a name"), help);
            return None;
        }
        Some(text)
    }

    /// A list of texts, or one text alone.
    pub fn texts(&self, node: &'a Node, name: &str) -> Option<Vec<(Text, &'a Node)>> {
        if node.scalar().is_some() {
            return Some(vec![(self.text(node, name)?, node)]);
        }
        Some(self.list(node, name)?.iter().filter_map(|item| Some((self.text(item, name)?, item))).collect())
    }
}

/// What a reader would call the node's value.
pub fn kind_of(node: &Node) -> &'static str {
    match &node.kind {
        Kind::List(_) => "a list",
        Kind::Map(_) => "a map",
        Kind::Scalar(scalar) if scalar.is_null() || scalar.text.trim().is_empty() => "empty",
        Kind::Scalar(scalar) if scalar.style != Style::Plain => "a text",
        Kind::Scalar(scalar) if matches!(scalar.text.as_str(), "true" | "false") => "true or false",
        Kind::Scalar(_) if number_text(node).is_some() => "a number",
        Kind::Scalar(_) => "a text",
    }
}

/// The text of a plain scalar that looks like a number.
fn number_text(node: &Node) -> Option<&str> {
    let scalar = node.scalar().filter(|scalar| scalar.style == Style::Plain)?;
    let digits = scalar.text.strip_prefix(['-', '+']).unwrap_or(&scalar.text);
    let fits =
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.bytes().all(|byte| byte.is_ascii_digit() || b".%".contains(&byte));
    fits.then_some(scalar.text.as_str())
}

/// A name close to a text that is none.
fn name_like(text: &str) -> String {
    let mut name = String::new();
    for c in text.trim().chars().take(NAME_CHARS_MAX) {
        let spelled = [('ä', "ae"), ('ö', "oe"), ('ü', "ue"), ('ß', "ss")].into_iter().find(|(letter, _)| *letter == c);
        if let Some((_, letters)) = spelled {
            name.push_str(letters);
        } else if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.ends_with('_') && !name.is_empty() {
            name.push('_');
        }
    }
    let name = name.trim_matches('_').trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches('_');
    if name.is_empty() { "welcome".to_owned() } else { name.to_owned() }
}
