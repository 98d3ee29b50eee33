//! Checks of comparisons, arithmetic and `in`.

use super::Type;
use super::check::{Checker, Typed, join, phrase};
use super::code::Operation;
use super::functions::{constant_text, parse_span};
use super::parse::{Arithmetic, Comparison, Node, Operator};
use crate::diagnostic::ByteRange;
use crate::{Timestamp, Value};

impl Checker<'_> {
    pub(super) fn binary(&mut self, place: ByteRange, operator: Operator, sides: &[Node; 2]) -> Typed {
        let (left, right) = (self.check(&sides[0]), self.check(&sides[1]));
        match operator {
            Operator::Compare(comparison) => self.compare(place, comparison, left, right),
            Operator::Arithmetic(arithmetic) => self.arithmetic(place, arithmetic, left, right),
            Operator::In => self.in_container(place, left, right),
        }
    }

    fn compare(&mut self, place: ByteRange, comparison: Comparison, left: Typed, right: Typed) -> Typed {
        let symbol = Operator::Compare(comparison).symbol();
        let ordering = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let is_null = |side: &Typed| matches!(side.code.operation, Operation::Constant(Value::Null));
        let left = self.instant_beside(left, &right.gives);
        let right = self.instant_beside(right, &left.gives);
        if !comparable(&left.gives, &right.gives) {
            let message = format!("`{symbol}` compares {} with {}", phrase(&left.gives), phrase(&right.gives));
            let help = comparison_help(&left, &right);
            self.report("condition-type", place, message, &help);
        } else if ordering && (is_null(&left) || is_null(&right)) && !self.problems.iter().any(|problem| touches(problem.place, place)) {
            let message = format!("`{symbol}` compares with null, which is never true");
            self.report("condition-type", place, message, "write `== null` or `!= null` to ask whether there is a value");
        } else if ordering && let Some(side) = [&left, &right].into_iter().find(|side| matches!(side.gives, Type::List(_) | Type::Map)) {
            let message = format!("`{symbol}` cannot order {}", phrase(&side.gives));
            self.report("condition-type", place, message, "compare `size(...)` or one of its items");
        }
        Self::typed(place, Operation::Compare(comparison, Box::new([left.code, right.code])), Type::Bool)
    }

    /// Reads a constant text that stands beside an instant once and for all.
    fn instant_beside(&mut self, side: Typed, other: &Type) -> Typed {
        let Some(text) = constant_text(&side.code).filter(|_| *other == Type::Time) else { return side };
        let place = side.code.place;
        match Timestamp::parse(text) {
            Ok(at) => Self::typed(place, Operation::Constant(Value::Time(at)), Type::Time),
            Err(error) => {
                if parse_span(text).is_some() {
                    let help = format!("write `duration(\"{text}\")` for a length of time");
                    self.report("condition-type", place, "a length of time must be marked as such".to_owned(), &help);
                } else {
                    let message = error.to_string();
                    let (message, help) = message.split_once("; ").unwrap_or((message.as_str(), ""));
                    self.report("condition-bad-time", place, message.to_owned(), help);
                }
                Self::unknown(place)
            }
        }
    }

    fn arithmetic(&mut self, place: ByteRange, operator: Arithmetic, left: Typed, right: Typed) -> Typed {
        let timed = matches!(operator, Arithmetic::Add | Arithmetic::Subtract);
        let (mut left, mut right) = (left, right);
        if timed {
            let beside = |other: &Type| if *other == Type::Span { Type::Time } else { other.clone() };
            let (left_type, right_type) = (beside(&left.gives), beside(&right.gives));
            left = self.instant_beside(left, &right_type);
            right = self.instant_beside(right, &left_type);
        }
        let Some(gives) = arithmetic_type(operator, &left.gives, &right.gives) else {
            let symbol = Operator::Arithmetic(operator).symbol();
            let message = format!("`{symbol}` cannot stand between {} and {}", phrase(&left.gives), phrase(&right.gives));
            let help = match (&left.gives, &right.gives) {
                (Type::Text, _) | (_, Type::Text) if operator == Arithmetic::Add => {
                    "convert the other side with `string(...)` to join texts, or the text with `double(...)` to add numbers"
                }
                (Type::Text, _) | (_, Type::Text) => "convert the text with `double(...)`",
                (Type::Time, Type::Time) => "subtract two instants to get a length of time",
                (Type::Time | Type::Span, _) | (_, Type::Time | Type::Span) => {
                    "write a length of time as `duration(\"1d\")`; it can be added to and subtracted from an instant"
                }
                _ => "use values of one kind",
            };
            self.report("condition-type", place, message, help);
            return Self::unknown(place);
        };
        self.folded(place, Operation::Arithmetic(operator, Box::new([left.code, right.code])), gives)
    }

    fn in_container(&mut self, place: ByteRange, left: Typed, right: Typed) -> Typed {
        match &right.gives {
            Type::List(item) if !comparable(&left.gives, item) => {
                let message = format!("`in` looks for {} in a list whose items are each {}", phrase(&left.gives), phrase(item));
                self.report("condition-type", place, message, "look for something of the same kind as the items");
            }
            Type::Map if !matches!(left.gives, Type::Text | Type::Any) => {
                let message = format!("`in` looks for {} among the keys of a map, which are texts", phrase(&left.gives));
                self.report("condition-type", place, message, "write a text on the left");
            }
            Type::List(_) | Type::Map | Type::Any => {}
            Type::Text => {
                let message = "`in` looks into a list or a map, but here is a text".to_owned();
                let help = format!("write `{}.contains({})`", self.written(right.code.place), self.written(left.code.place));
                self.report("condition-type", place, message, &help);
            }
            other => {
                let message = format!("`in` looks into a list or a map, but here is {}", phrase(other));
                self.report("condition-type", place, message, "write a list such as `[\"a\", \"b\"]` on the right");
            }
        }
        Self::typed(place, Operation::In(Box::new([left.code, right.code])), Type::Bool)
    }
}

