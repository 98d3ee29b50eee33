//! `faden plan` and `faden apply`: what would change on the server, and publishing it. `faden login`: a link to the console.

use crate::Ending;
use crate::client::Server;
use crate::load;
use crate::terminal::{self, Paint};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

/// Show what publishing a workspace would change on the server
#[derive(Args)]
#[command(after_help = "Examples:
  faden plan my-shop
  FADEN_URL=https://faden.example.com faden plan my-shop --json")]
pub struct Plan {
    /// The workspace
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    server: Server,
    /// The plan as one JSON object
    #[arg(long)]
    json: bool,
}

/// Publish a workspace: it holds from the next event on
///
/// Everything is checked first; definitions with errors change nothing. People inside a journey stay on the
/// version they entered.
#[derive(Args)]
#[command(after_help = "Examples:
  faden apply my-shop
  faden apply my-shop --only-over 3f9a1c0b2d4e5f67")]
pub struct Apply {
    /// The workspace
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    server: Server,
    /// Publish only if this version is in force (`faden plan` names it)
    #[arg(long, value_name = "VERSION")]
    only_over: Option<String>,
    /// The outcome as one JSON object
    #[arg(long)]
    json: bool,
}

/// Print a link that signs in to the console, once
#[derive(Args)]
#[command(after_help = "Examples:
  faden login
  faden login --server https://faden.example.com")]
pub struct Login {
    #[command(flatten)]
    server: Server,
    /// The link as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Change {
    file: String,
    change: String,
    diff: String,
}

pub fn plan(arguments: &Plan) -> anyhow::Result<Ending> {
    let files = load::files(&arguments.directory)?;
    let client = arguments.server.connect()?;
    let current: Value = client.get("/api/v1/workspace")?;
    let plan: Value = client.post("/api/v1/workspace/plan", &json!({"files": files.0}))?;
    let mut out = terminal::output();
    let well = plan["ok"].as_bool().unwrap_or(false);
    if arguments.json {
        writeln!(out, "{plan}")?;
    } else {
        write!(out, "{}", text(&plan, current["version"].as_str().unwrap_or("none"), Paint::for_stdout())?)?;
    }
    out.flush()?;
    Ok(if well { Ending::Well } else { Ending::Findings })
}

fn text(plan: &Value, version: &str, paint: Paint) -> anyhow::Result<String> {
    let mut text = String::new();
    for finding in plan["findings"].as_array().into_iter().flatten() {
        let field = |name: &str| finding[name].as_str().unwrap_or_default();
        text.push_str(&format!(
            "{}[{}]: {}\n  --> {}:{}:{}\n  help: {}\n\n",
            field("severity"),
            field("code"),
            field("message"),
            field("file"),
            finding["line"],
            finding["column"],
            field("help")
        ));
    }
    let changes: Vec<Change> = serde_json::from_value(plan["changes"].clone())?;
    if changes.is_empty() {
        text.push_str(&format!("nothing changes; version {version} is in force\n"));
        return Ok(text);
    }
    for change in &changes {
        text.push_str(&format!("{} {}\n", paint.code("1", &change.change), change.file));
        for line in change.diff.lines() {
            let colour = match line.as_bytes().first() {
                Some(b'+') => "32",
                Some(b'-') => "31",
                _ => "2",
            };
            text.push_str(&format!("  {}\n", paint.code(colour, line)));
        }
    }
    text.push('\n');
    for effect in plan["effects"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        text.push_str(&format!("- {effect}\n"));
    }
    text.push_str(&format!("\n`faden apply` publishes it over version {version}\n"));
    Ok(text)
}

pub fn apply(arguments: &Apply) -> anyhow::Result<Ending> {
    let files = load::files(&arguments.directory)?;
    // The same errors as `faden check`, with places, before anything is sent.
    load::definitions(&arguments.directory)?;
    let client = arguments.server.connect()?;
    let current: Value = client.get("/api/v1/workspace")?;
    let base = arguments.only_over.clone().map_or_else(|| current["version"].clone(), Value::from);
    let applied: Value = client.post("/api/v1/workspace/apply", &json!({"files": files.0, "base_version": base}))?;
    let mut out = terminal::output();
    if arguments.json {
        writeln!(out, "{applied}")?;
    } else if applied["version"] == current["version"] {
        writeln!(out, "nothing changed; version {} is in force", applied["version"].as_str().unwrap_or_default())?;
    } else {
        writeln!(out, "published; version {} holds from the next event on", applied["version"].as_str().unwrap_or_default())?;
    }
    out.flush()?;
    Ok(Ending::Well)
}

pub fn login(arguments: &Login) -> anyhow::Result<Ending> {
    let link: Value = arguments.server.connect()?.post("/api/v1/login_links", &json!({}))?;
    let mut out = terminal::output();
    if arguments.json {
        writeln!(out, "{link}")?;
    } else {
        writeln!(out, "{}", link["url"].as_str().unwrap_or_default())?;
    }
    out.flush()?;
    Ok(Ending::Well)
}
