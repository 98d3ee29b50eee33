//! `faden export`: everything of one kind from a running server, as lines of JSON.

use crate::Ending;
use crate::client::Server;
use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

/// Write everything of one kind from a running server, as lines of JSON
#[derive(Args)]
#[command(after_help = "Examples:
  faden export events --out events.ndjson
  faden export messages | jq 'select(.state == \"failed\")'")]
pub struct Arguments {
    /// What to export
    #[arg(value_enum)]
    what: What,
    /// Where it goes; standard output if it is left out
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    server: Server,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Profiles,
    Events,
    Messages,
    Decisions,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    let what = match arguments.what {
        What::Profiles => "profiles",
        What::Events => "events",
        What::Messages => "messages",
        What::Decisions => "decisions",
    };
    let client = arguments.server.connect()?;
    let mut out: Box<dyn Write> = match &arguments.out {
        Some(path) => {
            ensure!(!path.exists(), "`{}` exists already; name another file", path.display());
            Box::new(BufWriter::new(File::create(path).with_context(|| format!("cannot write `{}`", path.display()))?))
        }
        None => Box::new(BufWriter::new(std::io::stdout())),
    };
    client.stream(&format!("/api/v1/export/{what}"), |piece| Ok(out.write_all(piece)?))?;
    out.flush()?;
    Ok(Ending::Well)
}
