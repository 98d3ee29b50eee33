//! The tree against the schema: names become attributes, kinds are checked, constants are read once.
//!
//! Every problem is reported; what could not be typed counts as `Any`, so that one mistake is one message.

use super::code::{Code, Operation};
use super::parse::{Kind, Node};
use super::{Attribute, Root, Schema, Type, evaluate, functions, problem};
use crate::diagnostic::{ByteRange, Problem, Severity};
use crate::{Text, Value};
use std::collections::BTreeSet;

pub(super) struct Checker<'a> {
    pub source: &'a str,
    pub schema: &'a dyn Schema,
    pub problems: &'a mut Vec<Problem>,
    pub attributes: BTreeSet<Attribute>,
    /// The variable of the loop that is being checked, and what it goes over.
    pub variable: Option<(Text, Type)>,
}

/// A checked part and what it gives.
pub(super) struct Typed {
    pub code: Code,
    pub gives: Type,
}

const ROOTS: [(&str, Root, Option<&str>); 8] = [
    ("event", Root::Event, None),
    ("profile", Root::Profile, None),
    ("enrollment", Root::Enrollment, None),
    ("case", Root::Case, None),
    ("message", Root::Message, None),
    ("now", Root::Now, None),
    ("traits", Root::Profile, Some("traits")),
    ("audiences", Root::Profile, Some("audiences")),
];

pub(super) fn root_name(root: Root) -> &'static str {
    ROOTS.iter().find(|(_, known, prefix)| *known == root && prefix.is_none()).map_or("?", |(name, _, _)| name)
}

/// How a message speaks of a value of this type.
pub(super) fn phrase(kind: &Type) -> &'static str {
    match kind {
        Type::Any => "something of unknown kind",
        Type::Bool => "true or false",
        Type::Number => "a number",
        Type::Text => "a text",
        Type::Time => "an instant",
        Type::Span => "a length of time",
        Type::List(_) => "a list",
        Type::Map => "a map",
    }
}

/// What holds both, or `None` when no value can be both.
pub(super) fn join(left: &Type, right: &Type) -> Option<Type> {
    match (left, right) {
        (Type::Any, _) | (_, Type::Any) => Some(Type::Any),
        (Type::List(left), Type::List(right)) => Some(Type::List(Box::new(join(left, right)?))),
        _ => (left == right).then(|| left.clone()),
    }
}

