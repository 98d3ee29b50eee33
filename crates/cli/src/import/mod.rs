//! `faden import`: files of events to a running server; the same file twice changes nothing.
//!
//! Lines go in batches and each batch is durable when it is answered. An event without a `messageId` gets one
//! from the file's content and its line, so an import that broke off is simply run again.

use crate::Ending;
use crate::client::{Client, Refused, Server};
use crate::progress::Progress;
use crate::replay::plain;
use crate::terminal::{self, thousands};
use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Events of one call, and its most bytes: the server takes 500 KB.
const BATCH: usize = 200;
const BATCH_BYTES_MAX: usize = 400 << 10;
/// A server that is down or busy is asked again so many times, a second apart.
const ATTEMPTS_MAX: u32 = 120;

/// Send files of events to a running server
///
/// NDJSON (a Segment call or CloudEvent a line, gzip too) and CSV with a head line. The same file twice changes
/// nothing, so an import that broke off is run again.
#[derive(Args)]
#[command(after_help = "Examples:
  faden import events.ndjson.gz --source shop
  faden import customers.csv --source crm                       # an identify call a line: column user_id and traits
  faden import orders.csv --source shop --event 'Order Completed' --timestamp ordered_at")]
pub struct Arguments {
    /// Files to read
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Whose events these are; part of the message ids
    #[arg(long, value_name = "NAME")]
    source: String,
    /// CSV: lines are this event instead of facts about a customer
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// CSV: column with the time, RFC 3339
    #[arg(long, value_name = "COLUMN", default_value = "timestamp")]
    timestamp: String,
    #[command(flatten)]
    server: Server,
    /// The outcome as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Default)]
struct Counts {
    sent: u64,
    accepted: u64,
    refused: u64,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    let client = arguments.server.connect()?;
    let mut counts = Counts::default();
    for path in &arguments.files {
        import(arguments, &client, path, &mut counts)?;
    }
    let mut out = terminal::output();
    if arguments.json {
        writeln!(out, "{}", json!({"sent": counts.sent, "accepted": counts.accepted, "refused": counts.refused}))?;
    } else {
        writeln!(out, "{} events taken, {} refused", thousands(counts.accepted), thousands(counts.refused))?;
        if counts.refused > 0 {
            writeln!(out, "refused ones are kept with their reasons: the console's Sources, or GET /api/v1/dead_letters")?;
        }
    }
    out.flush()?;
    Ok(if counts.refused == 0 { Ending::Well } else { Ending::Findings })
}

/// A hash of a file's bytes: its part of the message ids.
fn fingerprint(path: &Path) -> anyhow::Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    let mut piece = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut piece).with_context(|| format!("cannot read `{}`", path.display()))?;
        if read == 0 {
            return Ok(hasher.finalize().to_hex()[..16].to_owned());
        }
        hasher.update(&piece[..read]);
    }
}

fn import(arguments: &Arguments, client: &Client, path: &Path, counts: &mut Counts) -> anyhow::Result<()> {
    let name = path.to_string_lossy();
    if name.ends_with(".parquet") {
        bail!(
            "`{name}` is Parquet, which this version does not read; write it as CSV or NDJSON, e.g. with DuckDB: COPY (FROM '{name}') TO 'events.json'"
        );
    }
    let prefix = format!("{}-{}", arguments.source, fingerprint(path)?);
    let file = File::open(path).with_context(|| format!("cannot open `{name}`"))?;
    let mut progress = Progress::bytes(file.metadata().ok().map(|facts| facts.len()));
    let mut reader = BufReader::new(plain(Box::new(file)).with_context(|| format!("cannot read `{name}`"))?);
    let head = name.trim_end_matches(".gz").ends_with(".csv").then(|| head(&mut reader)).transpose()?;
    let mut batch: Vec<Value> = Vec::new();
    let mut bytes = 0;
    let (mut line, mut number) = (String::new(), 0);
    loop {
        line.clear();
        let read =
            read_record(&mut reader, &mut line, head.is_some()).with_context(|| format!("cannot read `{name}` at line {}", number + 1))?;
        if read == 0 {
            break;
        }
        number += 1;
        if line.trim().is_empty() {
            continue;
        }
        let mut event = match &head {
            Some(columns) => row(arguments, columns, &cells(line.trim_end_matches(['\n', '\r']))),
            // What is no JSON goes as it is: the server keeps it with its reason.
            None => serde_json::from_str(&line).unwrap_or_else(|_| Value::from(line.trim_end())),
        };
        if let Value::Object(map) = &mut event {
            let cloud_event = map.contains_key("specversion");
            if !cloud_event && !map.contains_key("messageId") {
                map.insert("messageId".to_owned(), json!(format!("{prefix}-{number}")));
            }
        }
        batch.push(event);
        bytes += line.len();
        if batch.len() >= BATCH || bytes >= BATCH_BYTES_MAX {
            send(client, &mut batch, counts)?;
            bytes = 0;
        }
        progress.advance(read as u64, counts.sent);
    }
    progress.finish();
    send(client, &mut batch, counts)
}

