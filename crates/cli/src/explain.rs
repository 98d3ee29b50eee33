//! `faden explain`: the chain from the event to a decision, from a running server or from a replay's output.
//!
//! A file is streamed once to find what the id names and once more for the passage it belongs to; no
//! index is needed. A server gives the same lines. Nothing is computed again: what is shown is what was written when it was decided.

use crate::Ending;
use crate::client::{Client, Server};
use crate::replay::{Chunk, Chunks, plain};
use crate::terminal::{self, Paint};
use anyhow::{Context, bail};
use clap::Args;
use faden_engine::decision::tell::{self, Found, sentence, state};
use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where `faden replay --out` writes in the examples.
const OUTPUT: &str = "decisions.ndjson";
/// Decisions of one person that are told.
const LINES_MAX: usize = 50_000;

/// What a server tells.
#[derive(Deserialize)]
struct Explanation {
    chain: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    /// The decision as the engine wrote it.
    data: Value,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Item>,
    next_page_token: Option<String>,
}

/// Explain a decision, a message, a passage or a person, from a running server or a replay's output
///
/// Shows the chain: the event that let somebody in, the conditions with the values they saw, the steps, the
/// arm of an experiment, the rules that were asked, and what came of it. Asks the file that is named, else the server if there is a key,
/// else `decisions.ndjson`.
#[derive(Args)]
#[command(after_help = "Examples:
  faden replay events.ndjson --workspace my-shop --out decisions.ndjson
  faden explain msg_7b_4 decisions.ndjson
  FADEN_KEY=fdk_... faden explain msg_7b_4 --server https://faden.example
  faden explain enr_7b_3 other-decisions.ndjson --json")]
pub struct Arguments {
    /// An id from a decision: dec_..., msg_..., enr_... or prf_...
    id: String,
    /// What `faden replay --out` wrote
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    server: Server,
    /// One JSON object: the decision itself, the chain that led to it, and where it stands
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    let id = arguments.id.trim().to_ascii_lowercase();
    let Some(field) = tell::field_of(&id) else {
        bail!("`{id}` is not an id of a decision; it should look like dec_7b_5, msg_7b_4, enr_7b_3 or prf_7b");
    };
    let found = match (&arguments.file, &arguments.server.key) {
        (None, Some(_)) => of_server(&arguments.server, &id, field)?,
        (file, _) => of_file(file.as_deref().unwrap_or(Path::new(OUTPUT)), &id, field)?,
    };
    let mut out = terminal::output();
    if arguments.json {
        writeln!(out, "{}", json!({"id": id, "subject": found.subject, "chain": found.chain, "state": state(&found.chain)}))?;
    } else {
        write!(out, "{}", text(&id, &found, Paint::for_stdout()))?;
    }
    out.flush()?;
    Ok(Ending::Well)
}

fn of_file(file: &Path, id: &str, field: &str) -> anyhow::Result<Found> {
    let found = tell::find(id, field, &|id, visit| each_line(file, id, visit))?;
    if found.chain.is_empty() {
        bail!(
            "`{id}` does not occur in `{}`; name the file that `faden replay --out` wrote, or set FADEN_KEY to ask a server",
            file.display()
        );
    }
    Ok(found)
}

/// The lines that a server has of this id, told as those of a file.
fn of_server(server: &Server, id: &str, field: &str) -> anyhow::Result<Found> {
    let client = server.connect()?;
    let lines =
        if id.starts_with("prf_") { of_person(&client, id)? } else { client.get::<Explanation>(&format!("/api/v1/decisions/{id}"))?.chain };
    let lines: Vec<Value> = lines.into_iter().map(|item| item.data).collect();
    let found = tell::find(id, field, &|id, visit| {
        let quoted = format!("\"{id}\"");
        lines.iter().filter(|line| line.to_string().contains(&quoted)).cloned().for_each(visit);
        anyhow::Ok(())
    })?;
    if found.chain.is_empty() {
        bail!("nothing was decided about `{id}`");
    }
    Ok(found)
}