fn touches(inner: ByteRange, outer: ByteRange) -> bool {
    inner.start >= outer.start && inner.end <= outer.end
}

/// Whether two values of these types can ever be equal. A text may hold an instant.
fn comparable(left: &Type, right: &Type) -> bool {
    match (left, right) {
        (Type::Time, Type::Text) | (Type::Text, Type::Time) => true,
        (Type::List(left), Type::List(right)) => comparable(left, right),
        _ => join(left, right).is_some(),
    }
}

/// `None` when no values of these types have an answer.
fn arithmetic_type(operator: Arithmetic, left: &Type, right: &Type) -> Option<Type> {
    use Type::{Any, List, Number, Span, Text, Time};
    let number = matches!(left, Any | Number) && matches!(right, Any | Number);
    match (operator, left, right) {
        (Arithmetic::Add, Any, Any) | (Arithmetic::Subtract, Any, Any) => Some(Any),
        _ if number => Some(Number),
        (Arithmetic::Add, Text, Text) => Some(Text),
        (Arithmetic::Add, List(_) | Any, List(_) | Any) => Some(join(left, right).unwrap_or(List(Box::new(Any)))),
        (Arithmetic::Add, Text, Any) | (Arithmetic::Add, Any, Text) => Some(Any),
        (Arithmetic::Add | Arithmetic::Subtract, Span, Span) => Some(Span),
        (Arithmetic::Add | Arithmetic::Subtract, Any, Span) => Some(Any),
        (Arithmetic::Add, Span, Any) => Some(Any),
        (Arithmetic::Subtract, Span, Any) => Some(Span),
        (Arithmetic::Add, Time | Text, Span) | (Arithmetic::Add, Span, Time | Text) => Some(Time),
        (Arithmetic::Add, Time, Any) | (Arithmetic::Add, Any, Time) => Some(Time),
        (Arithmetic::Subtract, Time | Text, Span) => Some(Time),
        (Arithmetic::Subtract, Time, Time | Text) | (Arithmetic::Subtract, Text | Any, Time) => Some(Span),
        (Arithmetic::Subtract, Time | Text, Any) => Some(Any),
        _ => None,
    }
}

/// How to bring both sides of a comparison to one kind.
fn comparison_help(left: &Typed, right: &Typed) -> String {
    let constant = constant_text(&left.code).or_else(|| constant_text(&right.code)).map(|text| text.as_str());
    match (&left.gives, &right.gives) {
        (Type::Number, Type::Text) | (Type::Text, Type::Number) => match constant {
            Some(text) if crate::json::number(text).is_some() => format!("write the number without quotes: `{text}`"),
            _ => "convert the text with `double(...)`, or the number with `string(...)`".to_owned(),
        },
        (Type::Bool, Type::Text) | (Type::Text, Type::Bool) => match constant {
            Some(text @ ("true" | "false")) => format!("write `{text}` without quotes"),
            _ => "convert the text with `bool(...)`".to_owned(),
        },
        (Type::Span, Type::Text) | (Type::Text, Type::Span) => match constant {
            Some(text) if parse_span(text).is_some() => format!("write `duration(\"{text}\")`"),
            _ => "convert the text with `duration(...)`".to_owned(),
        },
        (Type::Span, Type::Number) | (Type::Number, Type::Span) => "write the length of time as `duration(\"1d\")`".to_owned(),
        (Type::Time, Type::Span) | (Type::Span, Type::Time) => {
            "compare two lengths of time, as in `now - x > duration(\"1d\")`, or two instants".to_owned()
        }
        (Type::Time, _) | (_, Type::Time) => {
            "compare with another instant, such as `now` or `timestamp(\"2026-03-01T10:00:00Z\")`".to_owned()
        }
        (Type::List(_), _) | (_, Type::List(_)) => "look into a list with `in`, `exists(item, ...)` or `size(...)`".to_owned(),
        (Type::Bool, _) | (_, Type::Bool) => "a condition stands by itself, without a comparison".to_owned(),
        _ => "compare values of one kind".to_owned(),
    }
}
