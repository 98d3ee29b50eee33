//! Checks of function calls, `has` and loops.

use super::Type;
use super::check::{Checker, Typed, phrase};
use super::code::{Code, Loop, LoopKind, Operation};
use super::functions::{Form, Function, SIGNATURES, Signature, Zone, constant_text, nearest, parse_span, parse_zone};
use super::parse::{Kind, Node};
use crate::diagnostic::ByteRange;
use crate::{Text, Timestamp, Value};

/// Largest compiled pattern in bytes; above it, matching would be slow to build and to hold.
const PATTERN_BYTES_MAX: usize = 256 * 1024;

const LOOPS: [(&str, LoopKind); 6] = [
    ("all", LoopKind::All),
    ("exists", LoopKind::Exists),
    ("exists_one", LoopKind::ExistsOne),
    ("existsOne", LoopKind::ExistsOne),
    ("filter", LoopKind::Filter),
    ("map", LoopKind::Map),
];

/// What people write from habit, and what to tell them.
const HABITS: [(&str, &str); 18] = [
    ("length", "write `size(x)`"),
    ("len", "write `size(x)`"),
    ("count", "write `size(x)`"),
    ("lower", "write `x.lowerAscii()`"),
    ("toLowerCase", "write `x.lowerAscii()`"),
    ("upper", "write `x.upperAscii()`"),
    ("toUpperCase", "write `x.upperAscii()`"),
    ("includes", "write `x.contains(\"...\")` for a text and `\"...\" in x` for a list"),
    ("any", "write `x.exists(item, ...)`"),
    ("some", "write `x.exists(item, ...)`"),
    ("every", "write `x.all(item, ...)`"),
    ("regex", "write `x.matches(\"...\")`"),
    ("date", "write `timestamp(\"2026-03-01T10:00:00Z\")`"),
    ("now", "write `now` without parentheses"),
    ("exists", "ask for a value with `has(profile.traits.x)`, or go over a list with `x.exists(item, ...)`"),
    ("not", "write `!`"),
    ("isEmpty", "write `size(x) == 0`"),
    ("number", "write `double(x)`"),
];

