//! Evaluation: never fails, never panics, ends after a bounded number of steps.
//!
//! Null stands for everything that has no answer: a missing attribute, a division by zero, a number or
//! an instant out of range, a text that is no number. Comparisons with it are false, `&& || !` read it as false.

use super::code::{Code, Loop, LoopKind, Operation};
use super::parse::{Arithmetic, Comparison};
use super::{Scope, functions};
use crate::{Decimal, Span, Text, Timestamp, Value};
use std::borrow::Cow;
use std::cmp::Ordering;

/// Longest list that a loop goes over; over a longer one it yields null.
/// Loops do not nest, so this bounds the work of one loop.
pub const LOOP_ITEMS_MAX: usize = 1000;

static NULL: Value = Value::Null;

#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub scope: &'a dyn Scope,
    /// The item that the loop around is at.
    pub item: Option<&'a Value>,
}

impl Comparison {
    fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Comparison::Equal => ordering.is_eq(),
            Comparison::NotEqual => ordering.is_ne(),
            Comparison::Less => ordering.is_lt(),
            Comparison::LessOrEqual => ordering.is_le(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => left == right,
        (Value::Number(left), Value::Number(right)) => left == right,
        (Value::Time(_), Value::Text(_)) | (Value::Text(_), Value::Time(_)) => left.compare(right) == Some(Ordering::Equal),
        _ => left == right,
    }
}

fn compare(comparison: Comparison, left: &Value, right: &Value) -> bool {
    match comparison {
        Comparison::Equal => equal(left, right),
        Comparison::NotEqual => !equal(left, right),
        _ => left.compare(right).is_some_and(|ordering| comparison.accepts(ordering)),
    }
}

/// The value as a condition: null and everything that is not `true` count as false.
pub(super) fn holds(code: &Code, frame: Frame<'_>) -> bool {
    match &code.operation {
        Operation::Compare(comparison, sides) => {
            let [left, right] = sides.as_ref();
            match (&left.operation, &right.operation) {
                // The common case, spelled out so that nothing is wrapped or copied.
                (Operation::Attribute(attribute), Operation::Constant(constant)) => {
                    compare(*comparison, &frame.scope.attribute(attribute), constant)
                }
                _ => compare(*comparison, &value(left, frame), &value(right, frame)),
            }
        }
        Operation::All(terms) => terms.iter().all(|term| holds(term, frame)),
        Operation::AnyOf(terms) => terms.iter().any(|term| holds(term, frame)),
        Operation::Not(inner) => !holds(inner, frame),
        Operation::Present(inner) => !value(inner, frame).is_null(),
        Operation::In(sides) => contains(&value(&sides[1], frame), &value(&sides[0], frame)),
        Operation::Matches(inner, pattern) => value(inner, frame).as_text().is_some_and(|text| pattern.is_match(text)),
        _ => *value(code, frame) == Value::Bool(true),
    }
}

fn contains(container: &Value, wanted: &Value) -> bool {
    match container {
        Value::List(items) => items.iter().any(|item| equal(item, wanted)),
        Value::Map(fields) => wanted.as_text().is_some_and(|key| fields.binary_search_by(|(name, _)| name.as_str().cmp(key)).is_ok()),
        _ => false,
    }
}

pub(super) fn value<'a>(code: &'a Code, frame: Frame<'a>) -> Cow<'a, Value> {
    match &code.operation {
        Operation::Constant(constant) => Cow::Borrowed(constant),
        Operation::Attribute(attribute) => Cow::Owned(frame.scope.attribute(attribute)),
        Operation::Item => Cow::Borrowed(frame.item.unwrap_or(&NULL)),
        Operation::Field(of, name) => step(value(of, frame), |of| Some(of.get(name))),
        Operation::Index(of, index) => {
            let index = value(index, frame);
            step(value(of, frame), |of| item_at(of, &index))
        }
        Operation::Choose(parts) => {
            let [condition, yes, no] = parts.as_ref();
            value(if holds(condition, frame) { yes } else { no }, frame)
        }
        Operation::List(items) => Cow::Owned(Value::List(items.iter().map(|item| value(item, frame).into_owned()).collect())),
        Operation::Map(entries) => Cow::Owned(map(entries, frame)),
        Operation::Negate(inner) => Cow::Owned(value(inner, frame).as_number().map_or(Value::Null, |number| unsigned_zero(-number))),
        Operation::Arithmetic(operator, sides) => {
            Cow::Owned(arithmetic(*operator, &value(&sides[0], frame), &value(&sides[1], frame)).unwrap_or_default())
        }
        Operation::Part(part, of, zone) => Cow::Owned(functions::part(*part, &value(of, frame), zone, frame).unwrap_or_default()),
        Operation::Call(function, arguments) => Cow::Owned(functions::call(*function, arguments, frame).unwrap_or_default()),
        Operation::Loop(inner) => Cow::Owned(run(inner, frame).unwrap_or_default()),
        Operation::Compare(..)
        | Operation::All(_)
        | Operation::AnyOf(_)
        | Operation::Not(_)
        | Operation::Present(_)
        | Operation::In(_)
        | Operation::Matches(..) => Cow::Owned(Value::Bool(holds(code, frame))),
    }
}