fn send(client: &Client, batch: &mut Vec<Value>, counts: &mut Counts) -> anyhow::Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let sent = batch.len() as u64;
    let body = json!({"batch": std::mem::take(batch)});
    for _ in 0..ATTEMPTS_MAX {
        match client.post::<Value>("/v1/batch", &body) {
            Ok(taken) => {
                counts.accepted += taken["accepted"].as_u64().unwrap_or(0);
                counts.refused += taken["rejected"].as_array().map_or(0, Vec::len) as u64;
                counts.sent += sent;
                return Ok(());
            }
            Err(error) => match error.downcast_ref::<Refused>() {
                // Every event of the batch was refused.
                Some(refused) if refused.status == 400 => {
                    counts.refused += sent;
                    counts.sent += sent;
                    return Ok(());
                }
                Some(refused) if !matches!(refused.status, 429 | 503) => return Err(error),
                // Busy, restarting or not reachable: the same batch again changes nothing.
                _ => std::thread::sleep(Duration::from_secs(1)),
            },
        }
    }
    bail!("the server takes nothing any more; start it, then run the same import again: what was taken is not taken twice")
}

/// One line, or several where a quoted cell of CSV goes over the line's end.
fn read_record(reader: &mut impl BufRead, line: &mut String, csv: bool) -> std::io::Result<usize> {
    let mut read = reader.read_line(line)?;
    while csv && read > 0 && !line.matches('"').count().is_multiple_of(2) {
        let more = reader.read_line(line)?;
        if more == 0 {
            break;
        }
        read += more;
    }
    Ok(read)
}

fn head(reader: &mut impl BufRead) -> anyhow::Result<Vec<String>> {
    let mut line = String::new();
    read_record(reader, &mut line, true).context("cannot read the head line")?;
    let columns = cells(line.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']));
    if !columns.iter().any(|name| matches!(name.as_str(), "user_id" | "anonymous_id")) {
        bail!("the CSV has no column `user_id` or `anonymous_id`; name one of its columns so");
    }
    Ok(columns)
}

/// Cells of a line (RFC 4180).
fn cells(line: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells
}

/// A line of CSV as a Segment call: an event with properties, or a customer with traits.
fn row(arguments: &Arguments, columns: &[String], cells: &[String]) -> Value {
    let mut call = Map::new();
    let mut facts = Map::new();
    for (column, cell) in columns.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
        match column.as_str() {
            "user_id" => drop(call.insert("userId".to_owned(), json!(cell))),
            "anonymous_id" => drop(call.insert("anonymousId".to_owned(), json!(cell))),
            "message_id" => drop(call.insert("messageId".to_owned(), json!(cell))),
            name if name == arguments.timestamp => drop(call.insert("timestamp".to_owned(), json!(cell))),
            name => {
                let number = serde_json::from_str::<serde_json::Number>(cell).map(Value::Number);
                let value = match cell.as_str() {
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    // A leading zero or plus is part of a name, not of a number.
                    _ => number.unwrap_or_else(|_| json!(cell)),
                };
                facts.insert(name.to_owned(), value);
            }
        }
    }
    match &arguments.event {
        Some(event) => {
            call.insert("type".to_owned(), json!("track"));
            call.insert("event".to_owned(), json!(event));
            call.insert("properties".to_owned(), Value::Object(facts));
        }
        None => {
            call.insert("type".to_owned(), json!("identify"));
            call.insert("traits".to_owned(), Value::Object(facts));
        }
    }
    Value::Object(call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_as_rfc_4180_says() {
        for (line, found) in [
            ("a,b", vec!["a", "b"]),
            ("a,", vec!["a", ""]),
            ("\"a,b\",c", vec!["a,b", "c"]),
            ("\"say \"\"hi\"\"\",1", vec!["say \"hi\"", "1"]),
            ("\"two\nlines\",x", vec!["two\nlines", "x"]),
        ] {
            assert_eq!(cells(line), found, "{line}");
        }
    }
}
