//! Files of lines: NDJSON, and CSV by its name; gzip or plain.

use super::batch::Batch;
use super::call::Rows;
use super::csv;
use crate::progress::Progress;
use crate::replay::plain;
use anyhow::Context;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Every line becomes an event of `batch`.
///
/// # Errors
/// When the file cannot be read, or the events cannot be sent.
pub fn read(rows: &Rows, path: &Path, batch: &mut Batch<'_>) -> anyhow::Result<()> {
    let name = path.to_string_lossy();
    let file = File::open(path).with_context(|| format!("cannot open `{name}`"))?;
    let mut progress = Progress::of(file.metadata().ok().map(|facts| facts.len()));
    let mut reader = BufReader::new(plain(Box::new(file)).with_context(|| format!("cannot read `{name}`"))?);
    let head = name.trim_end_matches(".gz").ends_with(".csv").then(|| csv::head(rows, &mut reader)).transpose()?;
    let (mut line, mut number) = (String::new(), 0);
    loop {
        line.clear();
        let read = match &head {
            Some(_) => csv::read_record(&mut reader, &mut line),
            None => reader.read_line(&mut line),
        };
        let read = read.with_context(|| format!("cannot read `{name}` at line {}", number + 1))?;
        if read == 0 {
            break;
        }
        number += 1;
        if line.trim().is_empty() {
            continue;
        }
        match &head {
            Some(columns) => batch.event(number, &csv::call(rows, columns, line.trim_end_matches(['\n', '\r']))?)?,
            None => batch.event(number, &line)?,
        }
        progress.advance(read as u64, batch.sent());
    }
    progress.finish();
    Ok(())
}
