//! What a workspace says about its identifiers: priorities, limits, what is unique, what is blocked.

use compact_str::CompactString as Text;
use faden_model::{IdentifierKind, Span};
use regex::RegexSet;
use std::fmt;

/// The rules of one workspace. A kind without a rule of its own follows `other`.
#[derive(Clone, Debug)]
pub struct Rules {
    pub kinds: Vec<KindRule>,
    pub other: KindRule,
    /// A profile does not grow beyond this many identifiers.
    pub cluster_max: u32,
}

/// What holds for identifiers of one kind.
#[derive(Clone, Debug)]
pub struct KindRule {
    pub kind: IdentifierKind,
    /// Higher wins.
    pub priority: u16,
    pub limit: Option<Limit>,
    /// Two different values prove two people.
    pub unique: bool,
    pub blocked: Blocked,
}

/// How many identifiers of one kind a profile may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub max: u16,
    /// Counts only identifiers first seen within this span before the event; else all.
    pub within: Option<Span>,
}

/// Values that point to nobody.
#[derive(Clone)]
pub struct Blocked {
    /// Lower case; compared without regard to ASCII case.
    exact: Vec<Text>,
    /// One bit for the `mark` of each value in `exact`: tells nearly every value apart at one look.
    marks: [u64; 16],
    patterns: RegexSet,
    /// Values made of zeros, dashes, dots, underscores and blanks alone, or of one repeated letter x.
    fillers: bool,
}

/// A pattern cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{pattern}` cannot be used as a pattern; write a regular expression without look-around and back-references, such as ^test-.*")]
pub struct BlockedError {
    pub pattern: String,
    #[source]
    pub source: regex::Error,
}

/// Longest pattern program in bytes; a pattern that needs more is a mistake.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// What forms, scripts and broken integrations send when they know nobody.
/// Source: the values that Segment Unify recommends to block, and what its users report.
const NOBODY: &[&str] = &[
    "null",
    "(null)",
    "<null>",
    "nil",
    "none",
    "(none)",
    "undefined",
    "nan",
    "n/a",
    "na",
    "n.a.",
    "unknown",
    "anonymous",
    "anon",
    "guest",
    "user",
    "test",
    "demo",
    "true",
    "false",
    "-1",
    "not set",
    "(not set)",
    "not_set",
    "empty",
    "void",
    "invalid",
    "default",
    "[object object]",
    "object object",
    "{}",
    "[]",
    "userid",
    "user_id",
    "anonymousid",
    "anonymous_id",
    "deviceid",
    "device_id",
    "9774d56d682e549c",
];

/// Addresses that are typed to get past a form.
const NOBODYS_ADDRESSES: &[&str] = &[
    "test@test.com",
    "test@test.de",
    "test@example.com",
    "example@example.com",
    "user@example.com",
    "email@example.com",
    "a@a.com",
    "a@b.com",
    "a@b.c",
    "asdf@asdf.com",
    "test@gmail.com",
    "none@none.com",
    "no@no.com",
    "no@email.com",
    "noemail@noemail.com",
    "na@na.com",
    "abc@abc.com",
    "abc@xyz.com",
    "noreply@example.com",
    "null@null.com",
    "undefined@undefined.com",
    "anonymous@anonymous.com",
    "x@x.com",
    "foo@bar.com",
];

impl Blocked {
    /// `exact` without regard to ASCII case; `patterns` are regular expressions that may match anywhere.
    ///
    /// # Errors
    /// [`BlockedError`] for the first pattern that cannot be used.
    pub fn new(exact: &[&str], patterns: &[&str], fillers: bool) -> Result<Blocked, BlockedError> {
        let build = |patterns: &[&str]| regex::RegexSetBuilder::new(patterns).size_limit(PATTERN_BYTES_MAX).build();
        for pattern in patterns {
            build(&[pattern]).map_err(|source| BlockedError { pattern: (*pattern).to_owned(), source })?;
        }
        let set = build(patterns).map_err(|source| BlockedError { pattern: patterns.join(" "), source })?;
        Ok(Blocked { patterns: set, fillers, ..Blocked::of(&[exact]) })
    }