impl Checker<'_> {
    pub(super) fn call(&mut self, place: ByteRange, of: Option<&Node>, name: (&Text, ByteRange), arguments: &[Node]) -> Typed {
        if let Some(of) = of
            && let Some((_, kind)) = LOOPS.iter().find(|(known, _)| *known == name.0.as_str())
        {
            return self.iterate(place, *kind, of, name.0, arguments);
        }
        if of.is_none() && name.0 == "has" {
            return self.has(place, arguments);
        }
        let signature = SIGNATURES.iter().find(|signature| signature.name == name.0.as_str());
        let signature = signature.filter(|signature| signature.form == Form::Both || (signature.form == Form::Method) == of.is_some());
        let given: Vec<Typed> = of.into_iter().chain(arguments).map(|argument| self.check(argument)).collect();
        let Some(signature) = signature else {
            self.unknown_function(name, of.is_some());
            return Self::unknown(place);
        };
        if !self.arguments_fit(place, signature, &given) {
            return Self::typed(place, Operation::Constant(Value::Null), signature.gives.clone());
        }
        self.apply(place, signature, given)
    }

    fn unknown_function(&mut self, (name, place): (&Text, ByteRange), method: bool) {
        if let Some(signature) = SIGNATURES.iter().find(|signature| signature.name == name.as_str()) {
            let way = if method { "is not called on a value" } else { "is called on a value" };
            let help = format!("write `{}`", signature.usage());
            return self.report("condition-unknown-function", place, format!("`{name}` {way}"), &help);
        }
        let known = SIGNATURES.iter().map(|signature| signature.name);
        let loops = LOOPS.iter().map(|(name, _)| *name);
        let help = match HABITS.iter().find(|(habit, _)| *habit == name.as_str()) {
            Some((_, help)) => (*help).to_owned(),
            None => match nearest(name, known.chain(loops).chain(["has"])) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "the page of this error lists all functions".to_owned(),
            },
        };
        self.report("condition-unknown-function", place, format!("there is no function `{name}`"), &help);
    }

    fn arguments_fit(&mut self, place: ByteRange, signature: &Signature, given: &[Typed]) -> bool {
        let (fewest, most) = signature.arguments();
        if given.len() < fewest || given.len() > most {
            let problem = if given.len() < fewest { "too few" } else { "too many" };
            let message = format!("`{}` is given {problem} values", signature.name);
            self.report("condition-wrong-arguments", place, message, &format!("write `{}`", signature.usage()));
            return false;
        }
        let mut fit = true;
        for (position, argument) in given.iter().enumerate() {
            if !signature.accepts(position, &argument.gives) {
                let written = self.written(argument.code.place);
                let wanted = signature.wanted(position);
                let message = format!("`{}` needs {wanted}, but `{written}` is {}", signature.name, phrase(&argument.gives));
                let help = match (signature.function, &argument.gives) {
                    (Function::Contains, Type::List(_)) => "write `\"...\" in x` to look into a list",
                    (_, Type::Number) if wanted == "a text" => "convert the number with `string(...)`",
                    _ => "give it a value of that kind",
                };
                self.report("condition-type", argument.code.place, message, help);
                fit = false;
            }
        }
        fit
    }

    /// Readies a call whose arguments fit: constants are read here, once.
    fn apply(&mut self, place: ByteRange, signature: &Signature, given: Vec<Typed>) -> Typed {
        let gives = signature.gives.clone();
        let mut parts = given.into_iter().map(|typed| typed.code);
        let (first, second) = (parts.next(), parts.next());
        let Some(first) = first else { return Self::unknown(place) };
        match (signature.function, second) {
            (Function::Matches, Some(pattern)) => match self.pattern(&pattern) {
                Some(pattern) => Self::typed(place, Operation::Matches(Box::new(first), pattern), gives),
                None => Self::typed(place, Operation::Constant(Value::Null), gives),
            },
            (Function::Part(part), zone) => {
                let zone = self.zone(zone);
                Self::typed(place, Operation::Part(part, Box::new(first), zone), gives)
            }
            (Function::Duration, _) if constant_text(&first).is_some_and(|text| parse_span(text).is_none()) => {
                let message = format!("`{}` is not a duration", self.written(first.place));
                let help = "write a whole number and a unit, such as 30s, 10m, 24h, 7d or 2w";
                self.report("condition-bad-duration", first.place, message, help);
                Self::typed(place, Operation::Constant(Value::Null), gives)
            }
            (Function::Timestamp, _) if constant_text(&first).is_some_and(|text| Timestamp::parse(text).is_err()) => {
                let message = format!("`{}` is not an instant", self.written(first.place));
                self.report("condition-bad-time", first.place, message, "write RFC 3339 such as 2026-03-01T10:00:00Z");
                Self::typed(place, Operation::Constant(Value::Null), gives)
            }
            (function, second) => self.folded(place, Operation::Call(function, [first].into_iter().chain(second).collect()), gives),
        }
    }

    fn pattern(&mut self, pattern: &Code) -> Option<regex::Regex> {
        let Some(text) = constant_text(pattern) else {
            let message = format!("the pattern `{}` is not fixed", self.written(pattern.place));
            self.report("condition-bad-pattern", pattern.place, message, "write the pattern as a text, such as `\"^A[0-9]+$\"`");
            return None;
        };
        match regex::RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).build() {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let (message, help) = match error {
                    regex::Error::CompiledTooBig(_) => {
                        ("this pattern is too large".to_owned(), "use smaller counts such as `{1,20}`".to_owned())
                    }
                    other => {
                        // The last line of the regex crate's message is the reason; the lines before draw the place.
                        let reason = other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                        ("this pattern cannot be read".to_owned(), format!("{reason}; patterns have RE2's syntax"))
                    }
                };
                self.report("condition-bad-pattern", pattern.place, message, &help);
                None
            }
        }
    }

    fn zone(&mut self, zone: Option<Code>) -> Zone {
        let Some(zone) = zone else { return Zone::Utc };
        let Some(name) = constant_text(&zone) else { return Zone::Computed(Box::new(zone)) };
        match parse_zone(name) {
            Some(zone) => Zone::Named(Box::new(zone)),
            None => {
                let message = format!("`{name}` is not a time zone");
                self.report(
                    "condition-bad-time-zone",
                    zone.place,
                    message,
                    "write a name such as Europe/Berlin, or an offset such as +02:00",
                );
                Zone::Utc
            }
        }
    }

    fn has(&mut self, place: ByteRange, arguments: &[Node]) -> Typed {
        let field = match arguments {
            [Node { kind: Kind::Field { .. } | Kind::Index { .. }, .. }] => &arguments[0],
            _ => {
                let message = "`has` asks for one field".to_owned();
                self.report("condition-wrong-arguments", place, message, "write `has(profile.traits.tier)`");
                return Self::typed(place, Operation::Constant(Value::Null), Type::Bool);
            }
        };
        let field = self.check(field);
        Self::typed(place, Operation::Present(Box::new(field.code)), Type::Bool)
    }

    fn iterate(&mut self, place: ByteRange, kind: LoopKind, of: &Node, name: &Text, arguments: &[Node]) -> Typed {
        let range = self.check(of);
        let usage = format!("write `{}.{name}(item, ...)`", self.written(of.place));
        let (variable, guard, body) = match arguments {
            [Node { kind: Kind::Name(variable), .. }, body] => (variable, None, body),
            [Node { kind: Kind::Name(variable), .. }, guard, body] if kind == LoopKind::Map => (variable, Some(guard), body),
            _ => {
                let message = format!("`{name}` needs a name for the item and an expression");
                self.report("condition-wrong-arguments", place, message, &usage);
                return Self::unknown(place);
            }
        };
        if self.variable.is_some() {
            let message = format!("`{name}` stands inside another loop");
            self.report("condition-nested-loop", place, message, "compute the inner part as a trait, or compare with `in`");
            return Self::unknown(place);
        }
        let mapped = |operation: &Operation| matches!(operation, Operation::Loop(inner) if inner.kind == LoopKind::Map);
        if kind == LoopKind::Map && range.code.contains(&mapped) {
            let message = "`map` goes over what another `map` gave".to_owned();
            self.report("condition-nested-loop", place, message, "join both into one `map`");
        }
        let item = match &range.gives {
            Type::List(item) => item.as_ref().clone(),
            Type::Any => Type::Any,
            other => {
                let message = format!("`{name}` goes over a list, but `{}` is {}", self.written(of.place), phrase(other));
                self.report("condition-type", of.place, message, "put a list before the dot");
                Type::Any
            }
        };
        self.variable = Some((variable.clone(), item.clone()));
        let why = format!("`{name}` needs a condition for each item");
        let guard = guard.map(|guard| self.condition(guard, &why));
        let (body, gives) = match kind {
            LoopKind::Map => {
                let body = self.check(body);
                (body.code, Type::List(Box::new(body.gives)))
            }
            LoopKind::Filter => (self.condition(body, &why), Type::List(Box::new(item))),
            LoopKind::All | LoopKind::Exists | LoopKind::ExistsOne => (self.condition(body, &why), Type::Bool),
        };
        self.variable = None;
        Self::typed(place, Operation::Loop(Box::new(Loop { kind, range: range.code, guard, body })), gives)
    }
}
