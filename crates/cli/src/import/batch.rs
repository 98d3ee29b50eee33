//! Events on their way to the server: as many as one call takes, sent until they are durable.

use crate::client::{Client, Refused};
use anyhow::bail;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Events of one call, and its most bytes: the server takes 500 KB.
const BATCH: usize = 200;
const BATCH_BYTES_MAX: usize = 400 << 10;
/// A server that is down or busy is asked again so many times, a second apart.
const ATTEMPTS_MAX: u32 = 120;
/// So many refusals are told; the others are counted.
const REFUSALS_MAX: usize = 20;

/// What became of the events of all files.
#[derive(Default)]
pub struct Counts {
    pub sent: u64,
    pub accepted: u64,
    pub refused: u64,
    /// The first of them.
    pub refusals: Vec<Refusal>,
}

/// An event that was not taken, by its place in the file.
#[derive(Serialize)]
pub struct Refusal {
    file: String,
    number: u64,
    reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.number, self.reason)
    }
}

/// One event of a batch.
struct Waiting {
    number: u64,
    event: Box<RawValue>,
    /// Why it cannot be one; the server keeps it as a dead letter.
    wrong: Option<String>,
}

/// Events of one file that wait for their call.
pub struct Batch<'a> {
    client: &'a Client,
    file: &'a str,
    /// What message ids begin with.
    prefix: String,
    counts: &'a mut Counts,
    waiting: Vec<Waiting>,
    bytes: usize,
}

impl<'a> Batch<'a> {
    pub fn new(client: &'a Client, file: &'a str, prefix: String, counts: &'a mut Counts) -> Batch<'a> {
        Batch { client, file, prefix, counts, waiting: Vec::new(), bytes: 0 }
    }

    pub fn sent(&self) -> u64 {
        self.counts.sent
    }

    /// A Segment call or a `CloudEvent`; the former gets a `messageId` if it has none.
    ///
    /// What is no JSON goes as it is: the server keeps it with its reason.
    ///
    /// # Errors
    /// As [`Batch::send`].
    pub fn event(&mut self, number: u64, text: &str) -> anyhow::Result<()> {
        let event = match serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
            Ok(members) if members.contains_key("specversion") || has(&members, "messageId") => RawValue::from_string(text.to_owned())?,
            Ok(mut members) => {
                let id = to_raw_value(&format!("{}-{number}", self.prefix))?;
                members.insert("messageId".to_owned(), &id);
                to_raw_value(&members)?
            }
            Err(_) => RawValue::from_string(text.to_owned()).or_else(|_| to_raw_value(text.trim_end()))?,
        };
        if event.get().len() > BATCH_BYTES_MAX {
            return self.wrong(number, &format!("an event of {} bytes is more than a server takes", event.get().len()));
        }
        self.add(Waiting { number, event, wrong: None })
    }

    /// What cannot be an event, and why: the server keeps the reason among its dead letters.
    ///
    /// # Errors
    /// As [`Batch::send`].
    pub fn wrong(&mut self, number: u64, reason: &str) -> anyhow::Result<()> {
        let event = to_raw_value(&format!("{}:{number}: {reason}", self.file))?;
        self.add(Waiting { number, event, wrong: Some(reason.to_owned()) })
    }

    fn add(&mut self, one: Waiting) -> anyhow::Result<()> {
        let bytes = one.event.get().len();
        if self.waiting.len() >= BATCH || self.bytes + bytes > BATCH_BYTES_MAX {
            self.send()?;
        }
        self.bytes += bytes;
        self.waiting.push(one);
        Ok(())
    }

    /// Sends what waits.
    ///
    /// # Errors
    /// When the server cannot be reached for two minutes, or does not let us in.
    pub fn send(&mut self) -> anyhow::Result<()> {
        self.bytes = 0;
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        let sent = waiting.len() as u64;
        let events: Vec<&RawValue> = waiting.iter().map(|one| &*one.event).collect();
        let body = BTreeMap::from([("batch", events)]);
        for _ in 0..ATTEMPTS_MAX {
            match self.client.post::<Value>("/v1/batch", &body) {
                Ok(taken) => {
                    self.counts.accepted += taken["accepted"].as_u64().unwrap_or(0);
                    self.counts.sent += sent;
                    for rejected in taken["rejected"].as_array().into_iter().flatten() {
                        let reason = format!("{} [{}]", text(rejected, "reason"), text(rejected, "code"));
                        let one = rejected["index"].as_u64().and_then(|index| waiting.get(usize::try_from(index).ok()?));
                        self.refused(one, &reason);
                    }
                    return Ok(());
                }
                Err(error) => match error.downcast_ref::<Refused>() {
                    // Every event of the batch was refused; the answer gives the reason of the first.
                    Some(refused) if refused.status == 400 => {
                        self.counts.sent += sent;
                        let reason = format!("{} [{}]", refused.detail, refused.code);
                        waiting.iter().for_each(|one| self.refused(Some(one), &reason));
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

    fn refused(&mut self, one: Option<&Waiting>, reason: &str) {
        self.counts.refused += 1;
        if let Some(one) = one.filter(|_| self.counts.refusals.len() < REFUSALS_MAX) {
            let reason = one.wrong.as_deref().unwrap_or(reason).to_owned();
            self.counts.refusals.push(Refusal { file: self.file.to_owned(), number: one.number, reason });
        }
    }
}

fn has(members: &BTreeMap<String, &RawValue>, name: &str) -> bool {
    members.get(name).is_some_and(|value| value.get() != "null")
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}
