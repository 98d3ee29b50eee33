//! What a trait, a property or an expression can be.
//!
//! Numbers are exact decimals as the sender wrote them, never binary fractions: 0.1 + 0.2 is 0.3.

use crate::{Span, Text, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A value of the condition language and of profiles. `Map` is sorted by key, without repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Number(Decimal),
    Text(Text),
    Time(Timestamp),
    Span(Span),
    List(Vec<Value>),
    Map(Vec<(Text, Value)>),
}

impl Value {
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    pub fn as_number(&self) -> Option<Decimal> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Order between two values of one kind; `None` between kinds and for null, so that every
    /// comparison with something missing or of another kind is false rather than an error.
    /// A text against an instant is read as RFC 3339.
    pub fn compare(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            (Value::Number(a), Value::Number(b)) => Some(a.cmp(b)),
            (Value::Text(a), Value::Text(b)) => Some(a.as_str().cmp(b.as_str())),
            (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
            (Value::Span(a), Value::Span(b)) => Some(a.cmp(b)),
            (Value::Time(a), Value::Text(b)) => Some(a.cmp(&Timestamp::parse(b).ok()?)),
            (Value::Text(a), Value::Time(b)) => Some(Timestamp::parse(a).ok()?.cmp(b)),
            _ => None,
        }
    }

    /// Step into a map; anything missing on the way is null.
    pub fn get(&self, key: &str) -> &Value {
        static NULL: Value = Value::Null;
        match self {
            Value::Map(fields) => fields.binary_search_by(|(name, _)| name.as_str().cmp(key)).map_or(&NULL, |at| &fields[at].1),
            _ => &NULL,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(Text::new(text))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Number(Decimal::from(number))
    }
}

impl From<Decimal> for Value {
    fn from(number: Decimal) -> Value {
        Value::Number(number)
    }
}

impl std::fmt::Display for Value {
    /// As it would stand in JSON; instants and spans as text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::new();
        crate::json::write_value(&mut out, self);
        f.write_str(&out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_back_as_it_was_written() {
        for written in ["0", "-0.5", "12.50", "79228162514264337593543950335", "0.0000000000000000000000000001"] {
            let value = Value::Number(written.parse().expect("these are decimals"));
            let bytes = postcard::to_stdvec(&value).expect("a value has no unserialisable part");
            let back: Value = postcard::from_bytes(&bytes).expect("what was written is readable");
            assert_eq!((back.to_string(), &back), (written.to_owned(), &value));
        }
    }
}
