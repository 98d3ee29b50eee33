//! The condition language: CEL with static types, exact decimals and no run-time errors.
//!
//! [`compile`] parses, checks types against a [`Schema`] and yields an [`Expression`] that is evaluated
//! against a [`Scope`] without allocation for common cases.
//!
//! Source: CEL language definition (github.com/google/cel-spec). It deviates on purpose: all numbers are
//! one exact decimal (so `10 / 4` is 2.5), what CEL calls an error is null, comparisons with null are
//! false, a text beside an instant is read as RFC 3339, durations know days and weeks, loops do not nest.

mod check;
mod check_calls;
mod check_operators;
mod code;
mod evaluate;
mod explain;
mod functions;
mod lex;
mod parse;
mod solve;

#[cfg(test)]
mod tests;

pub use evaluate::LOOP_ITEMS_MAX;
pub use functions::nearest;

use crate::diagnostic::{ByteRange, Problem, Severity};
use crate::{Text, Timestamp, Value};
use std::fmt;

/// Which thing a name in a condition starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    Event,
    Profile,
    Enrollment,
    Case,
    Message,
    Now,
}

/// `profile.traits.tier` is `Profile` and `["traits", "tier"]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attribute {
    pub root: Root,
    pub path: Vec<Text>,
}

/// Static types. `Any` is JSON whose shape nobody declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Any,
    Bool,
    Number,
    Text,
    Time,
    Span,
    List(Box<Type>),
    Map,
}

/// Gives values to attributes while an expression is evaluated.
pub trait Scope {
    /// The value now; `Value::Null` when it is missing.
    fn attribute(&self, attribute: &Attribute) -> Value;
}

/// Gives types to attributes while an expression is compiled.
pub trait Schema {
    /// # Errors
    /// A sentence that says what is wrong and one that says what to write, when there is no such attribute here.
    fn attribute_type(&self, attribute: &Attribute) -> Result<Type, Unknown>;
}

/// An attribute that a schema does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// `true` when the expression may still be used (a trait nobody declared), `false` when it can't.
    pub warning_only: bool,
    pub code: &'static str,
    pub message: String,
    pub help: String,
}

/// What is asked of a condition beyond being well-formed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// It must give true or false (or something of unknown kind).
    pub condition_wanted: bool,
    /// `now` may only stand where [`Expression::next_change`] can compute its effect ahead.
    pub solve_now: bool,
}

/// An expression that may be used, and what should be looked at nevertheless.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub expression: Expression,
    pub warnings: Vec<Problem>,
}

/// Compiles an expression that may give anything.
///
/// # Errors
/// All problems, errors and warnings, by place; at least one is an error.
pub fn compile(source: &str, schema: &dyn Schema) -> Result<Compiled, Vec<Problem>> {
    compile_with(source, schema, Options::default())
}

/// Compiles an expression that must give true or false.
///
/// # Errors
/// As [`compile`].
pub fn compile_condition(source: &str, schema: &dyn Schema) -> Result<Compiled, Vec<Problem>> {
    compile_with(source, schema, Options { condition_wanted: true, ..Options::default() })
}

/// Compiles an expression for a given use.
///
/// # Errors
/// As [`compile`].
pub fn compile_with(source: &str, schema: &dyn Schema, options: Options) -> Result<Compiled, Vec<Problem>> {
    let mut problems = Vec::new();
    let tree = parse::parse(source, &mut problems);
    let mut checker =
        check::Checker { source, schema, problems: &mut problems, attributes: std::collections::BTreeSet::new(), variable: None };
    let typed = checker.check(&tree);
    let attributes: Vec<Attribute> = checker.attributes.into_iter().collect();
    let is_error = |problem: &Problem| problem.severity == Severity::Error;
    // What could not be read has no type that is worth a word.
    let is_read = !problems.iter().any(|problem| problem.code == "condition-syntax");
    if options.condition_wanted && is_read && !matches!(typed.gives, Type::Bool | Type::Any) {
        let message = format!("a condition is wanted, but this is {}", check::phrase(&typed.gives));
        problems.push(problem("condition-not-a-condition", tree.place, message, check::comparison_for(&typed.gives)));
    } else if options.solve_now {
        solve::check_solvable(&typed.code, &mut problems);
    }
    problems.sort_by_key(|problem| problem.place);
    if problems.iter().any(is_error) {
        return Err(problems);
    }
    let expression = Expression { source: source.to_owned(), code: typed.code, gives: typed.gives, attributes };
    Ok(Compiled { expression, warnings: problems })
}

/// A compiled expression. It never fails and reads nothing but its [`Scope`].
#[derive(Clone, Debug)]
pub struct Expression {
    source: String,
    code: code::Code,
    gives: Type,
    attributes: Vec<Attribute>,
}

impl Expression {
    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn result_type(&self) -> &Type {
        &self.gives
    }

    /// Every attribute used, sorted, each once; `now` is one of them.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    pub fn uses_now(&self) -> bool {
        self.attributes.iter().any(|attribute| attribute.root == Root::Now)
    }

    pub fn evaluate(&self, scope: &dyn Scope) -> Value {
        evaluate::value(&self.code, evaluate::Frame { scope, item: None }).into_owned()
    }

    /// The answer as a condition: null and everything that is not `true` count as false.
    pub fn holds(&self, scope: &dyn Scope) -> bool {
        evaluate::holds(&self.code, evaluate::Frame { scope, item: None })
    }

    /// The earliest instant strictly after `now` at which a comparison with `now` flips, all else equal;
    /// between the two the answer stays as it is at `now`. `None` when it stays so forever.
    /// Complete for expressions compiled with [`Options::solve_now`]; others may hold uses of `now` that are not seen here.
    pub fn next_change(&self, scope: &dyn Scope, now: Timestamp) -> Option<Timestamp> {
        if self.uses_now() { solve::next_change(&self.code, scope, now) } else { None }
    }

    /// Each comparison and each attribute as written, with its value, in the order written; each text once.
    pub fn explain(&self, scope: &dyn Scope) -> Vec<(String, Value)> {
        explain::explain(&self.source, &self.code, scope)
    }
}

/// The value at `path` inside a value; null when a step is missing. For scopes that hold whole values.
pub fn step_into<'v>(value: &'v Value, path: &[Text]) -> &'v Value {
    path.iter().fold(value, |value, step| value.get(step))
}

impl fmt::Display for Attribute {
    /// As it is written in a condition: `event.properties["a b"]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(check::root_name(self.root))?;
        for step in &self.path {
            let plain = step.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
                && step.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if plain {
                write!(f, ".{step}")?;
            } else {
                let mut quoted = String::new();
                crate::json::write_text(&mut quoted, step);
                write!(f, "[{quoted}]")?;
            }
        }
        Ok(())
    }
}

fn problem(code: &'static str, place: ByteRange, message: String, help: &str) -> Problem {
    Problem { code, severity: Severity::Error, message, help: help.to_owned(), place }
}
