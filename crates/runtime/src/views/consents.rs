//! Every consent that was given or withdrawn, by time over all people and by time for each.

use super::ledger::Ledger;
use crate::checkpoint::{born_key, time_key};
use faden_engine::decision::{Cause, Decision};
use faden_model::{DecisionId, Event, IdentifierKind, ProfileId, Text, Timestamp};
use faden_storage::{Batch, Position, Table};
use serde::{Deserialize, Serialize};

/// First byte of keys by time.
pub const BY_TIME: u8 = 0;
/// First byte of keys by strand and time.
pub const BY_STRAND: u8 = 1;

/// One consent, as its rows keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRow {
    pub at: Timestamp,
    /// The strand or profile under which it was learned.
    pub profile: ProfileId,
    pub user_id: Text,
    pub purpose: Text,
    pub channel: Option<Text>,
    pub granted: bool,
    /// The event's name, or what else brought it.
    pub cause: Text,
    /// Message id of the event, or id of the passage.
    pub proof: Text,
    pub decision: Option<DecisionId>,
}

/// Consents since the last checkpoint.
pub struct Consents {
    pub rows: Ledger,
}

impl ConsentRow {
    pub fn read(value: &[u8]) -> Option<ConsentRow> {
        postcard::from_bytes(value).ok()
    }
}

impl Consents {
    pub(super) fn new() -> Consents {
        Consents { rows: Ledger::new(Table::Consents) }
    }

    /// What an event says in its context; one that is about consent itself brings a decision.
    pub(super) fn event(&mut self, at: Timestamp, strand: ProfileId, position: Position, event: &Event<'_>) {
        let user = event.identifiers.iter().find(|identifier| identifier.kind == IdentifierKind::UserId);
        for (number, (purpose, granted)) in (0u32..).zip(&event.consents) {
            let row = ConsentRow {
                at,
                profile: strand,
                user_id: user.map(|user| Text::new(&user.value)).unwrap_or_default(),
                purpose: purpose.clone(),
                channel: None,
                granted: *granted,
                cause: Text::new(faden_engine::view::reaction_name(event)),
                proof: Text::new(&event.message_id),
                decision: None,
            };
            let rest = [position.0.to_be_bytes().as_slice(), &number.to_be_bytes()].concat();
            self.put(&row, &rest);
        }
    }

    pub(super) fn decided(&mut self, decision: &Decision, purpose: &Text, channel: Option<&Text>, granted: bool, cause: &Cause) {
        let (cause, proof) = match cause {
            Cause::Event { message_id, name } => (name.clone(), message_id.clone()),
            Cause::Journey { enrollment } => (Text::const_new("journey"), Text::from(enrollment.to_string())),
            _ => (Text::default(), Text::default()),
        };
        let row = ConsentRow {
            at: decision.at,
            profile: decision.profile,
            user_id: decision.user_id.clone(),
            purpose: purpose.clone(),
            channel: channel.cloned(),
            granted,
            cause,
            proof,
            decision: Some(decision.id),
        };
        self.put(&row, &born_key(decision.id.0));
    }

    fn put(&mut self, row: &ConsentRow, rest: &[u8]) {
        let value = postcard::to_stdvec(row).expect("a row has no unserialisable part");
        let tail = time_key(row.at, rest);
        self.rows.put([[BY_TIME].as_slice(), &tail].concat(), value.clone());
        self.rows.put([[BY_STRAND].as_slice(), &row.profile.0.to_be_bytes(), &tail].concat(), value);
    }

    pub(super) fn take(&mut self) -> Consents {
        Consents { rows: self.rows.take() }
    }

    pub(super) fn write(self, batch: &mut Batch) {
        self.rows.write(batch);
    }
}
