//! What a checked condition is made of: a tree that can be evaluated without looking at types again.

use super::functions::{Function, Part, Zone};
use super::parse::{Arithmetic, Comparison};
use super::{Attribute, Root};
use crate::diagnostic::ByteRange;
use crate::{Text, Value};

#[derive(Clone, Debug)]
pub(super) struct Code {
    pub place: ByteRange,
    pub operation: Operation,
}

#[derive(Clone, Debug)]
pub(super) enum Operation {
    Constant(Value),
    Attribute(Attribute),
    /// The variable of the loop that this stands in; there is only ever one.
    Item,
    List(Vec<Code>),
    Map(Vec<(Code, Code)>),
    Field(Box<Code>, Text),
    Index(Box<Code>, Box<Code>),
    Not(Box<Code>),
    Negate(Box<Code>),
    All(Vec<Code>),
    AnyOf(Vec<Code>),
    Choose(Box<[Code; 3]>),
    Compare(Comparison, Box<[Code; 2]>),
    Arithmetic(Arithmetic, Box<[Code; 2]>),
    In(Box<[Code; 2]>),
    Present(Box<Code>),
    Matches(Box<Code>, regex::Regex),
    Part(Part, Box<Code>, Zone),
    Call(Function, Vec<Code>),
    Loop(Box<Loop>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

#[derive(Clone, Debug)]
pub(super) struct Loop {
    pub kind: LoopKind,
    pub range: Code,
    /// Of `map` with three arguments: which items take part.
    pub guard: Option<Code>,
    pub body: Code,
}

impl Code {
    /// Calls `visit` for each direct part, in the order written.
    pub fn each_part<'a>(&'a self, visit: &mut dyn FnMut(&'a Code)) {
        match &self.operation {
            Operation::Constant(_) | Operation::Attribute(_) | Operation::Item => {}
            Operation::List(parts) | Operation::All(parts) | Operation::AnyOf(parts) | Operation::Call(_, parts) => {
                parts.iter().for_each(visit);
            }
            Operation::Map(entries) => entries.iter().for_each(|(key, value)| {
                visit(key);
                visit(value);
            }),
            Operation::Field(of, _) | Operation::Not(of) | Operation::Negate(of) | Operation::Present(of) | Operation::Matches(of, _) => {
                visit(of);
            }
            Operation::Index(of, index) => {
                visit(of);
                visit(index);
            }
            Operation::Choose(parts) => parts.iter().for_each(visit),
            Operation::Compare(_, parts) | Operation::Arithmetic(_, parts) | Operation::In(parts) => parts.iter().for_each(visit),
            Operation::Part(_, of, zone) => {
                visit(of);
                if let Zone::Computed(zone) = zone {
                    visit(zone);
                }
            }
            Operation::Loop(inner) => {
                visit(&inner.range);
                inner.guard.iter().for_each(&mut *visit);
                visit(&inner.body);
            }
        }
    }

    /// Whether this or a part of it fulfils `wanted`.
    pub fn contains(&self, wanted: &dyn Fn(&Operation) -> bool) -> bool {
        let mut found = wanted(&self.operation);
        self.each_part(&mut |part| found = found || part.contains(wanted));
        found
    }

    pub fn uses_now(&self) -> bool {
        self.contains(&|operation| matches!(operation, Operation::Attribute(attribute) if attribute.root == Root::Now))
    }
}
