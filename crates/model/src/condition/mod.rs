//! The condition language: CEL with static types, exact decimals and no run-time errors.
//!
//! `compile` parses (crate `cel`), checks types against a [`Schema`] and yields an [`Expression`]
//! that is evaluated against a [`Scope`] without allocation for common cases.

use crate::{Text, Value};

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
