//! The events of one person, read from the log again.

use faden_model::{Event, Identifier, ProfileId, Record, Timestamp};
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

/// Events of one instant that are looked at for an identifier.
const OF_ONE_INSTANT: usize = 64;

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
        let from = self.first_since(at)?;
        let until = self.positions.len().min(from + OF_ONE_INSTANT);
        let newest_first: Vec<Position> = self.positions[from..until].iter().rev().copied().collect();
        let brought = read(&self.log, &newest_first, |told| {
            (told.at == at && told.event.identifiers.contains(identifier)).then(|| told.source.map(str::to_owned))
        })?;
        Ok(brought.into_iter().rev().flatten().next().flatten())
    }

    /// The place of the first event that came in then or later. Most identifiers are told early.
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
