//! Identity: which customer do these identifiers belong to, and who turns out to be one and the same?
//!
//! One ordered, in-memory index. Pure: the outcome depends only on the order of calls.
//! A person is one or more *strands*. A strand is born with each new profile and bears its number; it never
//! dies, and every identifier belongs to one strand for ever. A profile is a set of strands; a merge moves all
//! strands of the loser under the winner and is kept in the ledger, so that it can be undone: what an event
//! brought is known by its strand. A live profile always holds the strand of its own number.
//! Values are not stored, only a keyed 96-bit fingerprint of kind and value: below 10^-14 for any two of
//! 30 million to meet. About 50 bytes per identifier and 20 per profile, table included.
//! In: normalised identifiers. Never here: what a merge does to traits, journeys and consent.

mod index;
mod join;
mod ledger;
#[cfg(test)]
mod reference;
mod rows;
mod rules;
#[cfg(test)]
mod tests;

pub use ledger::{LedgerEntry, Merge, MergeId, Split, UnmergeRefusal};
pub use rows::LoadError;
pub use rules::{Blocked, BlockedError, KindRule, Limit, Rules};

use crate::fingerprint_table::FingerprintTable;
use crate::pieces::Pieces;
use faden_model::{Identifier, IdentifierKind, ProfileId, Timestamp};
pub use index::Fingerprint;
use index::{Entry, Strand};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::collections::BTreeSet;

/// The index of one workspace.
#[derive(Clone)]
pub struct Identity {
    hash_key: [u8; 16],
    /// In order of first sight; an entry names its kind by the position here.
    kinds: Vec<IdentifierKind>,
    table: FingerprintTable,
    entries: Pieces<Entry>,
    strands: Pieces<Strand>,
    merges: Vec<ledger::Row>,
    /// Strands that an un-merge took apart; each pair in both directions.
    apart: BTreeSet<(u32, u32)>,
    unsaved: rows::Unsaved,
}

/// Where an event belongs, and what it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    pub profile: ProfileId,
    /// The strand that the event belongs to: it moves with it when profiles merge or part.
    pub strand: ProfileId,
    /// The profile is new.
    pub created: bool,
    /// In the order in which they happened; all have the same winner.
    pub merges: SmallVec<[Merge; 1]>,
    /// Positions in `identifiers` that were not used, with the reason; a repeated identifier is not listed.
    pub left_out: SmallVec<[(usize, Reason); 1]>,
    /// Positions in `identifiers` that were linked to the strand by this event.
    pub added: SmallVec<[usize; 2]>,
    /// The profile that would have grown beyond the guard size.
    pub quarantined: Option<ProfileId>,
}

/// What a `left_out` decision says where a profile would grow beyond the guard.
pub const BEYOND_GUARD: &str = "the profile would grow beyond the guard size";

/// Why an identifier of an event was left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reason {
    /// The value is on the list of blocked values.
    Blocked,
    /// Two different values of this kind prove two people.
    Unique(IdentifierKind),
    /// A profile would hold more identifiers of this kind than allowed.
    Limit(IdentifierKind),
    /// An un-merge said that these are two people.
    KeptApart,
    /// The profile would grow beyond the guard size.
    TooLarge,
    /// There are 4 billion identifiers, or 256 kinds of them.
    Full,
}

impl Identity {
    /// `hash_key` is the workspace's secret; the same one must be given to [`Identity::load`].
    pub fn new(hash_key: [u8; 16]) -> Identity {
        Identity {
            hash_key,
            kinds: Vec::new(),
            table: FingerprintTable::default(),
            entries: Pieces::default(),
            strands: Pieces::default(),
            merges: Vec::new(),
            apart: BTreeSet::new(),
            unsaved: rows::Unsaved::default(),
        }
    }

