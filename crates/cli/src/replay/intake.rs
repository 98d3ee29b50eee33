//! Lines of files to records, in batches that borrow from the chunk they were read from.
//!
//! The event's own time becomes the record's; an event without one happens at the time of the line
//! before. Of a server's log it is the time at which the server took it. A line that is no event is counted, kept for the report and passed over.

use super::chunks::{Chunk, Chunks, LINE_BYTES_MAX};
use crate::progress::Progress;
use anyhow::Context;
use faden_model::event::Habits;
use faden_model::{Command, Event, Record, Timestamp, with_causes};
use flate2::read::MultiGzDecoder;
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Cursor, Read, Write};
use std::path::Path;

/// Records per batch: few enough to stay in the cache between parsing and applying.
const BATCH: usize = 256;
/// Refused lines that are shown one by one.
const SHOWN_MAX: usize = 20;

/// Takes a batch of records.
pub type Apply<'f> = dyn for<'a> FnMut(Vec<Record<'a>>) -> anyhow::Result<()> + 'f;

/// Reads files one after the other.
pub struct Intake<'o> {
    /// Country under which national phone numbers are read.
    pub country: &'o str,
    /// Later events are left out.
    pub until: Option<Timestamp>,
    pub counts: Counts,
    pub refused: Refused<'o>,
    /// The latest time of an event so far.
    pub clock: Option<Timestamp>,
    /// The earliest.
    pub first: Option<Timestamp>,
    habits: Habits,
    /// The clock is when events were taken.
    of_log: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub events: u64,
    /// Events later than `until`.
    pub beyond: u64,
    pub refused: u64,
}

/// Lines that are no events.
pub struct Refused<'o> {
    pub shown: Vec<String>,
    pub file: Option<&'o mut BufWriter<File>>,
}

/// One file (or standard input) while it is read.
struct Source<'n> {
    name: &'n str,
    /// Start of the message ids of events that have none.
    prefix: String,
    line: u64,
}

impl<'o> Intake<'o> {
    pub fn new(country: &'o str, until: Option<Timestamp>, file: Option<&'o mut BufWriter<File>>) -> Intake<'o> {
        let refused = Refused { shown: Vec::new(), file };
        Intake { country, until, counts: Counts::default(), refused, clock: None, first: None, habits: Habits::default(), of_log: false }
    }

    /// From now on lines are those of a server's log.
    pub fn clock_of_log(&mut self) {
        self.of_log = true;
    }

    /// Reads one file; `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be read, and what `apply` says.
    pub fn read_file(&mut self, name: &str, progress: &mut Progress, apply: &mut Apply<'_>) -> anyhow::Result<()> {
        let raw: Box<dyn Read> = match name {
            "-" => Box::new(std::io::stdin().lock()),
            _ => Box::new(File::open(Path::new(name)).with_context(|| format!("cannot open `{name}`"))?),
        };
        self.read(name, plain(raw).with_context(|| format!("cannot read `{name}`"))?, progress, apply)
    }

    /// Reads one stream of lines.
    ///
    /// # Errors
    /// As [`Intake::read_file`].
    pub fn read(&mut self, name: &str, reader: impl Read, progress: &mut Progress, apply: &mut Apply<'_>) -> anyhow::Result<()> {
        let hash = blake3::hash(name.as_bytes()).to_hex();
        let mut source = Source { name, prefix: format!("line-{}-", &hash[..16]), line: 0 };
        let mut chunks = Chunks::new(reader);
        while let Some(chunk) = chunks.next().with_context(|| format!("cannot read `{name}`"))? {
            match chunk {
                Chunk::Lines(bytes) => {
                    self.take_lines(bytes, &mut source, apply)?;
                    progress.advance(bytes.len() as u64, self.counts.events);
                }
                Chunk::TooLong => {
                    source.line += 1;
                    self.refuse(&source, "event-too-long", &format!("the line is longer than {LINE_BYTES_MAX} bytes; split it"), "")?;
                }
            }
        }
        Ok(())
    }

    fn take_lines(&mut self, bytes: &[u8], source: &mut Source<'_>, apply: &mut Apply<'_>) -> anyhow::Result<()> {
        let text = std::str::from_utf8(bytes).ok();
        let mut records = Vec::with_capacity(BATCH);
        let mut start = 0;
        while start < bytes.len() {
            let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
            source.line += 1;
            let line = match text {
                Some(text) => Ok(&text[start..end]),
                None => std::str::from_utf8(&bytes[start..end]),
            };
            match line {
                Ok(line) => records.extend(self.record(line, source)?),
                Err(_) => {
                    let lossy = String::from_utf8_lossy(&bytes[start..end]);
                    self.refuse(source, "event-not-json", "the line is not UTF-8 text; send UTF-8", &lossy)?;
                }
            }
            if records.len() == BATCH {
                apply(std::mem::replace(&mut records, Vec::with_capacity(BATCH)))?;
            }
            start = end + 1;
        }
        if records.is_empty() { Ok(()) } else { apply(records) }
    }

    fn record<'a>(&mut self, line: &'a str, source: &Source<'_>) -> anyhow::Result<Option<Record<'a>>> {
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        if line.bytes().all(|byte| byte.is_ascii_whitespace()) {
            return Ok(None);
        }
        let mut event = match Event::parse_next(line, self.country, &mut self.habits) {
            Ok(event) => event,
            Err(error) => {
                self.refuse(source, error.code(), &with_causes(&error), line)?;
                return Ok(None);
            }
        };
        let taken = if self.of_log { taken_at(line) } else { None };
        let at = taken.or(event.timestamp).or(self.clock).unwrap_or_default();
        if self.until.is_some_and(|until| at > until) {
            self.counts.beyond += 1;
            return Ok(None);
        }
        if event.message_id.is_empty() {
            event.message_id = Cow::Owned(format!("{}{}", source.prefix, source.line));
        }
        self.clock = Some(self.clock.map_or(at, |clock| clock.max(at)));
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.counts.events += 1;
        Ok(Some(Record { at, command: Command::Event(event) }))
    }

    fn refuse(&mut self, source: &Source<'_>, code: &str, text: &str, raw: &str) -> anyhow::Result<()> {
        self.counts.refused += 1;
        if self.refused.shown.len() < SHOWN_MAX {
            self.refused.shown.push(format!("{}:{}: {text} [{code}]", source.name, source.line));
        }
        if let Some(file) = &mut self.refused.file {
            let row = serde_json::json!({"file": source.name, "line": source.line, "code": code, "message": text, "raw": raw});
            writeln!(file, "{row}").context("cannot write the refused lines")?;
        }
        Ok(())
    }
}

/// When a server took this event, as its export says.
fn taken_at(line: &str) -> Option<Timestamp> {
    #[derive(serde::Deserialize)]
    struct Taken<'a> {
        #[serde(borrow, rename = "receivedAt")]
        at: Cow<'a, str>,
    }
    Timestamp::parse(&serde_json::from_str::<Taken<'_>>(line).ok()?.at).ok()
}

/// The stream itself, unpacked if it begins like a gzip file.
///
/// # Errors
/// The stream's.
pub fn plain(mut raw: Box<dyn Read>) -> std::io::Result<Box<dyn Read>> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let mut start = Vec::new();
    raw.by_ref().take(2).read_to_end(&mut start)?;
    let packed = start == GZIP;
    let whole = Cursor::new(start).chain(raw);
    Ok(if packed { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}
