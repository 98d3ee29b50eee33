//! `faden export`: everything of one kind from a running server, as lines of JSON or Parquet, and journeys as process
//! mining reads them.

mod ocel;
mod parquet;
mod steps;
mod xes;

use crate::Ending;
use crate::client::Server;
use anyhow::{Context, bail, ensure};
use clap::{Args, ValueEnum};
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use steps::Step;

/// Write everything of one kind from a running server
///
/// Profiles, events, messages and decisions are lines of JSON, or a Parquet file with typed columns. Journeys, every
/// passage step by step, are XES (a trace for each passage) or OCEL 2.0 (customers, passages and messages as objects);
/// neither holds an address.
#[derive(Args)]
#[command(after_help = "Examples:
  faden export events --out events.ndjson
  faden export events --out events.parquet                      # then: duckdb -c \"FROM 'events.parquet'\"
  faden export messages | jq 'select(.state == \"failed\")'
  faden export journeys --format xes --out journeys.xes
  faden export journeys --format ocel --out journeys.jsonocel")]
pub struct Arguments {
    /// What to export
    #[arg(value_enum)]
    what: What,
    /// How it is written; Parquet for `--out` that ends in .parquet, otherwise lines of JSON; journeys are XES or OCEL
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Where it goes; standard output if it is left out
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    server: Server,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Profiles,
    Events,
    Messages,
    Decisions,
    Journeys,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Ndjson,
    Parquet,
    Xes,
    Ocel,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    let named_parquet = arguments.out.as_ref().and_then(|path| path.extension()).is_some_and(|end| end == "parquet");
    let format = arguments.format.unwrap_or(if named_parquet { Format::Parquet } else { Format::Ndjson });
    if (arguments.what == What::Journeys) != matches!(format, Format::Xes | Format::Ocel) {
        bail!("journeys are written with `--format xes` or `--format ocel`, everything else as lines of JSON or as Parquet");
    }
    if format == Format::Parquet && arguments.out.is_none() && std::io::stdout().is_terminal() {
        bail!("Parquet is nothing for a terminal; name a file with `--out`");
    }
    let what = match arguments.what {
        What::Profiles => "profiles",
        What::Events => "events",
        What::Messages => "messages",
        // Every step of a passage is a decision.
        What::Decisions | What::Journeys => "decisions",
    };
    let client = arguments.server.connect()?;
    let mut out: Box<dyn Write + Send> = match &arguments.out {
        Some(path) => {
            ensure!(!path.exists(), "`{}` exists already; name another file", path.display());
            Box::new(BufWriter::new(File::create(path).with_context(|| format!("cannot write `{}`", path.display()))?))
        }
        None => Box::new(BufWriter::new(std::io::stdout())),
    };
    let path = format!("/api/v1/export/{what}");
    let mut lines = Lines::default();
    match format {
        Format::Ndjson => client.stream(&path, |piece| Ok(out.write_all(piece)?))?,
        Format::Parquet => {
            let mut table = parquet::Table::new(arguments.what, &mut out)?;
            client.stream(&path, |piece| lines.take(piece, |line| table.line(line)))?;
            table.finish()?;
        }
        Format::Xes | Format::Ocel => {
            let mut steps = Vec::new();
            let mut step = |line: &[u8]| {
                steps.extend(Step::read(line));
                Ok(())
            };
            client.stream(&path, |piece| lines.take(piece, &mut step))?;
            steps::sort(&mut steps);
            if format == Format::Xes { xes::write(&steps, &mut out)? } else { ocel::write(&steps, &mut out)? }
        }
    }
    out.flush()?;
    Ok(Ending::Well)
}

/// Whole lines out of pieces.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn take(&mut self, piece: &[u8], line: impl FnMut(&[u8]) -> anyhow::Result<()>) -> anyhow::Result<()> {
        self.0.extend_from_slice(piece);
        let Some(end) = memchr::memrchr(b'\n', &self.0) else { return Ok(()) };
        self.0[..end].split(|byte| *byte == b'\n').try_for_each(line)?;
        self.0.drain(..=end);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_the_pieces_fall() {
        for pieces in [vec!["ab\ncd\n"], vec!["a", "b", "\ncd", "\n"], vec!["ab\nc", "d\n"]] {
            let (mut lines, mut found) = (Lines::default(), Vec::new());
            for piece in &pieces {
                let take = |line: &[u8]| {
                    found.push(String::from_utf8_lossy(line).into_owned());
                    Ok(())
                };
                lines.take(piece.as_bytes(), take).unwrap();
            }
            assert_eq!(found, ["ab", "cd"], "{pieces:?}");
        }
    }
}
