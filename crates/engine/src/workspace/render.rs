//! A finding as people read it: message, place, the piece of source, what to do.

use super::Finding;
use faden_model::diagnostic::Severity;

/// Whether escape codes for colours go in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    Off,
    On,
}

/// Longest piece of a source line that is shown, in characters.
const LINE_CHARS_MAX: usize = 160;

/// Line and column of a byte, both from 1, columns in characters.
pub fn line_column(text: &str, byte: usize) -> (usize, usize) {
    let byte = floor(text, byte);
    let start = text[..byte].rfind('\n').map_or(0, |at| at + 1);
    (text[..byte].matches('\n').count() + 1, text[start..byte].chars().count() + 1)
}

/// The finding in the form of rustc; `text` is that of its file.
///
/// ```text
/// error[unknown-step]: there is no step `remnid`
///   --> journeys/cart.yaml:9:33
///    |
///  9 |     next: {matched: end, timeout: remnid}
///    |                                   ^^^^^^
///   help: did you mean `remind`?
/// ```
pub fn render(finding: &Finding, text: &str, colours: Colours) -> String {
    let problem = &finding.problem;
    let (word, colour) = match problem.severity {
        Severity::Error => ("error", "\u{1b}[1;31m"),
        Severity::Warning => ("warning", "\u{1b}[1;33m"),
    };
    let paint = |colour: &str, text: &str| match colours {
        Colours::Off => text.to_owned(),
        Colours::On => format!("{colour}{text}\u{1b}[0m"),
    };
    let (bold, blue) = ("\u{1b}[1m", "\u{1b}[1;34m");
    let head = paint(colour, &format!("{word}[{}]", problem.code));
    let mut out = format!("{head}{}\n", paint(bold, &format!(": {}", problem.message)));
    let (line, column) = line_column(text, problem.place.start);
    let whole_file = text.is_empty() || (problem.place.start == 0 && problem.place.end == 0);
    if whole_file {
        out.push_str(&format!("  {} {}\n", paint(blue, "-->"), finding.file));
    } else {
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        let (shown, from, width) = excerpt(text, problem.place.start, problem.place.end);
        out.push_str(&format!("{gutter} {} {}:{line}:{column}\n", paint(blue, "-->"), finding.file));
        out.push_str(&format!("{gutter} {}\n", paint(blue, " |")));
        out.push_str(&format!("{} {shown}\n", paint(blue, &format!("{number}  |"))));
        out.push_str(&format!("{gutter} {} {}{}\n", paint(blue, " |"), " ".repeat(from), paint(colour, &"^".repeat(width))));
    }
    if !problem.help.is_empty() {
        out.push_str(&format!("  {} {}\n", paint(bold, "help:"), problem.help));
    }
    out
}

/// The line, cut around the place when very long; characters before the place; how many it has.
fn excerpt(text: &str, start: usize, end: usize) -> (String, usize, usize) {
    let (start, end) = (floor(text, start), floor(text, end));
    let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let to = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let line = text[from..to].trim_end_matches('\r');
    let before = text[from..start].chars().count();
    let width = text[start..end.clamp(start, to)].trim_end().chars().count().max(1);
    let cut = if line.chars().count() <= LINE_CHARS_MAX { 0 } else { before.saturating_sub(LINE_CHARS_MAX / 2) };
    let shown: String = line.chars().skip(cut).take(LINE_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let width = width.min(shown.chars().count().saturating_sub(before - cut).max(1));
    (shown, before - cut, width)
}

/// The last character boundary at or before a byte.
fn floor(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use faden_model::diagnostic::{ByteRange, Problem};

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        for (text, byte, place) in [("", 0, (1, 1)), ("äö\nüx", 4, (1, 3)), ("äö\nüx", 5, (2, 1)), ("äö\nüx", 7, (2, 2)), ("a", 99, (1, 2))]
        {
            assert_eq!(line_column(text, byte), place, "{text} {byte}");
        }
    }

    #[test]
    fn a_finding_shows_its_line_with_carets_and_help() {
        let text = "a: 1\nnäxt: remnid\n";
        let place = ByteRange { start: 12, end: 18 };
        let problem = Problem {
            code: "unknown-step",
            severity: Severity::Error,
            message: "no step `remnid`".into(),
            help: "did you mean `remind`?".into(),
            place,
        };
        let finding = Finding { file: "journeys/a.yaml".into(), problem };
        insta::assert_snapshot!(render(&finding, text, Colours::Off), @r"
        error[unknown-step]: no step `remnid`
          --> journeys/a.yaml:2:7
           |
        2  | näxt: remnid
           |       ^^^^^^
          help: did you mean `remind`?
        ");
    }
}