/// Goes one step into a value without copying more than what is found there.
fn step<'a>(of: Cow<'a, Value>, find: impl Fn(&Value) -> Option<&Value>) -> Cow<'a, Value> {
    match of {
        Cow::Borrowed(of) => Cow::Borrowed(find(of).unwrap_or(&NULL)),
        Cow::Owned(of) => Cow::Owned(find(&of).cloned().unwrap_or_default()),
    }
}

fn item_at<'v>(of: &'v Value, index: &Value) -> Option<&'v Value> {
    match (of, index) {
        (Value::List(items), Value::Number(index)) if index.is_integer() => items.get(usize::try_from(*index).ok()?),
        (Value::Map(_), Value::Text(key)) => Some(of.get(key)),
        _ => None,
    }
}

/// Of a key that is written twice the last counts; keys that are no texts are left out.
fn map(entries: &[(Code, Code)], frame: Frame<'_>) -> Value {
    let mut fields: Vec<(Text, Value)> = Vec::with_capacity(entries.len());
    for (key, item) in entries {
        let Value::Text(key) = value(key, frame).into_owned() else { continue };
        let item = value(item, frame).into_owned();
        match fields.binary_search_by(|(name, _)| name.cmp(&key)) {
            Ok(at) => fields[at].1 = item,
            Err(at) => fields.insert(at, (key, item)),
        }
    }
    Value::Map(fields)
}

/// `None` when there is no answer: null on a side, kinds that do not go together, division by zero, overflow.
pub(super) fn arithmetic(operator: Arithmetic, left: &Value, right: &Value) -> Option<Value> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => numbers(operator, *left, *right).map(unsigned_zero),
        (Value::Text(left), Value::Text(right)) if operator == Arithmetic::Add => {
            let mut joined = left.clone();
            joined.push_str(right);
            Some(Value::Text(joined))
        }
        (Value::List(left), Value::List(right)) if operator == Arithmetic::Add => {
            Some(Value::List(left.iter().chain(right).cloned().collect()))
        }
        _ => times(operator, left, right),
    }
}

/// A decimal knows -0, which would be written differently from 0 though it equals it.
pub(super) fn unsigned_zero(number: Decimal) -> Value {
    Value::Number(if number.is_zero() { Decimal::ZERO } else { number })
}

fn numbers(operator: Arithmetic, left: Decimal, right: Decimal) -> Option<Decimal> {
    match operator {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Divide => left.checked_div(right).map(|quotient| quotient.normalize()),
        Arithmetic::Remainder => left.checked_rem(right),
    }
}

/// A text beside an instant or a length of time is read as an instant.
fn times(operator: Arithmetic, left: &Value, right: &Value) -> Option<Value> {
    let instant = |at: &Value| match at {
        Value::Time(at) => Some(*at),
        Value::Text(text) => Timestamp::parse(text).ok(),
        _ => None,
    };
    let time = |milli: Option<i64>| milli.map(|milli| Value::Time(Timestamp(milli)));
    let span = |milli: Option<i64>| milli.map(|milli| Value::Span(Span(milli)));
    match (operator, left, right) {
        (Arithmetic::Add, Value::Span(left), Value::Span(right)) => span(left.0.checked_add(right.0)),
        (Arithmetic::Subtract, Value::Span(left), Value::Span(right)) => span(left.0.checked_sub(right.0)),
        (Arithmetic::Add, at, Value::Span(by)) | (Arithmetic::Add, Value::Span(by), at) => time(instant(at)?.0.checked_add(by.0)),
        (Arithmetic::Subtract, at, Value::Span(by)) => time(instant(at)?.0.checked_sub(by.0)),
        (Arithmetic::Subtract, later @ (Value::Time(_) | Value::Text(_)), earlier) => {
            let (later_at, earlier_at) = (instant(later)?, instant(earlier)?);
            // Two texts are never instants by themselves: nothing says that they should be.
            let timed = matches!(later, Value::Time(_)) || matches!(earlier, Value::Time(_));
            if timed { span(later_at.0.checked_sub(earlier_at.0)) } else { None }
        }
        _ => None,
    }
}

/// Null over anything but a list, and over a list longer than [`LOOP_ITEMS_MAX`].
fn run(inner: &Loop, frame: Frame<'_>) -> Option<Value> {
    let range = value(&inner.range, frame);
    let items = loop_items(&range)?;
    let at = |item| Frame { item: Some(item), ..frame };
    Some(match inner.kind {
        LoopKind::All => Value::Bool(items.iter().all(|item| holds(&inner.body, at(item)))),
        LoopKind::Exists => Value::Bool(items.iter().any(|item| holds(&inner.body, at(item)))),
        LoopKind::ExistsOne => Value::Bool(items.iter().filter(|item| holds(&inner.body, at(item))).take(2).count() == 1),
        LoopKind::Filter => Value::List(items.iter().filter(|item| holds(&inner.body, at(item))).cloned().collect()),
        LoopKind::Map => {
            let taken = items.iter().filter(|item| inner.guard.as_ref().is_none_or(|guard| holds(guard, at(item))));
            Value::List(taken.map(|item| value(&inner.body, at(item)).into_owned()).collect())
        }
    })
}

pub(super) fn loop_items(range: &Value) -> Option<&[Value]> {
    match range {
        Value::List(items) if items.len() <= LOOP_ITEMS_MAX => Some(items),
        _ => None,
    }
}
