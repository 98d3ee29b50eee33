//! `faden backup` and `faden restore`: a running server's data as one file, and a data directory out of it.

use crate::Ending;
use crate::client::Server;
use crate::terminal;
use anyhow::{Context, ensure};
use clap::Args;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Take a backup of a running server
///
/// The server goes on taking events meanwhile. The archive holds everything: log, state, keys, audit log. Keep
/// it as you keep the data directory.
#[derive(Args)]
#[command(after_help = "Examples:
  faden backup --out faden-backup.tar.gz
  faden backup --server https://faden.example.com --out backup.tar.gz")]
pub struct Backup {
    #[command(flatten)]
    server: Server,
    /// Where the archive goes; must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The outcome as one JSON object
    #[arg(long)]
    json: bool,
}

/// Make a data directory out of a backup
#[derive(Args)]
#[command(after_help = "Examples:
  faden restore faden-backup.tar.gz --data faden-data
  faden serve --data faden-data")]
pub struct Restore {
    /// What `faden backup` wrote
    #[arg(value_name = "FILE")]
    archive: PathBuf,
    /// The directory to make; must be empty
    #[arg(long, value_name = "DIR", default_value = "faden-data", env = "FADEN_DATA")]
    data: PathBuf,
    /// The outcome as one JSON object
    #[arg(long)]
    json: bool,
}

pub fn backup(arguments: &Backup) -> anyhow::Result<Ending> {
    let out = &arguments.out;
    ensure!(!out.exists(), "`{}` exists already; name another file", out.display());
    let client = arguments.server.connect()?;
    let part = beside(out);
    let mut file = BufWriter::new(File::create(&part).with_context(|| format!("cannot write `{}`", part.display()))?);
    let mut bytes: u64 = 0;
    let copied = client.stream("/api/v1/backup", |piece| {
        bytes += piece.len() as u64;
        file.write_all(piece).context("cannot write the archive")
    });
    let finished = copied.and_then(|()| {
        file.flush()?;
        file.get_ref().sync_all()?;
        std::fs::rename(&part, out).with_context(|| format!("cannot name the archive `{}`", out.display()))
    });
    if finished.is_err() {
        // What is cut off is no backup; it may be gone already.
        let _ = std::fs::remove_file(&part);
    }
    finished?;
    let mut terminal = terminal::output();
    if arguments.json {
        writeln!(terminal, "{}", serde_json::json!({"file": out, "bytes": bytes}))?;
    } else {
        writeln!(terminal, "{} written, {:.1} MB", out.display(), bytes as f64 / 1e6)?;
    }
    terminal.flush()?;
    Ok(Ending::Well)
}

fn beside(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

pub fn restore(arguments: &Restore) -> anyhow::Result<Ending> {
    let file = File::open(&arguments.archive).with_context(|| format!("cannot open `{}`", arguments.archive.display()))?;
    let summary = faden_server::restore(file, &arguments.data).with_context(|| {
        format!("`{}` was not restored; delete `{}` and try again", arguments.archive.display(), arguments.data.display())
    })?;
    let mut out = terminal::output();
    if arguments.json {
        writeln!(out, "{}", serde_json::json!({"data": arguments.data, "position": summary.position.0, "rows": summary.rows}))?;
    } else {
        let data = arguments.data.display();
        writeln!(
            out,
            "{data} is ready: state up to record {}, the log has the rest\nstart it with `faden serve --data {data}`",
            summary.position
        )?;
    }
    out.flush()?;
    Ok(Ending::Well)
}
