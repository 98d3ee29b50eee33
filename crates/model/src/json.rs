//! JSON at the wall: look up one field in the sender's bytes, turn it into a [`Value`], write text.

pub mod scan;

use crate::{Decimal, Text, Value};
use scan::Scanner;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The value at `path` inside a raw JSON object; null when a step is missing or the text is broken.
/// Of a key that occurs twice the first counts.
pub fn lookup(raw: &str, path: &[Text]) -> Value {
    let mut current = raw;
    for key in path {
        match field(current, key) {
            Some(inner) => current = inner,
            None => return Value::Null,
        }
    }
    parse(current).unwrap_or_default()
}

/// The raw text of one field of a raw JSON object.
pub fn field<'a>(raw: &'a str, key: &str) -> Option<&'a str> {
    struct Find<'k>(&'k str);
    impl<'de> Visitor<'de> for Find<'_> {
        type Value = Option<&'de RawValue>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                if found.is_none() && name == self.0 {
                    found = Some(map.next_value()?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(raw);
    serde::Deserializer::deserialize_map(&mut reader, Find(key)).ok().flatten().map(RawValue::get)
}

/// Calls `visit` with the name and the raw value of each member of one JSON object, in order.
///
/// # Errors
/// The parser's error when `raw` is not exactly one JSON object.
pub fn for_each_member<'a>(raw: &'a str, mut visit: impl FnMut(&str, &'a str)) -> Result<(), serde_json::Error> {
    let mut scanner = Scanner::new(raw);
    scanner
        .object(|scanner, name| scanner.value().map(|value| visit(name, value)))
        .and_then(|()| scanner.end())
        .map_err(|_| scan::explain(raw, '{'))
}

/// Calls `visit` with each raw item of one JSON array, in order.
///
/// # Errors
/// The parser's error when `raw` is not exactly one JSON array.
pub fn for_each_item<'a>(raw: &'a str, mut visit: impl FnMut(&'a str)) -> Result<(), serde_json::Error> {
    let mut scanner = Scanner::new(raw);
    scanner.array(|scanner| scanner.value().map(&mut visit)).and_then(|()| scanner.end()).map_err(|_| scan::explain(raw, '['))
}

/// Parses one JSON value with exact numbers. A number too large for a decimal becomes its text.
///
/// # Errors
/// The parser's error, with line and column.
pub fn parse(raw: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<Json>(raw).map(|json| json.0)
}

/// The value of well-formed JSON text, such as [`for_each_member`] gives; texts and numbers, which are
/// nearly all of them, without a parser. Null when the text is not well-formed after all.
pub fn value(raw: &str) -> Value {
    match raw.as_bytes() {
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => Value::Text(Text::new(&raw[1..raw.len() - 1])),
        [b'-' | b'0'..=b'9', ..] => from_raw(raw).unwrap_or_default(),
        _ => parse(raw).unwrap_or_default(),
    }
}

struct Json(Value);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        from_raw(raw).map(Json).map_err(serde::de::Error::custom)
    }
}

/// `raw` is well-formed JSON already; only its first byte decides what it is.
fn from_raw(raw: &str) -> Result<Value, serde_json::Error> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Value;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array or an object")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
            let mut items = Vec::new();
            while let Some(Json(item)) = seq.next_element()? {
                items.push(item);
            }
            Ok(Value::List(items))
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
            let mut fields: Vec<(Text, Value)> = Vec::new();
            while let Some(name) = map.next_key::<Text>()? {
                let Json(value) = map.next_value()?;
                fields.push((name, value));
            }
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            fields.dedup_by(|later, first| later.0 == first.0);
            Ok(Value::Map(fields))
        }
    }
    let mut reader = serde_json::Deserializer::from_str(raw);
    match raw.as_bytes().first() {
        Some(b'{') => serde::Deserializer::deserialize_map(&mut reader, Members),
        Some(b'[') => serde::Deserializer::deserialize_seq(&mut reader, Members),
        Some(b'"') => serde_json::from_str::<Text>(raw).map(Value::Text),
        Some(b't') => Ok(Value::Bool(true)),
        Some(b'f') => Ok(Value::Bool(false)),
        Some(b'n') | None => Ok(Value::Null),
        Some(_) => Ok(number(raw).map_or_else(|| Value::Text(Text::new(raw)), Value::Number)),
    }
}

/// A JSON number as a decimal; `1e3` works, `None` beyond 28 digits.
pub fn number(raw: &str) -> Option<Decimal> {
    Decimal::from_str_exact(raw).or_else(|_| Decimal::from_scientific(raw)).ok()
}

/// Appends `text` as a JSON string with its quotes.
pub fn write_text(out: &mut String, text: &str) {
    out.push('"');
    write_escaped(out, text);
    out.push('"');
}

/// Appends what stands between the quotes of a JSON string.
pub fn write_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    loop {
        let at = scan::ordinary(rest.as_bytes());
        out.push_str(&rest[..at]);
        if at == rest.len() {
            return;
        }
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte => {
                use fmt::Write;
                let _ = write!(out, "\\u{byte:04x}");
            }
        }
        rest = &rest[at + 1..];
    }
}

/// Appends a value as JSON; instants as RFC 3339 text, spans as `1h30m`.
pub fn write_value(out: &mut String, value: &Value) {
    use fmt::Write;
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Text(text) => write_text(out, text),
        Value::Time(at) => {
            let _ = write!(out, "\"{at}\"");
        }
        Value::Span(span) => {
            let _ = write!(out, "\"{span}\"");
        }
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Map(fields) => {
            out.push('{');
            for (index, (name, item)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(out, name);
                out.push(':');
                write_value(out, item);
            }
            out.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_in_the_senders_bytes() {
        let raw = r#"{"a": {"b": [1, 2.50, "x\ny"], "c": null}, "d": 1e3, "big": 1e400, "a": 7}"#;
        let at = |path: &[&str]| lookup(raw, &path.iter().map(|key| Text::new(key)).collect::<Vec<_>>()).to_string();
        assert_eq!(at(&["a", "b"]), r#"[1,2.50,"x\ny"]"#);
        assert_eq!(at(&["a", "c"]), "null");
        assert_eq!(at(&["a", "zz", "b"]), "null");
        assert_eq!(at(&["d"]), "1000");
        assert_eq!(at(&["big"]), "\"1e400\"");
        assert_eq!(lookup("{broken", &[Text::new("a")]), Value::Null);
        assert_eq!(lookup("[1]", &[Text::new("a")]), Value::Null);
    }
}
