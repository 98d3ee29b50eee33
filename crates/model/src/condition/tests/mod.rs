//! Tables and laws of the condition language.

mod messages;
mod reference;
mod semantics;
mod time;

use super::*;
use crate::json;

/// Types of the attributes that the tables use; what is not listed is of unknown kind.
pub(super) struct Declared;

impl Schema for Declared {
    fn attribute_type(&self, attribute: &Attribute) -> Result<Type, Unknown> {
        let path: Vec<&str> = attribute.path.iter().map(Text::as_str).collect();
        Ok(match (attribute.root, path.as_slice()) {
            (Root::Profile, ["traits", "orders"]) | (Root::Event, ["properties", "total"]) => Type::Number,
            (Root::Profile, ["traits", "tier"]) | (Root::Event, ["name"]) => Type::Text,
            (Root::Profile, ["traits", "vip"]) => Type::Bool,
            (Root::Profile, ["traits", "seen"]) => Type::Time,
            (Root::Profile, ["traits", "patience"]) => Type::Span,
            (Root::Profile, ["traits", "tags"]) => Type::List(Box::new(Type::Text)),
            (Root::Profile, ["traits", "address"]) => Type::Map,
            (Root::Profile, ["traits", "ghost"]) => {
                return Err(Unknown {
                    warning_only: true,
                    code: "trait-undeclared",
                    message: "no trait `ghost` is declared".to_owned(),
                    help: "declare it, or correct the name".to_owned(),
                });
            }
            (Root::Case, _) => {
                return Err(Unknown {
                    warning_only: false,
                    code: "attribute-not-here",
                    message: "there is no case here".to_owned(),
                    help: "use `profile` or `event`".to_owned(),
                });
            }
            _ => Type::Any,
        })
    }
}

/// Values as one JSON object `{"event": ..., "profile": ...}`; texts under `times` and `spans` are read as such.
pub(super) struct Facts {
    pub values: Value,
    pub now: Timestamp,
}

impl Facts {
    pub fn new(text: &str) -> Facts {
        Facts { values: json::parse(text).expect("facts are JSON"), now: Timestamp::parse("2026-03-01T10:00:00Z").expect("an instant") }
    }
}

impl Scope for Facts {
    fn attribute(&self, attribute: &Attribute) -> Value {
        if attribute.root == Root::Now {
            return Value::Time(self.now);
        }
        let found = step_into(self.values.get(check::root_name(attribute.root)), &attribute.path).clone();
        match (attribute.path.last().map(Text::as_str), &found) {
            (Some("seen"), Value::Text(text)) => Timestamp::parse(text).map_or(Value::Null, Value::Time),
            (Some("patience"), Value::Text(text)) => crate::Span::parse(text).map_or(Value::Null, Value::Span),
            _ => found,
        }
    }
}

pub(super) fn compiled(source: &str) -> Expression {
    match compile(source, &Declared) {
        Ok(compiled) => compiled.expression,
        Err(problems) => panic!("{source}: {}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    }
}
