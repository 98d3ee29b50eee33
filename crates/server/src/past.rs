//! The events of one person, read from the log again.

use faden_model::{Command, Event, ProfileId, Record, Timestamp};
use faden_runtime::SharedStore;
use faden_runtime::views::timeline::stored;
use faden_storage::{LogError, LogReader, LogReaders, Position};
use std::collections::VecDeque;

/// A record this far on is reached by reading on; one that is farther by opening the log again (0.3 ms).
const READ_ON_MAX: u64 = 500;

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

/// What `take` makes of the events at these positions, newest first as they are; read oldest first, as the log stands.
///
/// # Errors
/// When the log cannot be read.
pub fn read<T>(
    log: &LogReaders,
    positions: &[Position],
    take: impl Fn(Position, Timestamp, &Event<'_>) -> T,
) -> Result<VecDeque<T>, LogError> {
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
            if let Ok(Record { at, command: Command::Event(event) }) = Record::decode(bytes) {
                found.push_front(take(position, at, &event));
            }
            break;
        }
        open = Some(reader);
    }
    Ok(found)
}
