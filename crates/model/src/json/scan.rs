//! Walks over JSON text without building anything: finds where values begin and end, and that they are JSON.
//!
//! Accepts what `serde_json` accepts (RFC 8259) down to [`DEPTH_MAX`] levels, which keeps whoever reads
//! the parts later from running out of stack. It says only *that* a text is broken; `explain` says where.
//! It exists because three quarters of reading an event are finding its members, and this takes a third of
//! the time that raw values through serde take.

use serde::de::IgnoredAny;
use std::borrow::Cow;

/// Levels of nesting inside one value; the Segment spec knows none beyond ten.
pub const DEPTH_MAX: usize = 64;

/// The text is not JSON, or is nested too deeply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

/// A position in a text.
#[derive(Clone, Copy)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// The error with line and column for a text that a scanner could not read as an object or array.
/// `opening` is the bracket with which the text should begin.
pub fn explain(text: &str, opening: char) -> serde_json::Error {
    use serde::de::Error;
    let wanted = if opening == '{' { "an object" } else { "an array" };
    match serde_json::from_str::<IgnoredAny>(text) {
        Err(error) => error,
        Ok(_) if text.trim_start().starts_with(opening) => {
            serde_json::Error::custom(format_args!("nested more than {DEPTH_MAX} levels deep"))
        }
        Ok(_) => serde_json::Error::custom(format_args!("expected {wanted}")),
    }
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0 }
    }

    /// The next byte that is not white space, without moving past it; 0 at the end.
    #[inline]
    pub fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                other => return *other,
            }
        }
        0
    }

    /// The text between two positions in one text.
    pub fn until(&self, later: &Scanner<'a>) -> &'a str {
        &self.text[self.at..later.at]
    }

    /// Moves past this text if it stands here, byte for byte.
    #[inline]
    pub fn skip(&mut self, text: &str) -> bool {
        let found = self.text.as_bytes()[self.at..].starts_with(text.as_bytes());
        self.at += if found { text.len() } else { 0 };
        found
    }

    /// Moves past this byte if it comes next, white space before it or not.
    #[inline]
    pub fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == wanted;
        self.at += usize::from(found);
        found
    }

    /// Nothing but white space is left.
    pub fn end(&mut self) -> Result<(), Broken> {
        self.peek();
        if self.at == self.text.len() { Ok(()) } else { Err(Broken) }
    }

    /// Calls `visit` at the value of each member; it must move past the value.
    pub fn object(&mut self, mut visit: impl FnMut(&mut Scanner<'a>, &str) -> Result<(), Broken>) -> Result<(), Broken> {
        if !self.take(b'{') {
            return Err(Broken);
        }
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let name = self.name()?;
            visit(self, &name)?;
            if !self.take(b',') {
                return if self.take(b'}') { Ok(()) } else { Err(Broken) };
            }
        }
    }

    /// Calls `visit` at each item; it must move past the item.
    pub fn array(&mut self, mut visit: impl FnMut(&mut Scanner<'a>) -> Result<(), Broken>) -> Result<(), Broken> {
        if !self.take(b'[') {
            return Err(Broken);
        }
        if self.take(b']') {
            return Ok(());
        }
        loop {
            visit(self)?;
            if !self.take(b',') {
                return if self.take(b']') { Ok(()) } else { Err(Broken) };
            }
        }
    }

    /// A member's name and the colon; a name with a broken surrogate pair is read as empty.
    pub fn name(&mut self) -> Result<Cow<'a, str>, Broken> {
        if self.peek() != b'"' {
            return Err(Broken);
        }
        let start = self.at;
        let plain = self.string()?;
        let quoted = &self.text[start..self.at];
        if !self.take(b':') {
            return Err(Broken);
        }
        if plain {
            return Ok(Cow::Borrowed(&quoted[1..quoted.len() - 1]));
        }
        Ok(Cow::Owned(serde_json::from_str(quoted).unwrap_or_default()))
    }

    /// Moves past one value and returns its text.
    pub fn value(&mut self) -> Result<&'a str, Broken> {
        self.value_and_form().map(|(text, _)| text)
    }

    /// As [`Scanner::value`], and whether it is a string written without escapes.
    pub fn value_and_form(&mut self) -> Result<(&'a str, bool), Broken> {
        let first = self.peek();
        let start = self.at;
        let mut plain = false;
        match first {
            b'"' => plain = self.string()?,
            b'{' | b'[' => self.nested()?,
            _ => self.scalar(first)?,
        }
        Ok((&self.text[start..self.at], plain))
    }

    #[inline]
    fn scalar(&mut self, first: u8) -> Result<(), Broken> {
        match first {
            b'"' => self.string().map(|_| ()),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => Err(Broken),
        }
    }

    /// Moves past an object or array; one bit per open level says which of the two it is.
    fn nested(&mut self) -> Result<(), Broken> {
        const _: () = assert!(DEPTH_MAX == u64::BITS as usize);
        let (mut objects, mut depth) = (0u64, 0usize);
        loop {
            // Here a value begins.
            let first = self.peek();
            if first == b'{' || first == b'[' {
                if depth == DEPTH_MAX {
                    return Err(Broken);
                }
                let is_object = first == b'{';
                self.at += 1;
                let closing = if is_object { b'}' } else { b']' };
                if !self.take(closing) {
                    objects = objects << 1 | u64::from(is_object);
                    depth += 1;
                    if is_object {
                        self.skip_name()?;
                    }
                    continue;
                }
            } else {
                self.scalar(first)?;
            }
            // Here a value has ended; close levels until another one begins.
            loop {
                if depth == 0 {
                    return Ok(());
                }
                let is_object = objects & 1 == 1;
                match self.peek() {
                    b',' => {
                        self.at += 1;
                        if is_object {
                            self.skip_name()?;
                        }
                        break;
                    }
                    b'}' if is_object => {}
                    b']' if !is_object => {}
                    _ => return Err(Broken),
                }
                self.at += 1;
                objects >>= 1;
                depth -= 1;
            }
        }
    }

    fn skip_name(&mut self) -> Result<(), Broken> {
        if self.peek() != b'"' {
            return Err(Broken);
        }
        self.string()?;
        if self.take(b':') { Ok(()) } else { Err(Broken) }
    }

    fn word(&mut self, word: &str) -> Result<(), Broken> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        Err(Broken)
    }

    fn number(&mut self) -> Result<(), Broken> {
        let bytes = self.text.as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut at = self.at + usize::from(bytes[self.at] == b'-');
        let whole = digits(at);
        if whole == 0 || whole > 1 && bytes[at] == b'0' {
            return Err(Broken);
        }
        at += whole;
        if bytes.get(at) == Some(&b'.') {
            let fraction = digits(at + 1);
            if fraction == 0 {
                return Err(Broken);
            }
            at += 1 + fraction;
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            let exponent = digits(at);
            if exponent == 0 {
                return Err(Broken);
            }
            at += exponent;
        }
        self.at = at;
        Ok(())
    }

    /// Moves past a string that begins here; true when it is written without escapes.
    #[inline]
    fn string(&mut self) -> Result<bool, Broken> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        let mut plain = true;
        loop {
            at += ordinary(&bytes[at..]);
            match bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(plain);
                }
                Some(b'\\') => {
                    plain = false;
                    at += match bytes.get(at + 1) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
                        Some(b'u') if bytes.get(at + 2..at + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) => 6,
                        _ => return Err(Broken),
                    };
                }
                _ => return Err(Broken),
            }
        }
    }
}