impl Checker<'_> {
    pub fn report(&mut self, code: &'static str, place: ByteRange, message: String, help: &str) {
        self.problems.push(problem(code, place, message, help));
    }

    /// The source at a place, shortened for a message.
    pub fn written(&self, place: ByteRange) -> String {
        const LETTERS_MAX: usize = 48;
        let text = self.source.get(place.start..place.end).unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().count() <= LETTERS_MAX {
            return text;
        }
        text.chars().take(LETTERS_MAX - 3).chain("...".chars()).collect()
    }

    pub fn typed(place: ByteRange, operation: Operation, gives: Type) -> Typed {
        Typed { code: Code { place, operation }, gives }
    }

    /// Stands for what could not be understood.
    pub fn unknown(place: ByteRange) -> Typed {
        Self::typed(place, Operation::Constant(Value::Null), Type::Any)
    }

    pub fn check(&mut self, node: &Node) -> Typed {
        let place = node.place;
        if let Some(attribute) = self.attribute_of(node) {
            return self.attribute(place, attribute);
        }
        match &node.kind {
            Kind::Broken => Self::unknown(place),
            Kind::Literal(value) => Self::typed(place, Operation::Constant(value.clone()), type_of(value)),
            Kind::Name(name) => self.name(place, name),
            Kind::List(items) => {
                let items: Vec<Typed> = items.iter().map(|item| self.check(item)).collect();
                let gives = common_type(&items);
                self.folded(place, Operation::List(items.into_iter().map(|item| item.code).collect()), Type::List(Box::new(gives)))
            }
            Kind::Map(entries) => self.map(place, entries),
            Kind::Field { of, name } => self.field(place, of, name),
            Kind::Index { of, index } => self.index(place, of, index),
            Kind::Call { of, name, name_place, arguments } => self.call(place, of.as_deref(), (name, *name_place), arguments),
            Kind::Not(inner) => {
                let inner = self.condition(inner, "`!` turns a condition round");
                Self::typed(place, Operation::Not(Box::new(inner)), Type::Bool)
            }
            Kind::Negate(inner) => self.negate(place, inner),
            Kind::All(terms) => {
                let terms = terms.iter().map(|term| self.condition(term, "`&&` joins conditions")).collect();
                Self::typed(place, Operation::All(terms), Type::Bool)
            }
            Kind::AnyOf(terms) => {
                let terms = terms.iter().map(|term| self.condition(term, "`||` joins conditions")).collect();
                Self::typed(place, Operation::AnyOf(terms), Type::Bool)
            }
            Kind::Choose(parts) => self.choose(place, parts),
            Kind::Binary(operator, sides) => self.binary(place, *operator, sides),
        }
    }

    /// A part that must be a condition; `why` opens the message when it is not.
    pub fn condition(&mut self, node: &Node, why: &str) -> Code {
        let typed = self.check(node);
        if !matches!(typed.gives, Type::Bool | Type::Any) {
            let message = format!("{why}, but `{}` is {}", self.written(node.place), phrase(&typed.gives));
            self.report("condition-type", node.place, message, comparison_for(&typed.gives));
        }
        typed.code
    }

    /// Root and constant steps: `event.properties["a b"].c`.
    fn attribute_of(&self, node: &Node) -> Option<Attribute> {
        let (of, name) = match &node.kind {
            Kind::Name(name) => {
                if self.variable.as_ref().is_some_and(|(variable, _)| variable == name) {
                    return None;
                }
                let (_, root, prefix) = ROOTS.iter().find(|(root, _, _)| root == name)?;
                return Some(Attribute { root: *root, path: prefix.iter().map(|step| Text::new(step)).collect() });
            }
            Kind::Field { of, name } => (of, name),
            Kind::Index { of, index } => match &index.kind {
                Kind::Literal(Value::Text(name)) => (of, name),
                _ => return None,
            },
            _ => return None,
        };
        let mut attribute = self.attribute_of(of).filter(|attribute| attribute.root != Root::Now)?;
        attribute.path.push(name.clone());
        Some(attribute)
    }

    fn attribute(&mut self, place: ByteRange, attribute: Attribute) -> Typed {
        let gives = match self.schema.attribute_type(&attribute) {
            Ok(_) if attribute.root == Root::Now => Type::Time,
            Ok(Type::Any) => {
                self.steps_lead_on(place, &attribute);
                Type::Any
            }
            Ok(gives) => gives,
            Err(unknown) => {
                let severity = if unknown.warning_only { Severity::Warning } else { Severity::Error };
                self.problems.push(Problem { code: unknown.code, severity, message: unknown.message, help: unknown.help, place });
                Type::Any
            }
        };
        self.attributes.insert(attribute.clone());
        Self::typed(place, Operation::Attribute(attribute), gives)
    }

    /// Reports a step into something that is known to have nothing inside.
    fn steps_lead_on(&mut self, place: ByteRange, attribute: &Attribute) {
        for length in 1..attribute.path.len() {
            let (path, next) = (attribute.path[..length].to_vec(), &attribute.path[length]);
            let before = Attribute { root: attribute.root, path };
            let Ok(kind) = self.schema.attribute_type(&before) else { continue };
            if !matches!(kind, Type::Any | Type::Map) {
                let message = format!("`{before}` is {} and has no field `{next}`", phrase(&kind));
                return self.report("condition-type", place, message, field_help(&kind));
            }
        }
    }

    fn name(&mut self, place: ByteRange, name: &Text) -> Typed {
        if let Some((variable, kind)) = &self.variable
            && variable == name
        {
            return Self::typed(place, Operation::Item, kind.clone());
        }
        let variable = self.variable.as_ref().map(|(variable, _)| variable.clone());
        let known = ROOTS.iter().map(|(root, _, _)| *root).chain(variable.as_deref());
        let help = match (name.as_str(), functions::nearest(name, known)) {
            ("True" | "TRUE", _) => "write `true`".to_owned(),
            ("False" | "FALSE", _) => "write `false`".to_owned(),
            ("None" | "nil" | "undefined" | "NULL" | "Null", _) => "write `null`".to_owned(),
            ("not", _) => "write `!`".to_owned(),
            (_, Some(near)) => format!("did you mean `{near}`?"),
            _ => format!("a condition starts from event, profile, enrollment, case, message or now; write \"{name}\" if this is a text"),
        };
        self.report("condition-unknown-name", place, format!("`{name}` is not known here"), &help);
        Self::unknown(place)
    }

    fn field(&mut self, place: ByteRange, of: &Node, name: &Text) -> Typed {
        let of = self.check(of);
        if !matches!(of.gives, Type::Map | Type::Any) {
            let message = format!("`{}` is {} and has no field `{name}`", self.written(of.code.place), phrase(&of.gives));
            let help = field_help(&of.gives);
            self.report("condition-type", place, message, help);
        }
        Self::typed(place, Operation::Field(Box::new(of.code), name.clone()), Type::Any)
    }

    fn index(&mut self, place: ByteRange, of: &Node, index: &Node) -> Typed {
        let (of, index) = (self.check(of), self.check(index));
        let (wanted, gives) = match &of.gives {
            Type::List(item) => (Some(Type::Number), item.as_ref().clone()),
            Type::Map => (Some(Type::Text), Type::Any),
            Type::Any => (None, Type::Any),
            other => {
                let message = format!("`{}` is {} and has nothing at an index", self.written(of.code.place), phrase(other));
                self.report("condition-type", place, message, "`[...]` looks into a list or a map");
                (None, Type::Any)
            }
        };
        if let Some(wanted) = wanted
            && join(&wanted, &index.gives).is_none()
        {
            let message = format!("{} is looked into with {}, not with {}", phrase(&of.gives), phrase(&wanted), phrase(&index.gives));
            self.report("condition-type", index.code.place, message, "write `[0]` for a list and `[\"name\"]` for a map");
        }
        Self::typed(place, Operation::Index(Box::new(of.code), Box::new(index.code)), gives)
    }

    fn map(&mut self, place: ByteRange, entries: &[(Node, Node)]) -> Typed {
        let mut checked = Vec::with_capacity(entries.len());
        for (key, item) in entries {
            let (key, item) = (self.check(key), self.check(item));
            if !matches!(key.gives, Type::Text | Type::Any) {
                let message = format!("the key `{}` is {}", self.written(key.code.place), phrase(&key.gives));
                self.report("condition-type", key.code.place, message, "keys of a map are texts, such as `\"name\"`");
            }
            checked.push((key.code, item.code));
        }
        self.folded(place, Operation::Map(checked), Type::Map)
    }

    fn negate(&mut self, place: ByteRange, inner: &Node) -> Typed {
        let inner = self.check(inner);
        if !matches!(inner.gives, Type::Number | Type::Any) {
            let message = format!("`-` needs a number, but `{}` is {}", self.written(inner.code.place), phrase(&inner.gives));
            let help = match inner.gives {
                Type::Bool => "write `!` to turn a condition round",
                Type::Span => "subtract the length of time instead",
                _ => "put a number behind the `-`",
            };
            self.report("condition-type", place, message, help);
            return Self::unknown(place);
        }
        self.folded(place, Operation::Negate(Box::new(inner.code)), Type::Number)
    }

    fn choose(&mut self, place: ByteRange, parts: &[Node; 3]) -> Typed {
        let condition = self.condition(&parts[0], "`?` follows a condition");
        let (yes, no) = (self.check(&parts[1]), self.check(&parts[2]));
        let gives = join(&yes.gives, &no.gives).unwrap_or_else(|| {
            let message = format!("`?:` gives {} or else {}", phrase(&yes.gives), phrase(&no.gives));
            self.report("condition-type", place, message, "both results must be of one kind");
            Type::Any
        });
        Self::typed(place, Operation::Choose(Box::new([condition, yes.code, no.code])), gives)
    }

    /// Computes what consists of constants only. A constant null that was computed is a mistake.
    pub fn folded(&mut self, place: ByteRange, operation: Operation, gives: Type) -> Typed {
        let code = Code { place, operation };
        let mut constant = true;
        code.each_part(&mut |part| constant = constant && matches!(part.operation, Operation::Constant(_)));
        if !constant {
            return Typed { code, gives };
        }
        let value = evaluate::value(&code, evaluate::Frame { scope: &NoAttributes, item: None }).into_owned();
        let mut null_part = false;
        code.each_part(&mut |part| null_part = null_part || matches!(part.operation, Operation::Constant(Value::Null)));
        if value.is_null() && !null_part {
            let message = format!("`{}` has no answer", self.written(place));
            let help = "look for a division by zero, a number that is too large, or a text that cannot be converted";
            self.report("condition-no-answer", place, message, help);
        }
        Self::typed(place, Operation::Constant(value), gives)
    }
}

