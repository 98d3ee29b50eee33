//! The report that build servers read.
//!
//! Source: the JUnit XML of Jenkins and GitLab: `testsuites/testsuite/testcase/failure`, times in seconds.

use super::Tested;
use faden_engine::dry_run;
use faden_engine::workspace::Colours;
use std::collections::BTreeSet;
use std::fmt::Write;

/// `broken`: files that could not be read as scenarios.
pub fn report(workspace: &str, tested: &[Tested<'_>], broken: &BTreeSet<&str>) -> String {
    let count = tested.len() + broken.len();
    let failures = tested.iter().filter(|tested| !tested.verdict.passed()).count();
    let seconds: f64 = tested.iter().map(|tested| tested.took.as_secs_f64()).sum();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = format!("tests=\"{count}\" failures=\"{failures}\" errors=\"{}\" time=\"{seconds:.6}\"", broken.len());
    // Writing to a text cannot fail.
    let _ = writeln!(out, "<testsuites {counts}>\n  <testsuite name=\"{}\" {counts}>", escape(workspace));
    for tested in tested {
        case(&mut out, tested);
    }
    for file in broken {
        let _ = writeln!(
            out,
            "    <testcase name=\"{0}\" classname=\"{0}\" file=\"{0}\" time=\"0\"><error message=\"the scenario cannot be read\"/></testcase>",
            escape(file)
        );
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn case(out: &mut String, tested: &Tested<'_>) {
    let scenario = tested.scenario;
    let class = scenario.journey.as_deref().unwrap_or("scenarios");
    let (name, class, file) = (escape(&scenario.name), escape(class), escape(&scenario.file));
    let time = tested.took.as_secs_f64();
    let _ = write!(out, "    <testcase name=\"{name}\" classname=\"{class}\" file=\"{file}\" time=\"{time:.6}\"");
    let Some(first) = tested.verdict.failures.first() else {
        out.push_str("/>\n");
        return;
    };
    let difference = dry_run::render(&tested.verdict, scenario, tested.text, Colours::Off);
    let _ = writeln!(out, ">\n      <failure message=\"expected {}\">{}</failure>", escape(&first.expected), escape(&difference));
    out.push_str("    </testcase>\n");
}

/// For text and attributes alike; characters that XML 1.0 does not have become U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\r' => out.push_str("&#13;"),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_written_so_that_xml_can_hold_it() {
        for (text, written) in
            [("a<b>&\"c\"", "a&lt;b&gt;&amp;&quot;c&quot;"), ("x\u{1b}[1m", "x\u{fffd}[1m"), ("1\n2", "1\n2"), ("ä", "ä")]
        {
            assert_eq!(escape(text), written);
        }
    }
}
