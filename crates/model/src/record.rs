//! Log records: an instant and a command, as they stand on disk for ever.
//!
//! Written as one version byte and postcard. A new meaning is a new version beside the old ones, and a
//! golden file holds each version to its bytes.

use crate::{Event, MessageId, Text, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record<'a> {
    /// When it was taken in; the engine's clock. In a replay of files: the event's own time.
    pub at: Timestamp,
    #[serde(borrow)]
    pub command: Command<'a>,
}

/// What a record asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command<'a> {
    /// Something happened. Without identifiers it is a business event about nobody in particular.
    Event(#[serde(borrow)] Event<'a>),
    /// New definitions: the workspace's files by path. They hold from the next record on.
    Publish { files: BTreeMap<String, String> },
    /// Take back a merge, by its number in the ledger.
    Unmerge { merge: u32 },
    /// What a channel reports about a message, and nothing else: scenarios say it so.
    Receipt { message: MessageId, receipt: Receipt },
    /// Move running enrollments to another version of their journey, or back.
    Migrate(Migration),
    /// Nothing but the time.
    Tick,
    /// What a channel reports about a message, with what a person wants to know about it. Since version 2.
    Report(Report),
    /// The same, and by which account the message went. Since version 3.
    ReportOf { account: Text, report: Report },
    /// Something happened, and who told: the source that it came from. Since version 4.
    EventFrom {
        source: Text,
        #[serde(borrow)]
        event: Event<'a>,
    },
}

impl<'a> Command<'a> {
    /// An event, and the source that told it; empty where nobody in particular did.
    pub fn told(source: &str, event: Event<'a>) -> Command<'a> {
        if source.is_empty() { Command::Event(event) } else { Command::EventFrom { source: Text::new(source), event } }
    }

    /// What happened, if this is about something that did.
    pub fn event(&self) -> Option<&Event<'a>> {
        match self {
            Command::Event(event) | Command::EventFrom { event, .. } => Some(event),
            _ => None,
        }
    }

    /// The source that told it, where one did.
    pub fn source(&self) -> Option<&str> {
        match self {
            Command::EventFrom { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// A receipt with its circumstances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub message: MessageId,
    pub receipt: Receipt,
    /// The provider's or the protocol's code, or the rule that stopped it; empty when there is none.
    pub code: Text,
    /// The provider's own name for the message, for receipts that use it; empty when there is none.
    pub provider_id: Text,
    /// It never reached a provider: the policy stopped it when it was about to go out.
    pub withheld: bool,
    /// The address takes no messages any more.
    pub address_gone: bool,
}

/// What became of a message that went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Receipt {
    /// The provider took it.
    Sent,
    Delivered,
    Read,
    Failed,
}

/// Which enrollments move where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migration {
    /// Names this migration for its undo.
    pub number: u64,
    /// Key of the journey's name.
    pub journey: u64,
    /// Version to move to.
    pub to: u64,
    /// Old step to new step, by id; a step that is not named lands on the step of the same id.
    pub steps: BTreeMap<Text, Text>,
    /// Take back the migration with this number instead.
    pub undo: bool,
}

/// Version of the form that this program writes.
pub const VERSION: u8 = 4;

/// Why stored bytes are not a record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("the record has version {0}, this program reads up to {VERSION}; use a newer program")]
    Version(u8),
    #[error("the record cannot be read; restore the log from a backup")]
    Broken(#[source] postcard::Error),
}

impl Record<'_> {
    /// Appends the record's bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        let taken = std::mem::take(out);
        *out = postcard::to_extend(self, taken).expect("a record has no unserialisable part");
    }
}

impl<'a> Record<'a> {
    /// Reads a record that borrows from `bytes`.
    ///
    /// # Errors
    /// [`RecordError`] when the bytes are of a newer version or broken.
    pub fn decode(bytes: &'a [u8]) -> Result<Record<'a>, RecordError> {
        match bytes.split_first() {
            // Each version added commands at the end; what the ones before wrote reads the same.
            Some((1..=VERSION, rest)) => postcard::from_bytes(rest).map_err(RecordError::Broken),
            Some((version, _)) => Err(RecordError::Version(*version)),
            None => Err(RecordError::Broken(postcard::Error::DeserializeUnexpectedEnd)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One record of every kind, in the order of the golden file.
    fn samples() -> Vec<Record<'static>> {
        let at = Timestamp(1_772_359_200_000);
        let line = r#"{"type":"track","messageId":"m1","userId":"u1","anonymousId":"a1","timestamp":"2026-03-01T10:00:00Z","event":"Order Completed","properties":{"revenue":9.90},"context":{"consent":{"categoryPreferences":{"marketing":true}}}}"#;
        let event = Event::parse(line, "DE").expect("the sample is a track call");
        let files = BTreeMap::from([("faden.yaml".to_owned(), "workspace: w\n".to_owned())]);
        let message = MessageId::parse("msg_7b_4").expect("the sample is an id");
        let report = Report {
            message,
            receipt: Receipt::Failed,
            code: Text::new("550 5.1.1"),
            provider_id: Text::new("p-1"),
            withheld: false,
            address_gone: true,
        };
        let steps = BTreeMap::from([(Text::new("old"), Text::new("new"))]);
        [
            Command::Event(event.clone().into_owned()),
            Command::Publish { files },
            Command::Unmerge { merge: 3 },
            Command::Receipt { message, receipt: Receipt::Failed },
            Command::Migrate(Migration { number: 1, journey: 2, to: 3, steps, undo: false }),
            Command::Tick,
            Command::Report(report.clone()),
            Command::ReportOf { account: Text::new("mail"), report },
            Command::told("web shop", event.into_owned()),
        ]
        .into_iter()
        .map(|command| Record { at, command })
        .collect()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("golden files are hexadecimal")).collect()
    }

    #[test]
    fn records_of_every_version_read_as_they_were_written() {
        let versions = [
            (include_str!("../tests/golden/record_v1.hex"), 6),
            (include_str!("../tests/golden/record_v2.hex"), 7),
            (include_str!("../tests/golden/record_v3.hex"), 8),
            (include_str!("../tests/golden/record_v4.hex"), 9),
        ];
        for (golden, last) in versions {
            assert_eq!(golden.lines().count(), last);
            for (line, sample) in golden.lines().zip(samples()) {
                let bytes = bytes(line);
                let read = Record::decode(&bytes).expect("what was written is readable");
                assert_eq!(format!("{read:?}"), format!("{sample:?}"));
            }
        }
    }

    #[test]
    fn records_are_written_in_the_newest_version() {
        let written: Vec<String> = samples()
            .iter()
            .map(|sample| {
                let mut bytes = Vec::new();
                sample.encode(&mut bytes);
                hex(&bytes)
            })
            .collect();
        assert_eq!(written.join("\n") + "\n", include_str!("../tests/golden/record_v4.hex"));
    }

    #[test]
    fn a_record_of_a_newer_version_is_refused_with_the_way_out() {
        let error = Record::decode(&[9, 1, 2]).expect_err("version 9 does not exist");
        assert_eq!(error.to_string(), "the record has version 9, this program reads up to 4; use a newer program");
    }
}
