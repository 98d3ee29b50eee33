//! `faden export`: everything of one kind from a running server, as lines of JSON, and journeys as process mining reads them.

mod ocel;
mod steps;
mod xes;

use crate::Ending;
use crate::client::Server;
use anyhow::{Context, bail, ensure};
use clap::{Args, ValueEnum};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use steps::Step;

/// Write everything of one kind from a running server
///
/// Profiles, events, messages and decisions are lines of JSON. Journeys, every passage step by step, are XES
/// (a trace for each passage) or OCEL 2.0 (customers, passages and messages as objects); neither holds an address.
#[derive(Args)]
#[command(after_help = "Examples:
  faden export events --out events.ndjson
  faden export messages | jq 'select(.state == \"failed\")'
  faden export journeys --format xes --out journeys.xes
  faden export journeys --format ocel --out journeys.jsonocel")]
pub struct Arguments {
    /// What to export
    #[arg(value_enum)]
    what: What,
    /// How it is written; journeys are XES or OCEL
    #[arg(long, value_enum, default_value = "ndjson")]
    format: Format,
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
    Xes,
    Ocel,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    if (arguments.what == What::Journeys) == (arguments.format == Format::Ndjson) {
        bail!("journeys are written with `--format xes` or `--format ocel`, everything else as lines of JSON");
    }
    let what = match arguments.what {
        What::Profiles => "profiles",
        What::Events => "events",
        What::Messages => "messages",
        // Every step of a passage is a decision.
        What::Decisions | What::Journeys => "decisions",
    };
    let client = arguments.server.connect()?;
    let mut out: Box<dyn Write> = match &arguments.out {
        Some(path) => {
            ensure!(!path.exists(), "`{}` exists already; name another file", path.display());
            Box::new(BufWriter::new(File::create(path).with_context(|| format!("cannot write `{}`", path.display()))?))
        }
        None => Box::new(BufWriter::new(std::io::stdout())),
    };
    let path = format!("/api/v1/export/{what}");
    if arguments.format == Format::Ndjson {
        client.stream(&path, |piece| Ok(out.write_all(piece)?))?;
    } else {
        let mut steps = Vec::new();
        let mut lines = Lines::default();
        client.stream(&path, |piece| lines.take(piece, |line| steps.extend(Step::read(line))))?;
        steps::sort(&mut steps);
        if arguments.format == Format::Xes { xes::write(&steps, &mut out)? } else { ocel::write(&steps, &mut out)? }
    }
    out.flush()?;
    Ok(Ending::Well)
}

/// Whole lines out of pieces.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn take(&mut self, piece: &[u8], mut line: impl FnMut(&[u8])) -> anyhow::Result<()> {
        self.0.extend_from_slice(piece);
        let Some(end) = memchr::memrchr(b'\n', &self.0) else { return Ok(()) };
        self.0[..end].split(|byte| *byte == b'\n').for_each(&mut line);
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
                lines.take(piece.as_bytes(), |line| found.push(String::from_utf8_lossy(line).into_owned())).unwrap();
            }
            assert_eq!(found, ["ab", "cd"], "{pieces:?}");
        }
    }
}