/// Everything that was decided about a person, oldest first.
fn of_person(client: &Client, id: &str) -> anyhow::Result<Vec<Item>> {
    let (mut items, mut token) = (Vec::new(), String::new());
    while items.len() < LINES_MAX {
        let page: Page = client.get(&format!("/api/v1/decisions?profile={id}&limit=500{token}"))?;
        items.extend(page.items);
        match page.next_page_token {
            Some(next) => token = format!("&page_token={next}"),
            None => break,
        }
    }
    items.reverse();
    Ok(items)
}

/// Visits the lines of a file that hold this id in quotes.
fn each_line(path: &Path, id: &str, visit: &mut tell::Visit<'_>) -> anyhow::Result<()> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("cannot open `{shown}`; write it with `faden replay ... --out {shown}`"))?;
    let quoted = format!("\"{id}\"");
    let finder = Finder::new(&quoted);
    let mut chunks = Chunks::new(plain(Box::new(file))?);
    while let Some(chunk) = chunks.next().with_context(|| format!("cannot read `{shown}`"))? {
        let Chunk::Lines(bytes) = chunk else { continue };
        let mut from = 0;
        while let Some(at) = finder.find(&bytes[from..]).map(|at| from + at) {
            let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |at| at + 1);
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
            if let Ok(line) = serde_json::from_slice(&bytes[start..end]) {
                visit(line);
            }
            from = end;
        }
    }
    Ok(())
}

/// The chain as people read it.
pub fn text(id: &str, found: &Found, paint: Paint) -> String {
    let first = &found.chain[0];
    let subject = found.subject.as_ref().unwrap_or(first);
    let field = |name: &str| subject[name].as_str().unwrap_or_default();
    let mut out = match &found.subject {
        Some(line) => format!("  {} {}\n", paint.code("1", id), sentence(line)),
        None => format!("  {}\n", paint.code("1", id)),
    };
    let person = match (field("user_id"), field("profile")) {
        ("", profile) => profile.to_owned(),
        (user, profile) => format!("{user} ({profile})"),
    };
    let about = [("person", person.as_str()), ("journey", field("journey")), ("passage", field("enrollment"))];
    let shown = about.iter().filter(|(_, value)| !value.is_empty() && !id.starts_with("prf_"));
    let about: Vec<String> = shown.map(|(name, value)| format!("{name} {value}")).collect();
    if !about.is_empty() {
        out.push_str(&format!("  {}\n", paint.dim(&about.join("  "))));
    }
    out.push('\n');
    for line in &found.chain {
        let at = line["at"].as_str().unwrap_or_default();
        let journey = match line["journey"].as_str() {
            Some(journey) if id.starts_with("prf_") => format!("{journey}: "),
            _ => String::new(),
        };
        out.push_str(&format!("  {}  {journey}{}\n", paint.dim(at), sentence(line)));
        for reason in reasons(line, paint) {
            out.push_str(&format!("    {reason}\n"));
        }
    }
    if id.starts_with("enr_") {
        out.push_str(&format!("\n  {}\n", state(&found.chain)));
    }
    out
}

/// Values that were seen and rules that were asked.
fn reasons(line: &Value, paint: Paint) -> Vec<String> {
    let facts = line["facts"].as_object().into_iter().flatten().map(|(name, value)| format!("{name} was {value}"));
    let checks = line["checks"].as_array().into_iter().flatten().map(|check| {
        let field = |name: &str| check[name].as_str().unwrap_or_default();
        let outcome = match field("outcome") {
            "passed" => paint.code("32", "passed "),
            "held" => paint.code("33", "held   "),
            _ => paint.code("31", "stopped"),
        };
        // The global policy is the one that everybody expects.
        let policy = if matches!(field("policy"), "" | "global") { String::new() } else { format!(" of {}", field("policy")) };
        let channel = check["channel"].as_str().map(|channel| format!(" by {channel}")).unwrap_or_default();
        format!("{outcome} {}{policy}{channel}: {}", field("rule"), field("facts"))
    });
    facts.chain(checks).collect()
}
