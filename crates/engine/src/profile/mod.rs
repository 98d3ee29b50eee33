//! One customer: what is known of him, in strands.
//!
//! A strand is what was learned under one profile id. A profile is born with one strand; a merge moves
//! the loser's strands to the winner, an un-merge moves them back. Everything that must be re-attributed
//! (traits, computed traits, consent, what was sent, entries into journeys, running enrollments) belongs
//! to a strand, and is folded over the strands when it is read. Nothing is ever mixed for good.

mod accumulator;
mod facts;
mod few;

pub use accumulator::{Accumulator, DIFFERENT_VALUES_MAX, Item, value as computed_value};
pub use few::Few;

use crate::journey::Enrollment;
use crate::policy::{ConsentEntry, SentEntry};
use faden_model::{IdentifierKind, ProfileId, Text, Timestamp, Value};
use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};

/// One customer. Held by exactly one partition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub id: ProfileId,
    /// The own strand first, then the merged ones in the order in which they came.
    pub strands: SmallVec<[Strand; 1]>,
    pub enrollments: Vec<Enrollment>,
    /// Sorted by key.
    pub memberships: Few<Membership>,
    /// When an audience's condition changes its answer because time passes, sorted by key.
    pub wakes: Few<Wake>,
    /// Goals that are still watched although their enrollment has ended.
    pub watches: Few<GoalWatch>,
    /// Number of the next thing this profile brings forth.
    pub next_count: u32,
    /// Number of the next timer, for the order at equal instants.
    pub next_order: u32,
    /// Up to here everything that was due has happened.
    pub clock: Timestamp,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
}

/// What was learned under one profile id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Strand {
    /// The profile under which this was learned first.
    pub origin: ProfileId,
    /// In the order in which they were first seen.
    pub identifiers: Vec<KnownIdentifier>,
    /// Sorted by name.
    pub traits: Vec<Trait>,
    /// Sorted by key.
    pub computed: Few<Computed>,
    pub consents: Vec<ConsentEntry>,
    /// What counts against caps, oldest first.
    pub sent: Few<SentEntry>,
    /// Sorted by slot.
    pub entered: Few<LastEntry>,
    /// Where this strand's own counters stood when it was merged away.
    pub next_count: u32,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownIdentifier {
    pub kind: IdentifierKind,
    pub value: Text,
    pub first_seen_at: Timestamp,
}

/// A trait as the sources told it; the latest by time wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trait {
    pub name: Text,
    pub value: Value,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Computed {
    /// `audience::key_of` the trait's name.
    pub key: u64,
    pub accumulator: Accumulator,
}

/// The last entry into a journey (and instance), for re-entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastEntry {
    pub slot: u64,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Membership {
    /// `audience::key_of` the audience's name.
    pub key: u64,
    pub since: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wake {
    pub key: u64,
    pub due: Timestamp,
    pub order: u32,
}

/// A goal that may still be reached after the enrollment has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoalWatch {
    pub enrollment: faden_model::EnrollmentId,
    pub strand: ProfileId,
    pub journey: u64,
    pub version: u64,
    pub key: Option<Text>,
    pub until: Timestamp,
}

/// Pushes without the usual reserve: most customers have one or two of anything, and there are many customers.
pub(crate) fn push_tight<T>(items: &mut Vec<T>, item: T) {
    insert_tight(items, items.len(), item);
}

/// [`push_tight`] in the middle.
pub(crate) fn insert_tight<T>(items: &mut Vec<T>, place: usize, item: T) {
    if items.len() == items.capacity() {
        items.reserve_exact(1 + items.len() / 4);
    }
    items.insert(place, item);
}

impl Profile {
    pub fn new(id: ProfileId, at: Timestamp) -> Profile {
        let strand = Strand { origin: id, created_at: at, last_seen_at: at, ..Strand::default() };
        Profile {
            id,
            strands: smallvec![strand],
            enrollments: Vec::new(),
            memberships: Few::default(),
            wakes: Few::default(),
            watches: Few::default(),
            next_count: 0,
            next_order: 0,
            clock: at,
            created_at: at,
            last_seen_at: at,
        }
    }

    /// The strand that began under `origin`, else the own one (an event may name a strand that has moved on).
    pub fn strand_mut(&mut self, origin: ProfileId) -> &mut Strand {
        let index = self.strands.iter().position(|strand| strand.origin == origin).unwrap_or(0);
        &mut self.strands[index]
    }

    /// Gives out the number of the next thing this profile brings forth.
    pub fn count(&mut self) -> faden_model::id::Born {
        let count = self.next_count;
        self.next_count += 1;
        faden_model::id::Born { under: self.id, count }
    }

    /// Gives out the next place in the order of timers.
    pub fn order(&mut self) -> u32 {
        let order = self.next_order;
        self.next_order += 1;
        order
    }

    pub fn is_member(&self, audience: u64) -> bool {
        self.memberships.binary_search_by_key(&audience, |membership| membership.key).is_ok()
    }

