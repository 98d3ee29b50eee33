//! What a partition is told: the identity stream's findings, and what another partition hands over.
//!
//! Every delivery carries its instant and stands in one order per sender and receiver. A merge is two
//! deliveries: `Leave` to the loser's partition, whose state then travels as `State`, and `Join` to the
//! winner's, whose profile waits for that state. An un-merge is the same in the other direction.

use crate::profile::Profile;
use faden_model::{Event, IdentifierKind, MessageId, Migration, ProfileId, Receipt, Text, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;
use std::ops::Deref;

/// One thing that a partition is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery<'a> {
    /// The clock of the identity stream when it was sent; never goes back.
    pub at: Timestamp,
    #[serde(borrow)]
    pub content: Content<'a>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Content<'a> {
    /// An event of this profile.
    Event {
        profile: ProfileId,
        strand: ProfileId,
        /// The profile is seen for the first time.
        created: bool,
        /// Places in `event.identifiers` of what was newly linked.
        added: SmallVec<[u8; 4]>,
        #[serde(borrow)]
        event: Happened<'a>,
    },
    /// The profile gives its state to `winner` and is gone.
    Leave {
        loser: ProfileId,
        winner: ProfileId,
        merge: u32,
    },
    /// The profile takes over the state of `loser`, which arrives as `State`.
    Join {
        winner: ProfileId,
        loser: ProfileId,
        merge: u32,
        identifier: IdentifierKind,
    },
    /// The profile gives these strands back to `restored`.
    Split {
        winner: ProfileId,
        restored: ProfileId,
        merge: u32,
        strands: Vec<ProfileId>,
    },
    /// The profile comes back; its state arrives as `State`.
    Restore {
        restored: ProfileId,
        winner: ProfileId,
        merge: u32,
    },
    /// The state of one profile on its way to another.
    State(Box<Travelling>),
    /// An identifier of this profile's event was not joined.
    LeftOut {
        profile: ProfileId,
        identifier: IdentifierKind,
        reason: Text,
        message_id: Text,
    },
    /// A business event about nobody in particular.
    Broadcast {
        #[serde(borrow)]
        event: Happened<'a>,
    },
    /// A schedule of a journey (by its place in the definitions) has come round; never travels.
    Schedule {
        journey: usize,
        audience: u64,
    },
    Receipt {
        profile: ProfileId,
        message: MessageId,
        receipt: Receipt,
    },
    /// Enrollments of one journey move to another version, or back.
    Migrate(Box<Migration>),
    /// Nothing but the time.
    Tick,
}

/// An event in a delivery: where sender and receiver share a thread, the record's own.
///
/// An event is some 350 bytes; passing it on by value was a tenth of a replay.
#[derive(Clone, Debug)]
pub enum Happened<'a> {
    Here(&'a Event<'a>),
    Sent(Box<Event<'a>>),
}

impl<'a> Deref for Happened<'a> {
    type Target = Event<'a>;
    fn deref(&self) -> &Event<'a> {
        match self {
            Happened::Here(event) => event,
            Happened::Sent(event) => event,
        }
    }
}

impl PartialEq for Happened<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Serialize for Happened<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Happened<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Happened<'a>, D::Error> {
        Event::deserialize(deserializer).map(|event| Happened::Sent(Box::new(event)))
    }
}

impl Happened<'_> {
    fn into_owned(self) -> Happened<'static> {
        Happened::Sent(Box::new((*self).clone().into_owned()))
    }
}

/// State between two profiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Travelling {
    pub to: ProfileId,
    pub from: ProfileId,
    pub merge: u32,
    pub profile: Profile,
}

impl Delivery<'_> {
    /// The profile this is for; `None` for what goes to every partition.
    pub fn profile(&self) -> Option<ProfileId> {
        match &self.content {
            Content::Event { profile, .. } | Content::LeftOut { profile, .. } | Content::Receipt { profile, .. } => Some(*profile),
            Content::Leave { loser, .. } => Some(*loser),
            Content::Join { winner, .. } | Content::Split { winner, .. } => Some(*winner),
            Content::Restore { restored, .. } => Some(*restored),
            Content::State(travelling) => Some(travelling.to),
            Content::Broadcast { .. } | Content::Schedule { .. } | Content::Migrate(_) | Content::Tick => None,
        }
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Delivery<'static> {
        let content = match self.content {
            Content::Event { profile, strand, created, added, event } => {
                Content::Event { profile, strand, created, added, event: event.into_owned() }
            }
            Content::Broadcast { event } => Content::Broadcast { event: event.into_owned() },
            Content::Leave { loser, winner, merge } => Content::Leave { loser, winner, merge },
            Content::Join { winner, loser, merge, identifier } => Content::Join { winner, loser, merge, identifier },
            Content::Split { winner, restored, merge, strands } => Content::Split { winner, restored, merge, strands },
            Content::Restore { restored, winner, merge } => Content::Restore { restored, winner, merge },
            Content::State(travelling) => Content::State(travelling),
            Content::LeftOut { profile, identifier, reason, message_id } => Content::LeftOut { profile, identifier, reason, message_id },
            Content::Receipt { profile, message, receipt } => Content::Receipt { profile, message, receipt },
            Content::Schedule { journey, audience } => Content::Schedule { journey, audience },
            Content::Migrate(migration) => Content::Migrate(migration),
            Content::Tick => Content::Tick,
        };
        Delivery { at: self.at, content }
    }
}
