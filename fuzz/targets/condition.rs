//! Any text is an expression or a list of problems; what compiles also evaluates, explains and looks ahead.
#![no_main]

use faden_model::condition::{Attribute, Options, Root, Schema, Scope, Type, Unknown, compile_with};
use faden_model::{Timestamp, Value};

/// Takes every name; the types are those that the names ask for.
struct Everything;

impl Schema for Everything {
    fn attribute_type(&self, attribute: &Attribute) -> Result<Type, Unknown> {
        Ok(match attribute.path.last().map_or("", |name| name.as_str()) {
            _ if attribute.root == Root::Now => Type::Time,
            "n" => Type::Number,
            "t" => Type::Text,
            "b" => Type::Bool,
            "at" => Type::Time,
            "list" => Type::List(Box::new(Type::Any)),
            _ => Type::Any,
        })
    }
}

impl Scope for Everything {
    fn attribute(&self, attribute: &Attribute) -> Value {
        match attribute.path.last().map_or("", |name| name.as_str()) {
            _ if attribute.root == Root::Now => Value::Time(NOW),
            "n" => Value::Number(faden_model::Decimal::new(7_922_816_251_426_433, 3)),
            "t" => Value::Text("2026-03-01T10:00:00Z".into()),
            "b" => Value::Bool(true),
            "at" => Value::Time(Timestamp(NOW.0 - 1)),
            "list" => Value::List(vec![Value::Null, Value::Bool(false), Value::Text("a".into())]),
            _ => Value::Null,
        }
    }
}

/// 2026-03-01T10:00:00Z
const NOW: Timestamp = Timestamp(1_772_359_200_000);

libfuzzer_sys::fuzz_target!(|source: &[u8]| {
    let Ok(source) = std::str::from_utf8(source) else { return };
    for solve_now in [false, true] {
        match compile_with(source, &Everything, Options { condition_wanted: solve_now, solve_now }) {
            Ok(compiled) => {
                let expression = compiled.expression;
                let value = expression.evaluate(&Everything);
                assert_eq!(expression.holds(&Everything), value == Value::Bool(true), "a condition holds when its value is true");
                let _ = expression.explain(&Everything);
                if let Some(next) = expression.next_change(&Everything, NOW) {
                    assert!(next > NOW, "what changes next lies ahead");
                }
            }
            Err(problems) => {
                assert!(!problems.is_empty(), "a refusal says why");
                for problem in problems {
                    assert!(source.get(problem.place.start..problem.place.end).is_some(), "a problem stands inside its source");
                }
            }
        }
    }
});
