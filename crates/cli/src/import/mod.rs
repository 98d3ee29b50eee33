//! `faden import`: files of events to a running server; the same file twice changes nothing.
//!
//! Lines and rows go in batches and each batch is durable when it is answered. An event without a `messageId` gets one
//! from the file's content and its number, so an import that broke off is simply run again. Numbers stay as the file
//! writes them: nothing here turns them into floats.

mod batch;
mod call;
mod csv;
mod lines;
mod parquet;

use crate::Ending;
use crate::client::{Client, Server};
use crate::terminal::{self, thousands};
use anyhow::Context;
use batch::{Batch, Counts};
use clap::Args;
use serde_json::json;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Send files of events to a running server
///
/// NDJSON (a Segment call or CloudEvent a line, gzip too), CSV with a head line, and Parquet: rows of a table, or
/// whole calls as `faden export events` writes them. The same file twice changes nothing, so an import that broke off
/// is run again.
#[derive(Args)]
#[command(after_help = "Examples:
  faden import events.ndjson.gz --source shop
  faden import customers.csv --source crm                       # an identify call a line: column user_id and traits
  faden import orders.csv --source shop --event 'Order Completed' --timestamp ordered_at
  faden import orders.parquet --source shop --event 'Order Completed' --timestamp ordered_at")]
pub struct Arguments {
    /// Files to read
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Whose events these are; part of the message ids
    #[arg(long, value_name = "NAME")]
    source: String,
    #[command(flatten)]
    rows: call::Rows,
    #[command(flatten)]
    server: Server,
    /// The outcome as one JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    let client = arguments.server.connect()?;
    let mut counts = Counts::default();
    for path in &arguments.files {
        import(arguments, &client, path, &mut counts)?;
    }
    let mut out = terminal::output();
    if arguments.json {
        let told = json!({"sent": counts.sent, "accepted": counts.accepted, "refused": counts.refused, "refusals": counts.refusals});
        writeln!(out, "{told}")?;
    } else {
        writeln!(out, "{} events taken, {} refused", thousands(counts.accepted), thousands(counts.refused))?;
        for refusal in &counts.refusals {
            writeln!(out, "  {refusal}")?;
        }
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
    let prefix = format!("{}-{}", arguments.source, fingerprint(path)?);
    let mut batch = Batch::new(client, &name, prefix, counts);
    if parquet::is_parquet(path)? {
        parquet::read(&arguments.rows, path, &mut batch)?;
    } else {
        lines::read(&arguments.rows, path, &mut batch)?;
    }
    batch.send()
}
