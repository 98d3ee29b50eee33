//! Tokens to a tree, by the grammar of CEL.
//!
//! The `cel` crate's parser is the reference in the tests, but not used here: it expands `exists` and
//! its like into loops whose name and place are lost, turns decimals into binary fractions, places a
//! call at its bracket, drops `!!`, and words its errors as sets of expected tokens.
//! Source: CEL language definition, "Syntax". Wider in two points: `!-x`, and any name after a dot.

use super::lex::{Lexeme, Token, lex};
use super::problem;
use crate::diagnostic::{ByteRange, Problem};
use crate::{Text, Value};

/// Deepest nesting of a tree; keeps every walk over it inside a small stack.
pub(super) const DEPTH_MAX: usize = 64;
/// Longest source in bytes.
pub(super) const SOURCE_BYTES_MAX: usize = 16 * 1024;

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub place: ByteRange,
    pub kind: Kind,
    depth: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Could not be read; its problem is reported already.
    Broken,
    Literal(Value),
    Name(Text),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Field {
        of: Box<Node>,
        name: Text,
    },
    Index {
        of: Box<Node>,
        index: Box<Node>,
    },
    Call {
        of: Option<Box<Node>>,
        name: Text,
        name_place: ByteRange,
        arguments: Vec<Node>,
    },
    Not(Box<Node>),
    Negate(Box<Node>),
    /// Two or more terms of `&&`.
    All(Vec<Node>),
    /// Two or more terms of `||`.
    AnyOf(Vec<Node>),
    Choose(Box<[Node; 3]>),
    Binary(Operator, Box<[Node; 2]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Compare(Comparison),
    Arithmetic(Arithmetic),
    In,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    pub fn symbol(self) -> &'static str {
        OPERATORS.iter().find(|(_, operator, _)| *operator == self).map_or("?", |(symbol, _, _)| symbol)
    }
}

const RELATION: u8 = 0;
const SUM: u8 = 1;
const PRODUCT: u8 = 2;

const OPERATORS: [(&str, Operator, u8); 12] = [
    ("==", Operator::Compare(Comparison::Equal), RELATION),
    ("!=", Operator::Compare(Comparison::NotEqual), RELATION),
    ("<", Operator::Compare(Comparison::Less), RELATION),
    ("<=", Operator::Compare(Comparison::LessOrEqual), RELATION),
    (">", Operator::Compare(Comparison::Greater), RELATION),
    (">=", Operator::Compare(Comparison::GreaterOrEqual), RELATION),
    ("in", Operator::In, RELATION),
    ("+", Operator::Arithmetic(Arithmetic::Add), SUM),
    ("-", Operator::Arithmetic(Arithmetic::Subtract), SUM),
    ("*", Operator::Arithmetic(Arithmetic::Multiply), PRODUCT),
    ("/", Operator::Arithmetic(Arithmetic::Divide), PRODUCT),
    ("%", Operator::Arithmetic(Arithmetic::Remainder), PRODUCT),
];

/// Reads the whole source. A tree comes back in any case; its broken parts are [`Kind::Broken`].
pub(super) fn parse(source: &str, problems: &mut Vec<Problem>) -> Node {
    if source.len() > SOURCE_BYTES_MAX {
        let place = ByteRange { start: 0, end: source.len() };
        let message = format!("this condition is {} bytes long; the limit is {SOURCE_BYTES_MAX}", source.len());
        problems.push(problem("condition-too-large", place, message, "move parts of it into audiences or computed traits"));
        return Node { place, kind: Kind::Broken, depth: 1 };
    }
    let lexemes = lex(source, problems);
    let mut parser = Parser { lexemes, at: 0, depth: 0, failed: false, problems };
    let tree = parser.expression();
    if parser.peek() != &Token::End {
        parser.left_over();
    }
    tree
}

