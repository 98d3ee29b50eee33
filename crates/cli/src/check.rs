//! `faden check`: everything that is wrong with a workspace, in one run, with the place and the way out.

use crate::terminal::{self, Paint};
use crate::{Ending, load};
use clap::Args;
use faden_engine::workspace::{self, Colours, Files, Finding};
use faden_model::diagnostic::Severity;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// Check a workspace: every definition read, typed and held against the others
///
/// All findings come in one run, with file, line, column and what to write instead. Exits with 1 if there
/// is an error; warnings alone are fine.
#[derive(Args)]
#[command(after_help = "Example:\n  faden check my-shop\n  faden check my-shop --json | jq -r .code | sort | uniq -c")]
pub struct Arguments {
    /// The directory that holds faden.yaml
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// One JSON object per finding: file, line, column, end, code, severity, message, help, doc
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    let files = load::files(&arguments.directory)?;
    let findings = workspace::read(&files).findings;
    let errors = findings.iter().filter(|finding| finding.problem.severity == Severity::Error).count();
    let mut out = terminal::output();
    let paint = Paint::for_stdout();
    let colours = if paint.on { Colours::On } else { Colours::Off };
    for finding in &findings {
        let text = text_of(&files, finding);
        if arguments.json {
            writeln!(out, "{}", as_json(finding, text))?;
        } else {
            writeln!(out, "{}", workspace::render(finding, text, colours))?;
        }
    }
    if !arguments.json {
        writeln!(out, "{}", closing(errors, findings.len() - errors, paint))?;
    }
    out.flush()?;
    Ok(if errors == 0 { Ending::Well } else { Ending::Findings })
}

fn text_of<'a>(files: &'a Files, finding: &Finding) -> &'a str {
    files.0.get(&finding.file).map_or("", String::as_str)
}

fn as_json(finding: &Finding, text: &str) -> serde_json::Value {
    let problem = &finding.problem;
    let (line, column) = workspace::line_column(text, problem.place.start);
    let (end_line, end_column) = workspace::line_column(text, problem.place.end);
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({
        "file": finding.file, "line": line, "column": column, "end": {"line": end_line, "column": end_column},
        "code": problem.code, "severity": severity, "message": problem.message, "help": problem.help,
        "doc": format!("docs/errors/{}.md", problem.code),
    })
}

fn closing(errors: usize, warnings: usize, paint: Paint) -> String {
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let text = format!("{}, {}", count(errors, "error"), count(warnings, "warning"));
    match (errors, warnings) {
        (0, 0) => paint.code("32", &text),
        (0, _) => paint.code("33", &text),
        _ => paint.red(&text),
    }
}
