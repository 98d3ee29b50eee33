//! Decisions: everything the engine says, one line each. It says; others do.
//!
//! A decision's id is made from the profile and a count of that profile, so it is the same on every
//! machine and for every number of partitions. Written as one JSON object per line; the multiset hash
//! of the lines is the hash of a replay.

mod json;
mod row;
pub mod tell;

pub use row::{RowError, read_row, write_row};

use crate::policy::Check;
use faden_model::{DecisionId, EnrollmentId, IdentifierKind, MessageId, ProfileId, Text, Timestamp, Value};
use serde::{Deserialize, Serialize};

/// Decisions that belong to no single profile are counted under this one.
pub const NOBODY: ProfileId = ProfileId(u64::MAX);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub id: DecisionId,
    pub at: Timestamp,
    pub profile: ProfileId,
    /// The name under which outputs speak of the person; empty when there is none.
    pub user_id: Text,
    pub kind: Kind,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    Enrolled {
        enrollment: EnrollmentId,
        journey: Text,
        version: u64,
        key: Option<Text>,
        cause: Cause,
        facts: Facts,
    },
    /// A branch, split or wait that went one way; `went` names the arm, condition or outcome.
    Step {
        enrollment: EnrollmentId,
        journey: Text,
        step: Text,
        went: Text,
        to: Text,
        facts: Facts,
    },
    Message(Box<Message>),
    /// The profile met this arm of an experiment for the first time in this enrollment.
    Exposure {
        enrollment: EnrollmentId,
        experiment: Text,
        arm: Text,
    },
    Goal {
        enrollment: EnrollmentId,
        journey: Text,
        cause: Cause,
    },
    Ended {
        enrollment: EnrollmentId,
        journey: Text,
        outcome: Outcome,
        step: Text,
        cause: Cause,
    },
    Audience {
        audience: Text,
        entered: bool,
        cause: Cause,
    },
    /// A trait that a journey set.
    Trait {
        enrollment: EnrollmentId,
        name: Text,
        value: Value,
    },
    Consent {
        purpose: Text,
        channel: Option<Text>,
        granted: bool,
        cause: Cause,
    },
    /// An event of a journey's own.
    Emitted {
        enrollment: EnrollmentId,
        event: Text,
    },
    Merged {
        loser: ProfileId,
        merge: u32,
        identifier: IdentifierKind,
    },
    Unmerged {
        restored: ProfileId,
        merge: u32,
    },
    /// An identifier of this event was not joined to the profile.
    LeftOut {
        identifier: IdentifierKind,
        reason: Text,
        message_id: Text,
    },
    Moved {
        enrollment: EnrollmentId,
        journey: Text,
        from: Text,
        to: Text,
        undo: bool,
    },
    Rejected {
        code: Text,
        detail: Text,
    },
}

/// Values that a condition read, as written and as found.
pub type Facts = Vec<(String, Value)>;

/// A message, sent or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub enrollment: EnrollmentId,
    pub journey: Text,
    pub step: Text,
    pub template: Text,
    pub purpose: Text,
    /// Empty when no channel was left.
    pub channel: Text,
    pub address: Text,
    pub outcome: MessageOutcome,
    /// What the gate looked at, in order.
    pub checks: Vec<Check>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MessageOutcome {
    Sent,
    Suppressed {
        rule: Text,
    },
    Held {
        until: Timestamp,
        rule: Text,
    },
    /// No receipt came, or a bad one; the next channel follows.
    Failed {
        reason: Text,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Completed,
    Exit,
    Goal,
    /// Its parallel twin of a merged profile ended.
    Merged,
}

/// What made it happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Cause {
    Event { message_id: Text, name: Text },
    Audience { audience: Text, entered: bool },
    Time,
    Journey { enrollment: EnrollmentId },
    Broadcast { message_id: Text, name: Text },
    Schedule,
    Operator,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Completed => "completed",
            Outcome::Exit => "exit",
            Outcome::Goal => "goal",
            Outcome::Merged => "merged",
        }
    }
}

impl Kind {
    /// The value of `kind` in the written line.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Enrolled { .. } => "enrolled",
            Kind::Step { .. } => "step",
            Kind::Message(_) => "message",
            Kind::Exposure { .. } => "exposure",
            Kind::Goal { .. } => "goal",
            Kind::Ended { .. } => "ended",
            Kind::Audience { .. } => "audience",
            Kind::Trait { .. } => "trait",
            Kind::Consent { .. } => "consent",
            Kind::Emitted { .. } => "emitted",
            Kind::Merged { .. } => "merged",
            Kind::Unmerged { .. } => "unmerged",
            Kind::LeftOut { .. } => "left_out",
            Kind::Moved { .. } => "moved",
            Kind::Rejected { .. } => "rejected",
        }
    }
}
