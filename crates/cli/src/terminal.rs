//! How text goes out: colour only on a terminal that wants it, errors with their causes and the way out.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

/// Paints text or leaves it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    pub on: bool,
}

impl Paint {
    /// For standard output: on if it is a terminal and `NO_COLOR` is not set.
    pub fn for_stdout() -> Paint {
        Paint { on: io::stdout().is_terminal() && wanted() }
    }

    pub fn for_stderr() -> Paint {
        Paint { on: io::stderr().is_terminal() && wanted() }
    }

    pub fn dim(self, text: &str) -> String {
        self.code("2", text)
    }

    pub fn red(self, text: &str) -> String {
        self.code("1;31", text)
    }

    pub fn code(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Source: <https://no-color.org>, "when present and not an empty string".
fn wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Standard output for a command's data; must be flushed at the end.
pub fn output() -> BufWriter<Stdout> {
    BufWriter::with_capacity(1 << 16, io::stdout())
}

/// Prints an error and its causes to standard error.
pub fn complain(error: &anyhow::Error) {
    let mut text = format!("{} {error}", Paint::for_stderr().red("error:"));
    for cause in error.chain().skip(1) {
        text.push_str("\n  because ");
        text.push_str(&cause.to_string());
    }
    // Nobody is left to be told when standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
}

pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// `1234567` as `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (2_800_000, "2,800,000")] {
            assert_eq!(thousands(number), text);
        }
    }
}