    /// Finds or makes the profile of an event that carries these identifiers.
    ///
    /// They belong to one profile unless joining breaks a limit; then the lowest-priority identifier that
    /// breaks it is left out, and the join is tried again with the rest. `None` when no identifier is usable.
    pub fn resolve(&mut self, rules: &Rules, identifiers: &[Identifier<'_>], at: Timestamp) -> Option<Resolution> {
        let fingerprints: SmallVec<[Fingerprint; 4]> = identifiers.iter().map(|identifier| self.fingerprint(identifier)).collect();
        self.resolve_known(rules, identifiers, &fingerprints, at)
    }

    /// As [`Identity::resolve`], where the identifiers' fingerprints are known already.
    pub fn resolve_known(
        &mut self,
        rules: &Rules,
        identifiers: &[Identifier<'_>],
        fingerprints: &[Fingerprint],
        at: Timestamp,
    ) -> Option<Resolution> {
        let mut out = Resolution {
            profile: ProfileId(0),
            strand: ProfileId(0),
            created: false,
            merges: SmallVec::new(),
            left_out: SmallVec::new(),
            added: SmallVec::new(),
            quarantined: None,
        };
        let mut seen = self.look_up(rules, identifiers, fingerprints, &mut out.left_out);
        if !self.all_in_one(&seen) && !self.plainly_fits(rules, &seen) {
            self.leave_out(rules, at, &mut seen, &mut out);
        }
        // Best first: the first known one names strand and winner.
        let leader = match self.leader(&seen) {
            Some(strand) => strand,
            None if seen.is_empty() => return None,
            None => {
                out.created = true;
                self.new_strand()?
            }
        };
        let winner = self.strands[leader as usize].profile;
        out.strand = ProfileId(u64::from(leader));
        out.profile = ProfileId(u64::from(winner));
        self.merge_all(&seen, winner, at, &mut out.merges);
        for one in &seen {
            if one.entry.is_none() {
                self.add(one.fingerprint, one.kind, leader, at);
                out.added.push(one.position);
            }
        }
        out.added.sort_unstable();
        Some(out)
    }

    /// The profile that an identifier points to now.
    pub fn find(&self, identifier: &Identifier<'_>) -> Option<ProfileId> {
        let entry = self.entry_of(index::fingerprint(&self.hash_key, identifier))?;
        Some(self.profile(self.entries[entry as usize].strand))
    }

    /// The profile that holds a strand now; `None` for a strand that was never born.
    pub fn profile_of_strand(&self, strand: ProfileId) -> Option<ProfileId> {
        let strand = self.strands.get(usize::try_from(strand.0).ok()?)?;
        Some(ProfileId(u64::from(strand.profile)))
    }

    /// The profiles that may hold now what once happened under this one, whatever was merged and taken back
    /// since: where its own strand is, and where those are that were taken apart from it.
    pub fn holders(&self, profile: ProfileId) -> SmallVec<[ProfileId; 1]> {
        let mut reached: SmallVec<[u32; 4]> = u32::try_from(profile.0).into_iter().collect();
        let mut holders: SmallVec<[ProfileId; 1]> = SmallVec::new();
        let mut next = 0;
        while let Some(strand) = reached.get(next).copied() {
            next += 1;
            let Some(holder) = self.profile_of_strand(ProfileId(u64::from(strand))) else { continue };
            if !holders.contains(&holder) {
                holders.push(holder);
            }
            for (_, other) in self.apart.range((strand, 0)..=(strand, u32::MAX)) {
                if !reached.contains(other) {
                    reached.push(*other);
                }
            }
        }
        holders
    }

    /// The strands of a live profile, its own first, then by number; empty for a merged one.
    pub fn strands(&self, profile: ProfileId) -> Vec<ProfileId> {
        let Ok(profile) = u32::try_from(profile.0) else {
            return Vec::new();
        };
        let mut strands: Vec<u32> = self.strands_of(profile).collect();
        strands.sort_unstable_by_key(|strand| (*strand != profile, *strand));
        strands.into_iter().map(|strand| ProfileId(u64::from(strand))).collect()
    }

    /// How many profiles were ever born, and how many identifiers are linked.
    pub fn counts(&self) -> (usize, usize) {
        (self.strands.len(), self.entries.len())
    }

    /// Bytes that the index holds on the heap, growth reserves included.
    pub fn heap_bytes(&self) -> usize {
        self.table.heap_bytes() + self.entries.heap_bytes() + self.strands.heap_bytes() + self.merges.capacity() * size_of::<ledger::Row>()
    }

    fn profile(&self, strand: u32) -> ProfileId {
        ProfileId(u64::from(self.strands[strand as usize].profile))
    }
}
