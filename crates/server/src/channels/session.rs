//! Whether a customer wrote lately enough for a text of one's own, where a channel asks for that.
//!
//! What he wrote is in the log, by whichever of his identifiers; nothing else has to be kept for it.

use crate::inbound::RECEIVED;
use crate::keeper::{Refusal, now};
use crate::past::{newest, read};
use crate::state::App;
use faden_model::json::lookup;
use faden_model::{Event, MessageId, Text, Timestamp};
use faden_storage::{LogError, LogReaders, Position};
use std::time::Duration;

/// Events that are read at a time, the newest first.
const EVENTS_AT_A_TIME: usize = 64;

/// Whether the customer of a message wrote to this account within `session`.
///
/// # Errors
/// [`Refusal`] while the server has no state. A log that cannot be read leaves the answer to the provider.
pub async fn is_open(app: &App, account: &str, message: MessageId, session: Duration) -> Result<bool, Refusal> {
    let found = app.keeper.look(move |node| {
        let identity = &node.front().identity;
        let strands = identity.strands(identity.profile_of_strand(message.0.under)?);
        let unsaved = node.views()?.timeline.unsaved(&strands, Position(u64::MAX));
        Some((strands, unsaved, node.store()?.clone()))
    });
    let Some((strands, unsaved, store)) = found.await? else { return Ok(false) };
    let log = app.log.read().expect("no holder of this lock panics").clone();
    let (account, since) = (account.to_owned(), Timestamp(now().0.saturating_sub(i64::try_from(session.as_millis()).unwrap_or(i64::MAX))));
    let wrote = tokio::task::spawn_blocking(move || {
        let positions = |before| newest(&store, &strands, &unsaved, before, EVENTS_AT_A_TIME);
        wrote_since(&log, &account, since, positions)
    });
    Ok(match wrote.await {
        Ok(Ok(wrote)) => wrote,
        Ok(Err(error)) => {
            tracing::warn!(%message, %error, "it cannot be read when the customer wrote; the provider decides");
            true
        }
        Err(_) => true,
    })
}

/// Goes back in time event by event; `positions` gives the next older ones.
fn wrote_since(log: &LogReaders, account: &str, since: Timestamp, positions: impl Fn(Position) -> Vec<Position>) -> Result<bool, LogError> {
    let mut before = Position(u64::MAX);
    loop {
        let positions = positions(before);
        let Some(oldest) = positions.last() else { return Ok(false) };
        before = *oldest;
        // No message is dated after the record that it came in.
        for (at, wrote) in read(log, &positions, |told| (told.at, wrote_at(told.event, account)))? {
            if wrote.is_some_and(|wrote| wrote > since) {
                return Ok(true);
            }
            if at <= since {
                return Ok(false);
            }
        }
    }
}

/// When the customer wrote to this account, if this is what the event says.
fn wrote_at(event: &Event<'_>, account: &str) -> Option<Timestamp> {
    let came_to = || lookup(&event.properties, &[Text::const_new("account")]);
    (event.name == RECEIVED && came_to().as_text().is_some_and(|name| name == account)).then_some(event.timestamp)?
}
