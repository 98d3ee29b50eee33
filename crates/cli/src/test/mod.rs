//! `faden test`: the scenarios of a workspace in virtual time, with what happened instead where one fails.
//!
//! The workspace is read and indexed once. A scenario file that cannot be read counts as failed.

mod junit;
mod watch;

use crate::terminal::{self, Paint};
use crate::{Ending, load};
use anyhow::{Context, bail};
use clap::Args;
use faden_engine::dry_run::{self, Verdict};
use faden_engine::workspace::scenario::Scenario;
use faden_engine::workspace::{self, Colours, Files, Finding};
use faden_engine::{Definitions, Index};
use faden_model::diagnostic::Severity;
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Run the scenarios of a workspace in virtual time
///
/// Every scenarios/*.scenario.yaml tells what happens and what must come out; a year takes milliseconds and
/// nothing is sent. Exits with 1 if something else came out.
#[derive(Args)]
#[command(
    after_help = "Example:\n  faden test my-shop\n  faden test my-shop --filter reminder --watch\n  faden test my-shop --junit report.xml"
)]
pub struct Arguments {
    /// The directory that holds faden.yaml
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Only scenarios whose name, file or journey contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Also write a report in JUnit's form, as build servers read it
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Run again whenever a file of the workspace changes
    #[arg(long)]
    watch: bool,
    /// One JSON object per scenario, and one with the counts
    #[arg(long)]
    json: bool,
}

/// A scenario that was run.
struct Tested<'a> {
    scenario: &'a Scenario,
    verdict: Verdict,
    took: Duration,
    /// The text of its file.
    text: &'a str,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    if arguments.watch { watch::run(arguments) } else { once(arguments) }
}

/// Reads, runs and reports.
fn once(arguments: &Arguments) -> anyhow::Result<Ending> {
    let files = load::files(&arguments.directory)?;
    let read = workspace::read(&files);
    report_findings(&files, &read.findings, arguments)?;
    let Some(definitions) = read.definitions else {
        bail!("the workspace has errors, so that nothing can be tested; mend what stands above")
    };
    let definitions = Arc::new(definitions);
    let (scenarios, findings) = workspace::read_scenarios(&files, &definitions);
    report_findings(&files, &findings, arguments)?;
    let wanted = |file: &str, texts: &[&str]| {
        let filter = arguments.filter.as_deref().unwrap_or_default();
        file.contains(filter) || texts.iter().any(|text| text.contains(filter))
    };
    let chosen: Vec<&Scenario> = scenarios
        .iter()
        .filter(|scenario| wanted(&scenario.file, &[&scenario.name, scenario.journey.as_deref().unwrap_or_default()]))
        .collect();
    let errors = findings.iter().filter(|finding| finding.problem.severity == Severity::Error);
    let broken: BTreeSet<&str> = errors.map(|finding| finding.file.as_str()).filter(|file| wanted(file, &[])).collect();
    if chosen.is_empty() && broken.is_empty() {
        match &arguments.filter {
            Some(filter) => bail!("no scenario has `{filter}` in its name, file or journey; `faden test DIR` without --filter lists all"),
            None => writeln!(std::io::stderr(), "there are no scenarios yet; write the first as scenarios/NAME.scenario.yaml")?,
        }
    }
    let tested = test(&chosen, &definitions, &files, arguments)?;
    if let Some(path) = &arguments.junit {
        let report = junit::report(&definitions.workspace, &tested, &broken);
        std::fs::write(path, report).with_context(|| format!("cannot write the report `{}`", path.display()))?;
    }
    let failed = tested.iter().filter(|tested| !tested.verdict.passed()).count() + broken.len();
    close(tested.len() + broken.len() - failed, failed, arguments)?;
    Ok(if failed == 0 { Ending::Well } else { Ending::Findings })
}

fn report_findings(files: &Files, findings: &[Finding], arguments: &Arguments) -> anyhow::Result<()> {
    let paint = if arguments.json { Paint::for_stderr() } else { Paint::for_stdout() };
    let colours = if paint.on { Colours::On } else { Colours::Off };
    for finding in findings {
        let text = workspace::render(finding, files.0.get(&finding.file).map_or("", String::as_str), colours);
        // Data alone goes to standard output.
        if arguments.json { writeln!(std::io::stderr(), "{text}")? } else { writeln!(std::io::stdout(), "{text}")? }
    }
    Ok(())
}

/// Runs them one after the other and says at once how each went.
fn test<'a>(
    scenarios: &[&'a Scenario],
    definitions: &Arc<Definitions>,
    files: &'a Files,
    arguments: &Arguments,
) -> anyhow::Result<Vec<Tested<'a>>> {
    let index = Arc::new(Index::new(definitions.clone(), None));
    let mut out = terminal::output();
    let mut all = Vec::with_capacity(scenarios.len());
    for scenario in scenarios {
        let began = Instant::now();
        let verdict = dry_run::run(&index, scenario);
        let text = files.0.get(&scenario.file).map_or("", String::as_str);
        let tested = Tested { scenario, verdict, took: began.elapsed(), text };
        if arguments.json {
            writeln!(out, "{}", as_json(&tested))?
        } else {
            write!(out, "{}", as_text(&tested, Paint::for_stdout()))?
        }
        all.push(tested);
    }
    out.flush()?;
    Ok(all)
}

fn as_text(tested: &Tested<'_>, paint: Paint) -> String {
    let scenario = tested.scenario;
    let word = if tested.verdict.passed() { paint.code("32", "ok  ") } else { paint.red("FAIL") };
    let time = paint.dim(&format!("{:.1} ms", tested.took.as_secs_f64() * 1000.0));
    let line = format!("{word}  {}  {}  {time}\n", scenario.name, paint.dim(&scenario.file));
    let colours = if paint.on { Colours::On } else { Colours::Off };
    line + &dry_run::render(&tested.verdict, scenario, tested.text, colours)
}

fn as_json(tested: &Tested<'_>) -> serde_json::Value {
    let failures = tested.verdict.failures.iter().map(|failure| {
        let (line, column) = workspace::line_column(tested.text, failure.place.start);
        json!({"line": line, "column": column, "expected": failure.expected, "instead": failure.instead})
    });
    let decided = tested
        .verdict
        .timeline
        .iter()
        .map(|line| json!({"at": line.at.to_string(), "since": line.since, "user_id": line.user_id, "decision": line.text}));
    json!({
        "scenario": tested.scenario.name.as_str(), "file": tested.scenario.file, "passed": tested.verdict.passed(),
        "milliseconds": tested.took.as_secs_f64() * 1000.0,
        "failures": failures.collect::<Vec<_>>(), "decided": decided.collect::<Vec<_>>(),
    })
}

fn close(passed: usize, failed: usize, arguments: &Arguments) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    if arguments.json {
        writeln!(out, "{}", json!({"passed": passed, "failed": failed}))?;
    } else {
        let text = format!("{passed} passed, {failed} failed");
        let paint = Paint::for_stdout();
        writeln!(out, "{}", if failed == 0 { paint.code("32", &text) } else { paint.red(&text) })?;
    }
    Ok(())
}
