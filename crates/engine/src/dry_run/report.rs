//! A verdict as people read it: what was expected, what happened instead, and everything that was decided.

use super::Verdict;
use super::timeline::Line;
use crate::workspace::scenario::Scenario;
use crate::workspace::{Colours, line_column};

/// Most lines of the timeline that are shown.
const LINES_MAX: usize = 60;

/// What went wrong; empty when the scenario passed. `text` is that of the scenario's file.
///
/// ```text
///   scenarios/a.scenario.yaml:12  - sent: {template: reminder, at: 2026-03-02T11:00:00Z}
///     expected  `reminder` sent at 2026-03-02T11:00:00Z (+1h)
///     instead   `reminder` is sent on email to ada@example.com at 2026-03-02T11:30:00Z (+1h 30m) (30m too late)
///   what was decided
///     2026-03-02T10:00:00Z  +0s  u1  enters cart_recovery by `Cart Updated`
/// ```
pub fn render(verdict: &Verdict, scenario: &Scenario, text: &str, colours: Colours) -> String {
    let paint = |code: &str, text: &str| match colours {
        Colours::Off => text.to_owned(),
        Colours::On => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
    };
    let mut out = String::new();
    if verdict.passed() {
        return out;
    }
    for failure in &verdict.failures {
        let (line, _) = line_column(text, failure.place.start);
        let source = if failure.place.end == 0 { "" } else { text.lines().nth(line - 1).unwrap_or_default().trim() };
        out.push_str(&format!("  {}  {source}\n", paint("1;34", &format!("{}:{line}", scenario.file))));
        out.push_str(&format!("    {}  {}\n", paint("32", "expected"), failure.expected));
        for (number, instead) in failure.instead.iter().enumerate() {
            let label = if number == 0 { paint("31", "instead ") } else { " ".repeat(8) };
            out.push_str(&format!("    {label}  {instead}\n"));
        }
    }
    out.push_str(&format!("  {}\n", paint("1", if verdict.timeline.is_empty() { "nothing was decided" } else { "what was decided" })));
    let width = |of: fn(&Line) -> &str| verdict.timeline.iter().map(|line| of(line).chars().count()).max().unwrap_or(0);
    let (since, who) = (width(|line| &line.since), width(|line| &line.user_id));
    let mut last = None;
    for line in verdict.timeline.iter().take(LINES_MAX) {
        // An instant is written once, so that what belongs together is seen together.
        let (at, after) = if last == Some(line.at) { (String::new(), "") } else { (line.at.to_string(), line.since.as_str()) };
        last = Some(line.at);
        out.push_str(&format!("    {}  {}\n", paint("2", &format!("{at:<20}  {after:<since$}  {:<who$}", line.user_id)), line.text));
    }
    if verdict.timeline.len() > LINES_MAX {
        out.push_str(&format!("    and {} more\n", verdict.timeline.len() - LINES_MAX));
    }
    out
}
