//! What a reader of a definition gets told: where, what is wrong, what to write instead.

use std::fmt;

/// Half-open range of bytes in one source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteRange {
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// A finding inside one text, before it is known which file the text came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Stable kebab-case code; `docs/errors/<code>.md` explains it.
    pub code: &'static str,
    pub severity: Severity,
    /// What is wrong, with the value; lower case, no full stop.
    pub message: String,
    /// What to write instead; empty only when the message says it already.
    pub help: String,
    /// Where, in bytes of the text that was looked at.
    pub place: ByteRange,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.message, self.code)?;
        if !self.help.is_empty() {
            write!(f, "; {}", self.help)?;
        }
        Ok(())
    }
}
