//! A journey version as it was written, checked: steps in one flat list, targets as indices.
//!
//! Nothing here can point to a step that does not exist. Nested steps of `parallel` stand in the same
//! list behind their parent; the end of a branch is [`Target::Join`].

use crate::experiment::Experiment;
use faden_model::condition::Expression;
use faden_model::{Span, Text};

/// One published version of a journey.
#[derive(Clone, Debug)]
pub struct JourneyVersion {
    /// `audience::key_of` of the name.
    pub key: u64,
    pub name: Text,
    /// First eight bytes of the hash of the definition's text: the same text is the same version.
    pub version: u64,
    pub title: Text,
    /// What consent and caps go by, e.g. `marketing`; a `send` may name another.
    pub purpose: Text,
    /// Higher goes first when messages of one instant compete for a cap.
    pub priority: i32,
    pub entries: Vec<Entry>,
    pub reentry: Reentry,
    /// Gives one instance per value, e.g. per order; reads `event` (the entering one) and `profile`.
    pub instance_key: Option<Expression>,
    pub exits: Vec<Exit>,
    pub goal: Option<Goal>,
    pub steps: Vec<Step>,
    /// Whether a later step reads `event`: then enrollments keep the entering event's bytes.
    pub keeps_event: bool,
    /// The definition's text, for display and for migration.
    pub source: Text,
}

/// What lets a profile in.
#[derive(Clone, Debug)]
pub enum Entry {
    /// `event: NAME` with `where`.
    Event { event: Text, condition: Option<Expression> },
    /// `audience: {entered: NAME}` or `{left: NAME}`.
    Audience { audience: u64, change: Change },
    /// `schedule: {at: "09:00", days: [mon], days_of_month: [1], time_zone: ZONE, audience: NAME}`.
    Schedule(Schedule),
    /// `broadcast: {event: NAME, audience: NAME, where: COND}`: one business event reaches all members.
    Broadcast { event: Text, audience: u64, condition: Option<Expression> },
    /// `api: true`: by a call (`CloudEvent` type `faden.journey.start` in a file).
    Api,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Entered,
    Left,
}

/// A clock for entries: at this local time of the workspace, on these days, everybody in the audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub audience: u64,
    /// Minutes after local midnight.
    pub minute_of_day: u16,
    /// Bit 0 is Monday; all seven when not written.
    pub days: u8,
    /// Days of the month, 1 to 31; every day when empty.
    pub days_of_month: Vec<u8>,
    pub time_zone: Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reentry {
    Never,
    Always,
    /// Since the last entry, inclusive: at exactly this distance it is allowed.
    After(Span),
}

/// Ends a running enrollment at once, also during a wait.
#[derive(Clone, Debug)]
pub enum Exit {
    Event { event: Text, condition: Option<Expression> },
    Audience { audience: u64, change: Change },
}

/// What the journey is for; reached at most once per enrollment.
#[derive(Clone, Debug)]
pub struct Goal {
    pub event: Text,
    pub condition: Option<Expression>,
    /// Counted from the entry, also after the enrollment has ended; only while it runs when missing.
    pub within: Option<Span>,
}

#[derive(Clone, Debug)]
pub struct Step {
    pub id: Text,
    pub kind: StepKind,
}

/// Where a passage goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Step(u16),
    /// The end of the journey. Inside a branch of a `parallel`, `end` is read as `Join`.
    End,
    /// The end of a branch of the `parallel` step with this index.
    Join(u16),
}

#[derive(Clone, Debug)]
pub enum StepKind {
    Send(Send),
    /// `wait: {for: 24h}`
    WaitFor {
        span: Span,
        next: Target,
    },
    /// `wait: {until: {time: "09:00", days: [mon]}}`: the next such local time of the profile; at once if it is that minute.
    WaitUntil {
        until: LocalTime,
        next: Target,
    },
    /// `wait: {until: {at: EXPR}}`: an instant; goes on at once when it is null or past.
    WaitInstant {
        at: Expression,
        next: Target,
    },
    /// `wait: {event: NAME, where: COND, timeout: 1h}`
    WaitEvent {
        event: Text,
        condition: Option<Expression>,
        /// From here on `event` is this one and no more the entering one.
        keep: bool,
        timeout: Option<Span>,
        matched: Target,
        timed_out: Target,
    },
    /// `wait: {audience: {entered: NAME}, timeout: 1d}`; goes on at once when it is true already.
    WaitAudience {
        audience: u64,
        change: Change,
        timeout: Option<Span>,
        matched: Target,
        timed_out: Target,
    },
    /// First arm whose condition holds.
    Branch {
        arms: Vec<(Expression, Target)>,
        otherwise: Target,
    },
    /// Arms in the order of the experiment's; `holdout` for those kept out (by default the end).
    Split {
        experiment: Experiment,
        arms: Vec<Target>,
        holdout: Target,
    },
    /// Sets traits on the profile; null removes.
    Set {
        traits: Vec<(Text, Expression)>,
        next: Target,
    },
    /// An event of its own on the same profile; what it starts happens at the same instant.
    Emit {
        event: Text,
        properties: Vec<(Text, Expression)>,
        next: Target,
    },
    /// Consent of the profile for a purpose, on one channel or all.
    Subscribe {
        purpose: Text,
        channel: Option<Text>,
        granted: bool,
        next: Target,
    },
    /// Starts another journey for the profile; with `wait` goes on when that ends.
    Journey {
        journey: u64,
        wait: bool,
        next: Target,
    },
    /// Each branch begins at its target and ends in `Join` of this step. The branches' steps are the
    /// ones behind this step up to, without, index `until`.
    Parallel {
        branches: Vec<Target>,
        until: u16,
        join: Join,
        next: Target,
    },
    /// Back to an earlier step at most `max` times per enrollment, then `exceeded`.
    Goto {
        to: Target,
        max: u16,
        exceeded: Target,
    },
    End,
    /// A step kind that is known by name but needs another room (cases, offers, questions, calls).
    /// `workspace::read` warns of it; until that room exists a passage ends here.
    Unavailable {
        kind: &'static str,
    },
}

/// The step kinds whose rooms do not exist yet: `open_case`, `update_case` (case), `ask`
/// (conversation), `decide` (offer), `call` (webhook with an answer).
pub const UNAVAILABLE_STEPS: [&str; 5] = ["open_case", "update_case", "ask", "decide", "call"];
/// The entry kinds whose rooms do not exist yet.
pub const UNAVAILABLE_ENTRIES: [&str; 2] = ["message", "case"];

#[derive(Clone, Debug)]
pub struct Send {
    pub template: Text,
    /// In the order in which they are tried; the profile's preferred channel comes first if it is among them.
    pub channels: Vec<Text>,
    /// Instead of the journey's purpose.
    pub purpose: Option<Text>,
    /// After this time without a receipt the next channel is tried.
    pub fallback_after: Option<Span>,
    pub sent: Target,
    pub suppressed: Target,
    pub failed: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    All,
    /// The first branch that ends goes on, the others stop.
    Any,
}

/// A local time of the profile (its time zone, else the workspace's).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// Minutes after local midnight.
    pub minute_of_day: u16,
    /// Bit 0 is Monday; all seven when not written.
    pub days: u8,
}
