//! Why an expression gave what it gave: its comparisons and attributes with their values.

use super::Scope;
use super::code::{Code, Operation};
use super::evaluate::{Frame, value};
use crate::Value;

pub(super) fn explain(source: &str, code: &Code, scope: &dyn Scope) -> Vec<(String, Value)> {
    let mut lines: Vec<(String, Value)> = Vec::new();
    collect(source, code, Frame { scope, item: None }, &mut lines);
    lines
}

fn collect(source: &str, code: &Code, frame: Frame<'_>, lines: &mut Vec<(String, Value)>) {
    let told = match &code.operation {
        Operation::Compare(..)
        | Operation::In(_)
        | Operation::Present(_)
        | Operation::Matches(..)
        | Operation::Call(..)
        | Operation::Part(..)
        | Operation::Loop(_)
        | Operation::Attribute(_)
        | Operation::Index(..)
        | Operation::Field(..) => true,
        Operation::Constant(_)
        | Operation::Item
        | Operation::List(_)
        | Operation::Map(_)
        | Operation::Not(_)
        | Operation::Negate(_)
        | Operation::All(_)
        | Operation::AnyOf(_)
        | Operation::Choose(_)
        | Operation::Arithmetic(..) => false,
    };
    if told {
        let written = source.get(code.place.start..code.place.end).unwrap_or_default();
        if !lines.iter().any(|(known, _)| known == written) {
            lines.push((written.to_owned(), value(code, frame).into_owned()));
        }
    }
    if let Operation::Loop(inner) = &code.operation {
        // What depends on the item has no one value; the list has.
        return collect(source, &inner.range, frame, lines);
    }
    code.each_part(&mut |part| collect(source, part, frame, lines));
}
