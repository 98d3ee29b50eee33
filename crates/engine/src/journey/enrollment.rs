//! One passage of a profile through one journey version: where it stands and what it waits for.

use crate::profile::{Few, GoalWatch};
use faden_model::{EnrollmentId, MessageId, ProfileId, Span, Text, Timestamp};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// A running passage. One that has ended is gone from the profile; its decision record remains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Enrollment {
    pub id: EnrollmentId,
    /// `audience::key_of` the journey's name.
    pub journey: u64,
    pub version: u64,
    /// The strand whose event let it begin; an un-merge takes it along.
    pub strand: ProfileId,
    pub key: Option<Text>,
    pub entered_at: Timestamp,
    /// Where it stands: one place, more inside a `parallel`.
    pub tokens: SmallVec<[Token; 1]>,
    /// The entering event, kept when a later step reads it.
    pub event: Option<Box<KeptEvent>>,
    /// Experiment name and arm.
    pub arms: Few<(Text, Text)>,
    /// How often each `goto` step has jumped.
    pub jumps: Few<(u16, u16)>,
    /// Branches still running, per `parallel` step.
    pub joins: Few<(u16, u16)>,
    /// The enrollment that waits for this one, and the step where it waits.
    pub parent: Option<(EnrollmentId, u16)>,
    pub goal_reached: bool,
    /// A twin of the same journey and instance runs already, since a merge.
    pub parked: bool,
    /// What it was before it was moved to another version.
    pub moved_from: Option<Box<MovedFrom>>,
}

/// One place in a passage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    pub step: u16,
    pub state: TokenState,
}

/// What a place waits for. `order` is its place among timers that are due at one instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TokenState {
    /// Being worked on in this very turn.
    Active,
    /// For a time, or until one.
    Until { due: Timestamp, order: u32 },
    /// For an event or an audience change, with an end or without.
    Wait { timeout: Option<(Timestamp, u32)> },
    /// A message that may go out later: quiet hours. `since` is when it was due first, `tried` as below.
    Held { due: Timestamp, order: u32, since: Timestamp, tried: u16 },
    /// A message is out; its receipt, or the time for the next channel. `tried` has a bit for each of
    /// the step's channels that was used already.
    Receipt { message: MessageId, tried: u16, due: Option<(Timestamp, u32)> },
    /// For the end of a journey that this one started.
    Child { enrollment: EnrollmentId },
}

/// The entering event, as much of it as conditions and templates may read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptEvent {
    pub message_id: Text,
    pub name: Text,
    pub timestamp: Timestamp,
    pub properties: Box<str>,
}

/// Version and places before a migration, for its undo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MovedFrom {
    pub migration: u64,
    pub version: u64,
    pub tokens: SmallVec<[Token; 1]>,
    /// The places right after the move: unchanged ones can be moved back exactly.
    pub landed: SmallVec<[Token; 1]>,
}

impl Enrollment {
    /// A passage that has ended, as the condition of its goal sees it: all but arms and entering event.
    pub(super) fn of_watch(watch: &GoalWatch, within: Span) -> Enrollment {
        Enrollment {
            id: watch.enrollment,
            journey: watch.journey,
            version: watch.version,
            strand: watch.strand,
            key: watch.key.clone(),
            entered_at: watch.until - within,
            tokens: SmallVec::new(),
            event: None,
            arms: Few::default(),
            jumps: Few::default(),
            joins: Few::default(),
            parent: None,
            goal_reached: false,
            parked: false,
            moved_from: None,
        }
    }
}

impl TokenState {
    /// When this place goes on by itself: instant and order.
    pub fn due(&self) -> Option<(Timestamp, u32)> {
        match self {
            TokenState::Until { due, order } | TokenState::Held { due, order, .. } => Some((*due, *order)),
            TokenState::Wait { timeout } => *timeout,
            TokenState::Receipt { due, .. } => *due,
            TokenState::Active | TokenState::Child { .. } => None,
        }
    }
}