struct Parser<'a> {
    lexemes: Vec<Lexeme>,
    at: usize,
    depth: usize,
    /// After the first error everything is skipped, so that one slip is one message.
    failed: bool,
    problems: &'a mut Vec<Problem>,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.lexemes[self.at].token
    }

    fn place(&self) -> ByteRange {
        self.lexemes[self.at].place
    }

    /// End of the token before this one.
    fn end(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |before| self.lexemes[before].place.end)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        if self.at + 1 < self.lexemes.len() {
            self.at += 1;
        }
        token
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(written) if *written == symbol);
        if found {
            self.next();
        }
        found
    }

    fn expect(&mut self, symbol: &str) {
        if !self.accept(symbol) {
            self.unexpected(&format!("`{symbol}`"));
        }
    }

    fn fail(&mut self, place: ByteRange, code: &'static str, message: String, help: &str) -> Node {
        if !self.failed {
            self.problems.push(problem(code, place, message, help));
        }
        self.failed = true;
        self.at = self.lexemes.len() - 1;
        Node { place, kind: Kind::Broken, depth: 1 }
    }

    fn unexpected(&mut self, wanted: &str) -> Node {
        let place = self.place();
        let message = match self.peek() {
            Token::End if self.at == 0 => {
                return self.fail(place, "condition-syntax", "the expression is empty".to_owned(), "write `true` if it shall always hold");
            }
            Token::End => format!("the expression ends where {wanted} should follow"),
            Token::Symbol(symbol) => format!("`{symbol}` stands where {wanted} should be"),
            Token::Name(name) | Token::Quoted(name) => format!("`{name}` stands where {wanted} should be"),
            Token::Number(number) => format!("the number {number} stands where {wanted} should be"),
            Token::Span(span) => format!("the length of time {span} stands where {wanted} should be"),
            Token::Text(_) => format!("a text stands where {wanted} should be"),
        };
        self.fail(place, "condition-syntax", message, &format!("write {wanted} here"))
    }

    /// Something follows an expression that is complete.
    fn left_over(&mut self) {
        let place = self.place();
        let (written, help) = match self.peek() {
            Token::Symbol(symbol @ (")" | "]" | "}")) => (*symbol, "remove it, or write the bracket that it closes"),
            Token::Symbol(symbol) => (*symbol, "remove it"),
            Token::Name(name) | Token::Quoted(name) => match name.to_ascii_lowercase().as_str() {
                "and" => (name.as_str(), "write `&&`"),
                "or" => (name.as_str(), "write `||`"),
                "is" | "equals" => (name.as_str(), "write `==`"),
                _ => (name.as_str(), "put an operator such as `&&` or `==` before it"),
            },
            _ => ("this", "put an operator such as `==` before it"),
        };
        let message = format!("`{written}` follows an expression that is complete");
        self.fail(place, "condition-syntax", message, help);
    }

    fn node(&mut self, start: usize, kind: Kind) -> Node {
        let place = ByteRange { start, end: self.end().max(start) };
        let depth = 1 + deepest_child(&kind);
        if depth > DEPTH_MAX {
            return self.too_deep(place);
        }
        Node { place, kind, depth }
    }

    fn too_deep(&mut self, place: ByteRange) -> Node {
        let message = format!("this condition is nested more than {DEPTH_MAX} levels deep");
        self.fail(place, "condition-too-large", message, "move parts of it into audiences or computed traits")
    }

    fn expression(&mut self) -> Node {
        self.depth += 1;
        let node = if self.depth > DEPTH_MAX {
            let place = self.place();
            self.too_deep(place)
        } else {
            self.choice()
        };
        self.depth -= 1;
        node
    }

    fn choice(&mut self) -> Node {
        let condition = self.any_of();
        if !self.accept("?") {
            return condition;
        }
        let start = condition.place.start;
        let yes = self.any_of();
        self.expect(":");
        let no = self.expression();
        self.node(start, Kind::Choose(Box::new([condition, yes, no])))
    }

    fn any_of(&mut self) -> Node {
        let first = self.all();
        let start = first.place.start;
        let mut terms = vec![first];
        while self.accept("||") {
            terms.push(self.all());
        }
        self.joined(start, terms, Kind::AnyOf)
    }

    fn all(&mut self) -> Node {
        let first = self.binary(RELATION);
        let start = first.place.start;
        let mut terms = vec![first];
        while self.accept("&&") {
            terms.push(self.binary(RELATION));
        }
        self.joined(start, terms, Kind::All)
    }

    fn joined(&mut self, start: usize, mut terms: Vec<Node>, join: fn(Vec<Node>) -> Kind) -> Node {
        match terms.pop() {
            Some(only) if terms.is_empty() => only,
            Some(last) => {
                terms.push(last);
                self.node(start, join(terms))
            }
            None => self.node(start, Kind::Broken),
        }
    }

    fn operator(&self, level: u8) -> Option<Operator> {
        let written = match self.peek() {
            Token::Symbol(symbol) => symbol,
            Token::Name(name) => name.as_str(),
            _ => return None,
        };
        OPERATORS.iter().find(|(symbol, _, at)| *at == level && *symbol == written).map(|(_, operator, _)| *operator)
    }

    fn binary(&mut self, level: u8) -> Node {
        let operand = |parser: &mut Self| if level == PRODUCT { parser.unary() } else { parser.binary(level + 1) };
        let mut left = operand(self);
        while let Some(operator) = self.operator(level) {
            self.next();
            let right = operand(self);
            left = self.node(left.place.start, Kind::Binary(operator, Box::new([left, right])));
        }
        left
    }

    fn unary(&mut self) -> Node {
        let start = self.place().start;
        let wrap: fn(Box<Node>) -> Kind = match self.peek() {
            Token::Symbol("!") => Kind::Not,
            Token::Symbol("-") => Kind::Negate,
            _ => return self.member(),
        };
        self.next();
        self.depth += 1;
        let inner = if self.depth > DEPTH_MAX {
            let place = self.place();
            self.too_deep(place)
        } else {
            self.unary()
        };
        self.depth -= 1;
        self.node(start, wrap(Box::new(inner)))
    }

    fn member(&mut self) -> Node {
        let mut node = self.primary();
        let start = node.place.start;
        loop {
            if self.accept(".") {
                let name_place = self.place();
                let (Token::Name(name) | Token::Quoted(name)) = self.peek().clone() else {
                    return self.unexpected("the name of a field");
                };
                self.next();
                if self.accept("(") {
                    let arguments = self.items(")");
                    node = self.node(start, Kind::Call { of: Some(Box::new(node)), name, name_place, arguments });
                } else {
                    node = self.node(start, Kind::Field { of: Box::new(node), name });
                }
            } else if self.accept("[") {
                let index = self.expression();
                self.expect("]");
                node = self.node(start, Kind::Index { of: Box::new(node), index: Box::new(index) });
            } else {
                return node;
            }
        }
    }

    /// Expressions up to `close`, with commas between them; one more comma may stand at the end.
    fn items(&mut self, close: &str) -> Vec<Node> {
        let mut items = Vec::new();
        while !self.accept(close) {
            items.push(self.expression());
            if !self.accept(",") {
                self.expect(close);
                break;
            }
        }
        items
    }

    fn primary(&mut self) -> Node {
        let place = self.place();
        let kind = match self.peek().clone() {
            Token::Number(number) => Kind::Literal(Value::Number(number)),
            Token::Text(text) => Kind::Literal(Value::Text(text)),
            Token::Name(name) => match name.as_str() {
                "true" => Kind::Literal(Value::Bool(true)),
                "false" => Kind::Literal(Value::Bool(false)),
                "null" => Kind::Literal(Value::Null),
                "in" => return self.unexpected("a value"),
                "not" if matches!(self.lexemes[self.at + 1].token, Token::Name(_)) => {
                    return self.fail(place, "condition-syntax", "`not` is no operator here".to_owned(), "write `!`");
                }
                _ => Kind::Name(name),
            },
            Token::Span(span) => Kind::Literal(Value::Span(span)),
            Token::Symbol("(") => {
                self.next();
                let mut inner = self.expression();
                self.expect(")");
                inner.place = ByteRange { start: place.start, end: self.end().max(inner.place.end) };
                return inner;
            }
            Token::Symbol("[") => {
                self.next();
                let items = self.items("]");
                return self.node(place.start, Kind::List(items));
            }
            Token::Symbol("{") => return self.map(),
            _ => return self.unexpected("a value"),
        };
        self.next();
        if let Kind::Name(name) = &kind
            && self.accept("(")
        {
            let (name, arguments) = (name.clone(), self.items(")"));
            return self.node(place.start, Kind::Call { of: None, name, name_place: place, arguments });
        }
        Node { place, kind, depth: 1 }
    }

    fn map(&mut self) -> Node {
        let start = self.place().start;
        self.next();
        let mut entries = Vec::new();
        while !self.accept("}") {
            let key = self.expression();
            self.expect(":");
            entries.push((key, self.expression()));
            if !self.accept(",") {
                self.expect("}");
                break;
            }
        }
        self.node(start, Kind::Map(entries))
    }
}

fn deepest_child(kind: &Kind) -> usize {
    let of = |nodes: &[Node]| nodes.iter().map(|node| node.depth).max().unwrap_or(0);
    match kind {
        Kind::Broken | Kind::Literal(_) | Kind::Name(_) => 0,
        Kind::List(nodes) | Kind::All(nodes) | Kind::AnyOf(nodes) => of(nodes),
        Kind::Map(entries) => entries.iter().map(|(key, value)| key.depth.max(value.depth)).max().unwrap_or(0),
        Kind::Field { of, .. } | Kind::Not(of) | Kind::Negate(of) => of.depth,
        Kind::Index { of, index } => of.depth.max(index.depth),
        Kind::Call { of: receiver, arguments, .. } => of(arguments).max(receiver.as_ref().map_or(0, |node| node.depth)),
        Kind::Choose(nodes) => of(nodes.as_slice()),
        Kind::Binary(_, nodes) => of(nodes.as_slice()),
    }
}
