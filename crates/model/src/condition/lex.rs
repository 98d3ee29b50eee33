//! Text to tokens: numbers are decimals as written, texts are unescaped, comments are dropped.
//!
//! Source: CEL language definition, "Syntax" (lexical elements). Bytes literals are not accepted.

use super::problem;
use crate::diagnostic::{ByteRange, Problem};
use crate::{Decimal, Span, Text, json};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(Decimal),
    Text(Text),
    /// A bare `30d`; reported, but understood.
    Span(Span),
    /// A name, or one of `true false null in`, which only the grammar can tell from a field's name.
    Name(Text),
    /// A field's name between backticks.
    Quoted(Text),
    Symbol(&'static str),
    End,
}

#[derive(Clone, Debug)]
pub(super) struct Lexeme {
    pub token: Token,
    pub place: ByteRange,
}

/// Longer symbols stand before their prefixes.
const SYMBOLS: [&str; 24] =
    ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", "(", ")", "[", "]", "{", "}", ",", "."];

/// What people write instead, what it is read as, and what to tell them.
const MISTAKES: [(&str, &str, &str); 6] = [
    ("===", "==", "write `==`"),
    ("=", "==", "write `==` to compare"),
    ("<>", "!=", "write `!=`"),
    ("&", "&&", "write `&&`"),
    ("|", "||", "write `||`"),
    (";", "", "a condition is one expression; join two with `&&`"),
];

const CURLED_QUOTES: [char; 5] = ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}'];

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    lexemes: Vec<Lexeme>,
    problems: &'a mut Vec<Problem>,
}