    fn of(lists: &[&[&str]]) -> Blocked {
        let mut exact: Vec<Text> = lists.iter().flat_map(|list| list.iter()).map(|value| Text::new(value.to_lowercase())).collect();
        exact.sort_unstable();
        exact.dedup();
        let mut marks = [0u64; 16];
        for value in &exact {
            let (word, bit) = mark(value);
            marks[word] |= bit;
        }
        Blocked { exact, marks, patterns: RegexSet::empty(), fillers: true }
    }

    /// This list and also everything on another one.
    ///
    /// # Errors
    /// [`BlockedError`] when the patterns together are too large.
    pub fn and(&self, more: &Blocked) -> Result<Blocked, BlockedError> {
        let exact: Vec<&str> = self.exact.iter().chain(&more.exact).map(Text::as_str).collect();
        let patterns: Vec<&str> = self.patterns.patterns().iter().chain(more.patterns.patterns()).map(String::as_str).collect();
        Blocked::new(&exact, &patterns, self.fillers || more.fillers)
    }

    pub fn contains(&self, value: &str) -> bool {
        let (word, bit) = mark(value);
        self.marks[word] & bit != 0 && self.exact.iter().any(|blocked| blocked.eq_ignore_ascii_case(value))
            || self.fillers && is_filler(value)
            || !self.patterns.is_empty() && self.patterns.is_match(value)
    }
}

impl fmt::Debug for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blocked({} values, {} patterns)", self.exact.len(), self.patterns.len())
    }
}

impl Default for Blocked {
    fn default() -> Blocked {
        Blocked::of(&[NOBODY])
    }
}

/// A bit and the word that has it, made of the length and the first and last byte in lower case.
fn mark(value: &str) -> (usize, u64) {
    let byte = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(byte.to_ascii_lowercase()));
    let mark = value.len() * 37 + byte(value.as_bytes().first()) + byte(value.as_bytes().last()) * 129;
    (mark / 64 % 16, 1 << (mark % 64))
}

fn is_filler(value: &str) -> bool {
    let filler = |byte: u8| matches!(byte, b'0' | b'-' | b'_' | b'.' | b' ' | b'+');
    let all_x = || value.len() > 1 && value.bytes().all(|byte| byte.eq_ignore_ascii_case(&b'x'));
    value.bytes().all(filler) || all_x()
}

impl KindRule {
    /// A rule without limits and with the default list of blocked values.
    pub fn new(kind: IdentifierKind, priority: u16) -> KindRule {
        let blocked = match kind {
            IdentifierKind::Email => Blocked::of(&[NOBODY, NOBODYS_ADDRESSES]),
            _ => Blocked::default(),
        };
        KindRule { kind, priority, limit: None, unique: false, blocked }
    }
}

impl Rules {
    /// The rule for a kind.
    pub fn of(&self, kind: &IdentifierKind) -> &KindRule {
        self.kinds.iter().find(|rule| rule.kind == *kind).unwrap_or(&self.other)
    }
}

impl Default for Rules {
    /// Who logs in is known best; what a browser carries is known least. Limits as Segment Unify sets them:
    /// five a year, for anonymous ids five a week. The guard is far above any person and far below what a
    /// kiosk without limits would collect.
    fn default() -> Rules {
        let year = Some(Span(365 * Span::DAY.0));
        let week = Some(Span(7 * Span::DAY.0));
        let rule = |kind, priority, within| KindRule { limit: Some(Limit { max: 5, within }), ..KindRule::new(kind, priority) };
        Rules {
            kinds: vec![
                KindRule { unique: true, ..KindRule::new(IdentifierKind::UserId, 100) },
                rule(IdentifierKind::CrmId, 90, None),
                rule(IdentifierKind::Email, 80, year),
                rule(IdentifierKind::Phone, 70, year),
                rule(IdentifierKind::WhatsappId, 60, year),
                rule(IdentifierKind::DeviceId, 20, year),
                rule(IdentifierKind::AnonymousId, 10, week),
            ],
            other: rule(IdentifierKind::Other(Text::const_new("")), 40, year),
            cluster_max: 300,
        }
    }
}
