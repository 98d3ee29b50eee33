//! The events of one person, read from the log again.

use faden_model::{Event, Identifier, ProfileId, Record, Span, Timestamp};
use faden_runtime::SharedStore;
use faden_runtime::views::timeline::stored;
use faden_storage::{LogError, LogReader, LogReaders, Position};
use std::collections::VecDeque;

/// A record this far on is reached by reading on; one that is farther by opening the log again (0.3 ms).
const READ_ON_MAX: u64 = 500;

/// An event as it stands in the log.
pub struct Told<'a> {
    pub position: Position,
    /// When it came in.
    pub at: Timestamp,
    /// The source that it came from, where one is known.
    pub source: Option<&'a str>,
    pub event: &'a Event<'a>,
}

/// Positions of the newest events of these strands before a position, newest first, `count` at most; `unsaved`
/// are those that stand in no row of the store yet, newest first.
pub fn newest(store: &SharedStore, strands: &[ProfileId], unsaved: &[Position], before: Position, count: usize) -> Vec<Position> {
    let mut positions: Vec<Position> = unsaved.iter().copied().filter(|position| *position < before).take(count).collect();
    positions.extend(strands.iter().flat_map(|strand| stored(store, *strand, before, count)));
    positions.sort_unstable_by(|one, next| next.cmp(one));
    positions.dedup();
    positions.truncate(count);
    positions
}

/// Calls are dated when they come in and written in the order in which they are read: a record may be dated so much
/// before those in front of it. What it brings is learned at the latest time that stands in front of it.
const OUT_OF_ORDER_MAX: Span = Span(5_000);

/// Events around one instant that are looked at for an identifier.
const AROUND_MAX: usize = 1_024;

/// Of these, how many are read at once.
const READ_AT_ONCE: usize = 64;

/// Who told what is known of one person, found in the log.
pub struct Tellers {
    log: LogReaders,
    /// Of his events, oldest first.
    positions: Vec<Position>,
}

impl Tellers {
    /// `unsaved` as for [`newest`].
    pub fn new(log: LogReaders, store: &SharedStore, strands: &[ProfileId], unsaved: &[Position]) -> Tellers {
        let mut positions = newest(store, strands, unsaved, Position(u64::MAX), usize::MAX);
        positions.reverse();
        Tellers { log, positions }
    }

