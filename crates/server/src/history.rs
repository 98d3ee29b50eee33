//! A past for a new data directory: events with their own times, and what became of the messages they led to.
//!
//! For demonstrations and trials: nothing is sent. What a message's provider would have said is asked of the
//! caller and written as reports, each at its time. The server then opens the directory as if it had always run.

use crate::serve::{Options, ServeError, opener};
use faden_engine::Definitions;
use faden_engine::workspace::Files;
use faden_model::{Command, Event, MessageId, Receipt, Record, Report, Span, Text, Timestamp};
use faden_runtime::{Node, NodeError};
use faden_storage::RecordBatch;
use std::collections::BTreeMap;

/// Records that are applied together; their messages' reports may come right behind them.
const GROUP: usize = 128;
/// Records that are logged together.
const LOGGED_AT_ONCE: usize = 8_192;

/// What a provider says of one message, and how long after it went out.
pub type Outcome = Vec<(Span, Receipt, &'static str)>;

/// Writes a past. `calls` are Segment calls or CloudEvents in the order of time; `outcome` gets each message
/// and its channel; nothing is said after `until`. Returns the number of records.
///
/// # Errors
/// [`ServeError`] when the directory cannot be used, or the workspace has errors.
pub fn write(
    options: &Options,
    files: &Files,
    calls: impl Iterator<Item = (Timestamp, &'static str, String)>,
    until: Timestamp,
    mut outcome: impl FnMut(MessageId, &str) -> Outcome,
) -> Result<u64, ServeError> {
    std::fs::create_dir_all(&options.data).map_err(|source| ServeError::Data { path: options.data.clone(), source })?;
    let read = faden_engine::workspace::read(files);
    let Some(definitions) = read.definitions else { return Err(ServeError::Workspace(read.findings)) };
    let mut past = Past { node: opener(options)()?, batch: RecordBatch::new(), reports: BTreeMap::new(), number: 0 };
    let mut calls = calls.peekable();
    let begin = calls.peek().map_or(Timestamp::default(), |(at, ..)| *at);
    past.take(&[Record { at: begin, command: Command::Publish { files: files.0.clone() } }])?;
    loop {
        // Reports stand between the calls where their time is.
        let next = past.reports.keys().next().map_or(Timestamp::MAX, |(at, _)| *at);
        let mut group: Vec<(Timestamp, &str, String)> = Vec::new();
        while group.len() < GROUP
            && let Some(call) = calls.next_if(|(at, ..)| *at <= next)
        {
            group.push(call);
        }
        let parsed = group.iter().filter_map(|(at, source, call)| Some((at, source, Event::parse(call, &definitions.country).ok()?)));
        let mut records: Vec<Record<'_>> =
            parsed.map(|(at, source, event)| Record { at: *at, command: Command::told(source, event) }).collect();
        if group.is_empty() {
            let Some(((at, _), (account, report))) = past.reports.pop_first() else { break };
            records.push(Record { at, command: Command::ReportOf { account, report } });
        }
        past.take(&records)?;
        past.collect(until, &definitions, &mut outcome);
    }
    past.write_log()?;
    past.node.settle_keeping_log()?;
    Ok(past.node.position().0)
}

/// A past that is being written. Nobody waits for it to be durable before its end, so it is applied first and
/// logged in large pieces.
struct Past {
    node: Node,
    batch: RecordBatch,
    /// By time, and in the order in which they were thought of.
    reports: BTreeMap<(Timestamp, u64), (Text, Report)>,
    number: u64,
}

impl Past {
    fn take(&mut self, records: &[Record<'_>]) -> Result<(), ServeError> {
        for record in records {
            self.batch.push_with(|bytes| record.encode(bytes)).map_err(NodeError::from)?;
        }
        self.node.apply(records)?;
        if self.batch.len() >= LOGGED_AT_ONCE { self.write_log() } else { Ok(()) }
    }

    fn write_log(&mut self) -> Result<(), ServeError> {
        Ok(self.node.append_only(std::mem::take(&mut self.batch))?)
    }

    /// Asks what became of the messages that were decided since.
    fn collect(&mut self, until: Timestamp, definitions: &Definitions, outcome: &mut impl FnMut(MessageId, &str) -> Outcome) {
        let store = self.node.store().cloned();
        let Some(views) = self.node.views() else { return };
        for message in views.messages.take_fresh() {
            let Some(row) = views.message(message, store.as_ref()) else { continue };
            let account = definitions.channels.values().find(|account| account.kind == row.channel);
            let account = account.map(|account| account.name.clone()).unwrap_or_default();
            for (after, receipt, code) in outcome(message, &row.channel) {
                let (code, provider_id) = (Text::const_new(code), Text::default());
                let report = Report { message, receipt, code, provider_id, withheld: false, address_gone: false };
                self.number += 1;
                if row.at + after <= until {
                    self.reports.insert((row.at + after, self.number), (account.clone(), report));
                }
            }
        }
    }
}