/// How many bytes from the start are neither quote, backslash nor control character; eight at a time.
///
/// Source: "Determine if a word has a byte equal to n" and "less than n", Sean Anderson, Bit Twiddling Hacks.
/// The lowest marked byte is exact in little-endian order, which is all that is used.
#[inline]
pub fn ordinary(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..at + 8).and_then(|chunk| <[u8; 8]>::try_from(chunk).ok()) {
        let word = u64::from_le_bytes(chunk);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let marked = control | zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\')));
        if marked != 0 {
            return at + (marked.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    at + bytes[at..].iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accepts(text: &str) -> bool {
        let mut scanner = Scanner::new(text);
        scanner.value().is_ok() && scanner.end().is_ok()
    }

    fn library_accepts(text: &str) -> bool {
        serde_json::from_str::<IgnoredAny>(text).is_ok()
    }

    #[test]
    fn too_deep_a_text_is_refused_and_explained() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(accepts(&nested(DEPTH_MAX)));
        assert!(!accepts(&nested(DEPTH_MAX + 1)));
        assert_eq!(explain(&nested(DEPTH_MAX + 1), '[').to_string(), "nested more than 64 levels deep");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_scanner_accepts_what_the_library_accepts(text in "([ \n]|[\\[\\]{}:,]|\"|\\\\[nu\"x]|[0-9a-fA-F]{4}|[-+.eE0-9]|true|false|null|[a-z\u{e9}\u{1}]){0,24}") {
            prop_assert_eq!(accepts(&text), library_accepts(&text));
        }

        #[test]
        fn numbers_are_those_of_the_library(text in "-?(0|[1-9][0-9]{0,3})?(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?") {
            prop_assert_eq!(accepts(&text), library_accepts(&text));
        }

        #[test]
        fn objects_are_those_of_the_library(text in "\\{( ?\"[a-c\\\\\u{7f}]{0,12}\" ?: ?(1|\\[(1,?){0,3}\\]|\\{(\"a\":[0-9\"]{1,2},?){0,2}\\}|\"\\\\u00e9[^\"]{0,9}\"),?){0,4}\\}") {
            prop_assert_eq!(accepts(&text), library_accepts(&text));
            let mut scanner = Scanner::new(&text);
            let walked = scanner.object(|scanner, _| scanner.value().map(|_| ())).is_ok() && scanner.end().is_ok();
            prop_assert_eq!(walked, library_accepts(&text));
        }

        #[test]
        fn strings_end_where_they_end(inner in "[ -~\u{80}-\u{2fff}\u{0}-\u{1f}]{0,40}") {
            let text = format!("\"{inner}\"");
            prop_assert_eq!(accepts(&text), library_accepts(&text));
            let written = serde_json::to_string(&inner).unwrap();
            let followed = format!("{written} ,");
            prop_assert_eq!(Scanner::new(&followed).value(), Ok(written.as_str()));
        }
    }
}
