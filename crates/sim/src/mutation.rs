//! Faults that the checkers must find: each is built into the simulated world on purpose, never into
//! what is shipped.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// The transport loses a letter, and nobody notices by the numbers.
    LetterLost,
    /// The transport delivers a letter twice under fresh numbers.
    LetterTwice,
    /// Two letters change places under fresh numbers.
    LettersSwapped,
    /// A merged profile arrives empty.
    StateEmptied,
    /// The state of one profile arrives as that of another merge.
    StateMisdirected,
    /// A broadcast does not reach one of the partitions.
    BroadcastMissed,
    /// A commit in the middle is lost, later ones are kept.
    CommitLost,
    /// The disk says "flushed" and has not.
    FlushLied,
    /// The client believes that a batch was acknowledged which was never sent.
    BatchDropped,
    /// Repeats come without their message ids.
    IdsStripped,
    /// Rows of timers are lost.
    DueLost,
    /// A decision is written under a second key.
    DecisionTwice,
    /// A decision's row is lost.
    DecisionLost,
    /// Clock and counters of the identity stream are not restored.
    ClockLost,
    /// A profile's row is not written.
    ProfileStale,
    /// A member of a listed audience is not written.
    MemberLost,
    /// Message ids that were seen are not written.
    SeenLost,
    /// A checkpoint says that it contains one record more than it does.
    PositionAhead,
    /// A checkpoint says that it contains one record less than it does.
    PositionBehind,
}

impl Mutation {
    pub const ALL: [Mutation; 19] = [
        Mutation::LetterLost,
        Mutation::LetterTwice,
        Mutation::LettersSwapped,
        Mutation::StateEmptied,
        Mutation::StateMisdirected,
        Mutation::BroadcastMissed,
        Mutation::CommitLost,
        Mutation::FlushLied,
        Mutation::BatchDropped,
        Mutation::IdsStripped,
        Mutation::DueLost,
        Mutation::DecisionTwice,
        Mutation::DecisionLost,
        Mutation::ClockLost,
        Mutation::ProfileStale,
        Mutation::MemberLost,
        Mutation::SeenLost,
        Mutation::PositionAhead,
        Mutation::PositionBehind,
    ];

    /// Whether the transport between partitions has it; the others are of node, disk and store.
    pub fn is_of_letters(self) -> bool {
        use Mutation::{BroadcastMissed, LetterLost, LetterTwice, LettersSwapped, StateEmptied, StateMisdirected};
        matches!(self, LetterLost | LetterTwice | LettersSwapped | StateEmptied | StateMisdirected | BroadcastMissed)
    }
}