    /// The latest entry into this slot under any strand.
    pub fn last_entry(&self, slot: u64) -> Option<Timestamp> {
        self.strands
            .iter()
            .filter_map(|strand| strand.entered.binary_search_by_key(&slot, |entry| entry.slot).ok().map(|at| strand.entered[at].at))
            .max()
    }

    /// Takes over everything of a profile that was merged into this one.
    ///
    /// Enrollments that now run twice in one journey and instance: the one entered first goes on, the
    /// others are parked until an un-merge takes them back.
    pub fn absorb(&mut self, mut loser: Profile) {
        if let Some(own) = loser.strands.first_mut() {
            own.next_count = loser.next_count;
        }
        self.next_order = self.next_order.max(loser.next_order);
        self.clock = self.clock.max(loser.clock);
        self.created_at = self.created_at.min(loser.created_at);
        self.last_seen_at = self.last_seen_at.max(loser.last_seen_at);
        self.strands.extend(loser.strands);
        let watches = loser.watches.take();
        if !watches.is_empty() {
            self.watches.extend(watches);
        }
        self.enrollments.append(&mut loser.enrollments);
        // Running ones before parked ones, then by entry: what was parked already stays parked.
        self.enrollments.sort_by_key(|enrollment| (enrollment.parked, enrollment.entered_at, enrollment.id));
        for at in 0..self.enrollments.len() {
            let (before, rest) = self.enrollments.split_at_mut(at);
            let this = &mut rest[0];
            if before.iter().any(|other| other.journey == this.journey && other.key == this.key) {
                this.parked = true;
            }
        }
    }

    /// Gives back the strands of `origins` as the profile `id`, with what belongs to them.
    pub fn give_back(&mut self, id: ProfileId, origins: &[ProfileId]) -> Profile {
        let belongs = |origin: &ProfileId| origins.contains(origin);
        let (mut back, stay): (Vec<Strand>, Vec<Strand>) =
            std::mem::take(&mut self.strands).into_iter().partition(|strand| belongs(&strand.origin));
        back.sort_by_key(|strand| strand.origin != id);
        self.strands = stay.into_iter().collect();
        let (mut moved, kept): (Vec<Enrollment>, Vec<Enrollment>) =
            std::mem::take(&mut self.enrollments).into_iter().partition(|enrollment| belongs(&enrollment.strand));
        self.enrollments = kept;
        unpark(&mut self.enrollments);
        unpark(&mut moved);
        let (watches, kept): (Vec<GoalWatch>, Vec<GoalWatch>) = self.watches.take().into_iter().partition(|watch| belongs(&watch.strand));
        self.watches = kept.into();
        self.created_at = self.strands.iter().map(|strand| strand.created_at).min().unwrap_or(self.created_at);
        self.last_seen_at = self.strands.iter().map(|strand| strand.last_seen_at).max().unwrap_or(self.last_seen_at);
        Profile {
            id,
            next_count: back.first().map_or(0, |own| own.next_count),
            next_order: self.next_order,
            clock: self.clock,
            created_at: back.iter().map(|strand| strand.created_at).min().unwrap_or(self.created_at),
            last_seen_at: back.iter().map(|strand| strand.last_seen_at).max().unwrap_or(self.last_seen_at),
            strands: back.into_iter().collect(),
            enrollments: moved,
            memberships: self.memberships.clone(),
            wakes: Few::default(),
            watches: watches.into(),
        }
    }
}

/// Lets the first parked one of each journey and instance go on where no other one runs.
fn unpark(enrollments: &mut [Enrollment]) {
    for at in 0..enrollments.len() {
        let (before, rest) = enrollments.split_at_mut(at);
        let (this, after) = rest.split_first_mut().expect("`at` is below the length");
        let same = |other: &Enrollment| other.journey == this.journey && other.key == this.key && !other.parked;
        if this.parked && !before.iter().any(same) && !after.iter().any(same) {
            this.parked = false;
        }
    }
}

/// Version of the written form of a profile; older ones are read for ever.
const WRITTEN_VERSION: u8 = 1;

/// Why stored bytes are not a profile.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("the stored profile has version {0}, this program reads up to {WRITTEN_VERSION}; use a newer program")]
    Version(u8),
    #[error("the stored profile is broken; restore it from a backup or replay the log")]
    Broken(#[source] postcard::Error),
}

impl Profile {
    /// Appends the written form: a version byte, then postcard.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.push(WRITTEN_VERSION);
        let taken = std::mem::take(out);
        *out = postcard::to_extend(self, taken).expect("a profile has no unserialisable part");
    }

    /// # Errors
    /// [`DecodeError`] when the bytes are of a newer version or broken.
    pub fn decode(bytes: &[u8]) -> Result<Profile, DecodeError> {
        match bytes.split_first() {
            Some((&WRITTEN_VERSION, rest)) => postcard::from_bytes(rest).map_err(DecodeError::Broken),
            Some((version, _)) => Err(DecodeError::Version(*version)),
            None => Err(DecodeError::Broken(postcard::Error::DeserializeUnexpectedEnd)),
        }
    }
}