    /// The source of the event that first brought an identifier, which was learned at `at`; `None` where it is not
    /// known: events of files have none, and those that came in while the clock was set back are not found.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn of(&self, identifier: &Identifier<'_>, at: Timestamp) -> Result<Option<String>, LogError> {
        let from = self.first_since(Timestamp(at.0.saturating_sub(OUT_OF_ORDER_MAX.0)))?;
        let until = self.positions.len().min(from + AROUND_MAX);
        for some in self.positions[from..until].chunks(READ_AT_ONCE) {
            let newest_first: Vec<Position> = some.iter().rev().copied().collect();
            let mut looked_at = read(&self.log, &newest_first, |told| {
                let brought = told.at <= at && told.event.identifiers.contains(identifier);
                (told.at > at, brought.then(|| told.source.map(str::to_owned)))
            })?;
            looked_at.make_contiguous().reverse();
            // Whatever stands behind a later record was learned later, too.
            let in_time = looked_at.iter().position(|(later, _)| *later).unwrap_or(looked_at.len());
            if let Some(source) = looked_at.iter_mut().take(in_time).find_map(|(_, brought)| brought.take()) {
                return Ok(source);
            }
            if in_time < looked_at.len() {
                break;
            }
        }
        Ok(None)
    }

    /// The place of an event that came in then or later, where no event in front of it is [`OUT_OF_ORDER_MAX`] newer.
    /// Most identifiers are told early.
    fn first_since(&self, at: Timestamp) -> Result<usize, LogError> {
        let before =
            |place: usize| Ok(read(&self.log, &self.positions[place..=place], |told| told.at < at)?.front().is_some_and(|before| *before));
        let (mut low, mut step) = (0, 1);
        while low + step <= self.positions.len() && before(low + step - 1)? {
            low += step;
            step *= 2;
        }
        let mut high = self.positions.len().min(low + step - 1);
        while low < high {
            let middle = low.midpoint(high);
            if before(middle)? { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }
}

/// What `take` makes of the events at these positions, newest first as they are; read oldest first, as the log stands.
///
/// # Errors
/// When the log cannot be read.
pub fn read<T>(log: &LogReaders, positions: &[Position], take: impl Fn(&Told<'_>) -> T) -> Result<VecDeque<T>, LogError> {
    let mut found = VecDeque::new();
    let mut open: Option<LogReader> = None;
    for wanted in positions.iter().rev() {
        let near = open.take().filter(|reader| wanted.0 - reader.position().0 <= READ_ON_MAX);
        let mut reader = match near {
            Some(reader) => reader,
            None => log.read(*wanted)?,
        };
        while let Some((position, bytes)) = reader.next()? {
            if position < *wanted {
                continue;
            }
            let record = Record::decode(bytes);
            if let Ok(Record { at, command }) = &record
                && let Some(event) = command.event()
            {
                found.push_front(take(&Told { position, at: *at, source: command.source(), event }));
            }
            break;
        }
        open = Some(reader);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use faden_model::{Command, IdentifierKind};
    use faden_storage::{FileDisk, Log, LogOptions, RecordBatch};
    use std::sync::Arc;

    /// A log of events of one person: when each came in, its source, and its anonymous id.
    fn tellers(directory: &std::path::Path, events: &[(i64, &str, &str)]) -> Tellers {
        let mut log = Log::open(Arc::new(FileDisk), LogOptions::new(directory)).expect("a log");
        let mut batch = RecordBatch::new();
        for (at, source, id) in events {
            let call = format!(r#"{{"type":"page","userId":"u","anonymousId":"{id}"}}"#);
            let event = Event::parse(&call, "DE").expect("a call");
            let record = Record { at: Timestamp(*at), command: Command::told(source, event) };
            batch.push_with(|bytes| record.encode(bytes)).expect("it is short");
        }
        let first = log.append(&mut batch).expect("it is written");
        log.flush().expect("it is flushed");
        Tellers { log: log.readers(), positions: (0..events.len() as u64).map(|place| Position(first.0 + place)).collect() }
    }

    fn told(tellers: &Tellers, id: &'static str, learned_at: i64) -> Option<String> {
        let identifier = Identifier { kind: IdentifierKind::AnonymousId, value: id.into() };
        tellers.of(&identifier, Timestamp(learned_at)).expect("it is read")
    }

    #[test]
    fn a_teller_is_found_when_his_call_was_overtaken() {
        let directory = tempfile::tempdir().expect("a directory");
        // The call of the till came in first and was written behind the other.
        let tellers =
            tellers(directory.path(), &[(9_000, "web", "a-1"), (9_007, "app", "a-2"), (9_003, "till", "a-3"), (9_500, "crm", "a-3")]);
        let found = [("a-1", 9_000), ("a-2", 9_007), ("a-3", 9_007)].map(|(id, at)| told(&tellers, id, at));
        assert_eq!(found, [Some("web"), Some("app"), Some("till")].map(|source| source.map(str::to_owned)));
    }

    #[test]
    fn who_tells_it_later_is_not_taken_for_the_teller() {
        let directory = tempfile::tempdir().expect("a directory");
        let tellers = tellers(directory.path(), &[(1_000, "web", "a-1"), (9_000, "app", "a-2"), (9_001, "till", "a-3")]);
        assert_eq!(told(&tellers, "a-3", 9_000), None);
    }

    #[test]
    fn a_teller_is_found_among_many_events_of_a_moment() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut events: Vec<(i64, &str, &str)> = (0..300).map(|number| (9_000 + number, "till", "a-1")).collect();
        events.push((9_300, "crm", "a-2"));
        assert_eq!(told(&tellers(directory.path(), &events), "a-2", 9_300).as_deref(), Some("crm"));
    }
}