/// What to write instead of a field of something that has none.
fn field_help(kind: &Type) -> &'static str {
    match kind {
        Type::List(_) => "look into a list with `[0]`, `in`, `exists(item, ...)` or `size(...)`",
        _ => "use the value itself",
    }
}

/// The scope of constants.
struct NoAttributes;

impl super::Scope for NoAttributes {
    fn attribute(&self, _: &Attribute) -> Value {
        Value::Null
    }
}

fn type_of(value: &Value) -> Type {
    match value {
        Value::Null => Type::Any,
        Value::Bool(_) => Type::Bool,
        Value::Number(_) => Type::Number,
        Value::Text(_) => Type::Text,
        Value::Time(_) => Type::Time,
        Value::Span(_) => Type::Span,
        Value::List(_) => Type::List(Box::new(Type::Any)),
        Value::Map(_) => Type::Map,
    }
}

fn common_type(items: &[Typed]) -> Type {
    let mut kinds = items.iter().map(|item| &item.gives);
    let Some(first) = kinds.next() else { return Type::Any };
    kinds.try_fold(first.clone(), |common, kind| join(&common, kind)).unwrap_or(Type::Any)
}

/// What to write where a condition was wanted and a value of this kind stands.
pub(super) fn comparison_for(kind: &Type) -> &'static str {
    match kind {
        Type::Number => "compare it, for example with `> 0`",
        Type::Text => "compare it, for example with `== \"...\"` or `!= null`",
        Type::Time => "compare it, for example with `< now`",
        Type::Span => "compare it, for example with `> duration(\"1d\")`",
        Type::List(_) => "ask for something in it with `in`, `exists(item, ...)` or `size(...) > 0`",
        _ => "compare it, for example with `!= null`",
    }
}
