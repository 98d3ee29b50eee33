//! Where decisions go: into the file, the hash and the summary.

use super::summary::Summary;
use anyhow::Context;
use faden_engine::decision::Decision;
use faden_runtime::{DecisionHash, SharedStore};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Bytes of lines that are collected before they are written.
const WRITE_BYTES: usize = 1 << 18;

#[derive(Default)]
pub struct Sink {
    out: Option<Target>,
    lines: String,
    hash: Option<DecisionHash>,
    scratch: String,
    pub summary: Summary,
}

/// A file that appears under its name only when it is complete.
struct Target {
    writer: Box<dyn Write>,
    rename: Option<(PathBuf, PathBuf)>,
}

impl Sink {
    /// `out`: file for the lines, `-` for standard output.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn new(out: Option<&Path>, hash: bool) -> anyhow::Result<Sink> {
        let out = out.map(Target::new).transpose()?;
        Ok(Sink { out, hash: hash.then(DecisionHash::default), ..Sink::default() })
    }

    /// # Errors
    /// When the lines cannot be written.
    pub fn take(&mut self, decisions: &[Decision]) -> anyhow::Result<()> {
        decisions.iter().try_for_each(|decision| self.take_one(decision))
    }

    /// Takes all decisions that a store holds, in the order of their ids.
    ///
    /// # Errors
    /// When the lines cannot be written.
    pub fn take_stored(&mut self, store: &SharedStore) -> anyhow::Result<()> {
        let mut failed = Ok(());
        store.each_decision(|decision| {
            if failed.is_ok() {
                failed = self.take_one(decision);
            }
        });
        failed
    }

    fn take_one(&mut self, decision: &Decision) -> anyhow::Result<()> {
        self.summary.add(decision);
        if let Some(hash) = &mut self.hash {
            hash.add(decision, &mut self.scratch);
        }
        if self.out.is_some() {
            decision.write_json(&mut self.lines, true);
            self.lines.push('\n');
            if self.lines.len() >= WRITE_BYTES {
                self.write_lines()?;
            }
        }
        Ok(())
    }

    fn write_lines(&mut self) -> anyhow::Result<()> {
        if let Some(out) = &mut self.out {
            out.writer.write_all(self.lines.as_bytes()).context("cannot write the decisions")?;
        }
        self.lines.clear();
        Ok(())
    }

    /// Completes the file.
    ///
    /// # Errors
    /// When it cannot be written to the end.
    pub fn finish(mut self) -> anyhow::Result<(Summary, Option<DecisionHash>)> {
        self.write_lines()?;
        if let Some(out) = self.out.take() {
            out.finish()?;
        }
        Ok((self.summary, self.hash))
    }
}

impl Target {
    fn new(path: &Path) -> anyhow::Result<Target> {
        if path == Path::new("-") {
            return Ok(Target { writer: Box::new(std::io::stdout().lock()), rename: None });
        }
        // Devices and pipes are written to as they are.
        let direct = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = if direct { path.to_owned() } else { path.with_file_name(name) };
        let file = File::create(&part).with_context(|| format!("cannot write `{}`", part.display()))?;
        Ok(Target { writer: Box::new(file), rename: (!direct).then(|| (part, path.to_owned())) })
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.writer.flush().context("cannot write the decisions")?;
        drop(self.writer);
        if let Some((part, path)) = self.rename {
            std::fs::rename(&part, &path).with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        Ok(())
    }
}