/// All tokens, the last one [`Token::End`]. What cannot be read is reported and left out.
pub(super) fn lex(source: &str, problems: &mut Vec<Problem>) -> Vec<Lexeme> {
    let mut lexer = Lexer { source, at: 0, lexemes: Vec::new(), problems };
    while lexer.at < source.len() {
        lexer.step();
    }
    lexer.push(source.len(), Token::End);
    lexer.lexemes
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.source[self.at..]
    }

    fn push(&mut self, start: usize, token: Token) {
        self.lexemes.push(Lexeme { token, place: ByteRange { start, end: self.at } });
    }

    fn report(&mut self, start: usize, code: &'static str, message: String, help: &str) {
        self.problems.push(problem(code, ByteRange { start, end: self.at }, message, help));
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &str {
        let start = self.at;
        let length = self.rest().find(|letter| !keep(letter)).unwrap_or(self.rest().len());
        self.at += length;
        &self.source[start..self.at]
    }

    fn step(&mut self) {
        let start = self.at;
        let Some(first) = self.rest().chars().next() else { return };
        let second = self.source.as_bytes().get(start + 1).copied().unwrap_or(0);
        match first {
            _ if first.is_whitespace() => self.at += first.len_utf8(),
            '/' if second == b'/' => {
                self.take_while(|letter| letter != '\n');
            }
            '0'..='9' => self.number(),
            '.' if second.is_ascii_digit() && !self.after_operand() => self.number(),
            '"' | '\'' => self.text(false),
            'r' | 'R' if matches!(second, b'"' | b'\'') => {
                self.at += 1;
                self.text(true);
            }
            'b' | 'B' if matches!(second, b'"' | b'\'') => {
                self.at += 1;
                self.report(start, "condition-syntax", "bytes cannot be written here".to_owned(), "leave out the `b` to write a text");
                self.text(false);
            }
            '`' => self.quoted_name(),
            'a'..='z' | 'A'..='Z' | '_' => {
                let name = Text::new(self.take_while(|letter| letter.is_ascii_alphanumeric() || letter == '_'));
                self.push(start, Token::Name(name));
            }
            _ if CURLED_QUOTES.contains(&first) => self.curled_text(first),
            _ => self.symbol(first),
        }
    }

    /// A text between quotes that a word processor has curled: reported, but understood.
    fn curled_text(&mut self, first: char) {
        let start = self.at;
        self.at += first.len_utf8();
        let text = Text::new(self.take_while(|letter| letter != '\n' && !CURLED_QUOTES.contains(&letter)));
        self.at += self.rest().chars().next().filter(|letter| CURLED_QUOTES.contains(letter)).map_or(0, char::len_utf8);
        let help = format!("write `\"{text}\"`, between straight quotes");
        self.report(start, "condition-syntax", format!("`{first}` is not a quote here"), &help);
        self.push(start, Token::Text(text));
    }

    /// A dot after these selects a field.
    fn after_operand(&self) -> bool {
        match self.lexemes.last() {
            Some(Lexeme { token: Token::Symbol(symbol), place }) => matches!(*symbol, ")" | "]" | "}") && place.end == self.at,
            Some(Lexeme { place, .. }) => place.end == self.at,
            None => false,
        }
    }

    fn symbol(&mut self, first: char) {
        let start = self.at;
        let mistake = MISTAKES.iter().find(|(written, _, _)| self.rest().starts_with(written));
        let symbol = SYMBOLS.iter().find(|symbol| self.rest().starts_with(**symbol));
        match (symbol, mistake) {
            (Some(symbol), mistake) if mistake.is_none_or(|(written, _, _)| written.len() < symbol.len()) => {
                self.at += symbol.len();
                self.push(start, Token::Symbol(symbol));
            }
            (_, Some((written, read_as, help))) => {
                self.at += written.len();
                self.report(start, "condition-syntax", format!("`{written}` is no operator here"), help);
                if !read_as.is_empty() {
                    self.push(start, Token::Symbol(read_as));
                }
            }
            _ => {
                self.at += first.len_utf8();
                let help = match first {
                    '\u{2265}' => "write `>=`",
                    '\u{2264}' => "write `<=`",
                    '\u{2260}' => "write `!=`",
                    _ => "remove it, or put it between quotes when it belongs to a text",
                };
                self.report(start, "condition-syntax", format!("`{first}` cannot stand here"), help);
            }
        }
    }

    fn number(&mut self) {
        let start = self.at;
        let word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        self.take_while(word);
        let hexadecimal = self.source[start..self.at].starts_with("0x") || self.source[start..self.at].starts_with("0X");
        if !hexadecimal {
            if self.rest().starts_with('.') && self.source.as_bytes().get(self.at + 1).is_some_and(u8::is_ascii_digit) {
                self.at += 1;
                self.take_while(word);
            }
            if self.source[start..self.at].ends_with(['e', 'E']) && self.rest().starts_with(['+', '-']) {
                self.at += 1;
                self.take_while(word);
            }
        }
        let written = &self.source[start..self.at];
        let digits = written.trim_end_matches(['u', 'U']);
        let number = if hexadecimal {
            i128::from_str_radix(&digits[2..], 16).ok().and_then(|number| Decimal::try_from_i128_with_scale(number, 0).ok())
        } else if digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')) {
            json::number(digits)
        } else {
            None
        };
        if let Some(number) = number {
            return self.push(start, Token::Number(number));
        }
        if let Ok(span) = Span::parse(written) {
            let (message, help) = (format!("`{written}` is not a number"), format!("write `duration(\"{written}\")` for a length of time"));
            self.report(start, "condition-bad-number", message, &help);
            return self.push(start, Token::Span(span));
        }
        let help = "write digits such as 20 or 19.95, with at most 28 of them";
        let message = format!("`{written}` is not a number that can be kept exactly");
        self.report(start, "condition-bad-number", message, help);
        // A zero stands in, so that the rest can be checked in the same run.
        self.push(start, Token::Number(Decimal::ZERO));
    }

    fn quoted_name(&mut self) {
        let start = self.at;
        self.at += 1;
        let name = Text::new(self.take_while(|letter| letter != '`' && letter != '\n'));
        if self.rest().starts_with('`') {
            self.at += 1;
            self.push(start, Token::Quoted(name));
        } else {
            self.report(start, "condition-syntax", "this name has no closing backtick".to_owned(), "add a backtick");
        }
    }

    /// The opening quote is at `self.at`.
    fn text(&mut self, raw: bool) {
        let start = self.at;
        let one = &self.source[start..=start];
        let triple = self.rest().starts_with(&one.repeat(3));
        let quote = if triple { one.repeat(3) } else { one.to_owned() };
        self.at += quote.len();
        let mut text = String::new();
        loop {
            if self.rest().starts_with(quote.as_str()) {
                self.at += quote.len();
                break;
            }
            match self.rest().chars().next() {
                Some('\\') if !raw => self.escape(&mut text),
                Some(letter) if triple || letter != '\n' => {
                    text.push(letter);
                    self.at += letter.len_utf8();
                }
                _ => {
                    let help = format!("add `{quote}` where the text ends");
                    self.report(start, "condition-syntax", "this text has no closing quote".to_owned(), &help);
                    break;
                }
            }
        }
        self.push(start, Token::Text(Text::from(text)));
    }

    /// The backslash is at `self.at`.
    fn escape(&mut self, text: &mut String) {
        let start = self.at;
        let letter = self.rest().chars().nth(1).unwrap_or(' ');
        self.at = (start + 1 + letter.len_utf8()).min(self.source.len());
        let simple = match letter {
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'v' => Some('\u{b}'),
            '\\' | '"' | '\'' | '`' | '?' => Some(letter),
            _ => None,
        };
        let (from, length, radix) = match letter {
            'x' | 'X' => (start + 2, 2, 16),
            'u' => (start + 2, 4, 16),
            'U' => (start + 2, 8, 16),
            _ => (start + 1, 3, 8),
        };
        let decoded = simple.or_else(|| {
            let digits = self.source.get(from..from + length).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
            let decoded = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
            self.at = from + length;
            Some(decoded)
        });
        match decoded {
            Some(decoded) => text.push(decoded),
            None => {
                let message = format!("`{}` is not an escape", &self.source[start..self.at]);
                self.report(start, "condition-syntax", message, "write `\\\\` for a backslash, or put an `r` before the opening quote");
            }
        }
    }
}
