//! The ledger of merges, and taking one back.

use super::index::{Fingerprint, NONE};
use super::join::Seen;
use super::{Identity, index::Strand};
use faden_model::{IdentifierKind, ProfileId, Timestamp};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::fmt;

/// A merge, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MergeId(pub u32);

/// A merge that just happened: all strands of the loser are now the winner's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    pub id: MergeId,
    pub at: Timestamp,
    pub winner: ProfileId,
    pub loser: ProfileId,
    /// What moved, by number.
    pub strands: SmallVec<[ProfileId; 2]>,
    /// Position, in the event's identifiers, of the one that pointed to the loser.
    pub cause: usize,
}

/// A merge as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    pub id: MergeId,
    pub at: Timestamp,
    pub winner: ProfileId,
    pub loser: ProfileId,
    pub strands: Vec<ProfileId>,
    /// Kind of the identifier that pointed to the loser; its value is not kept.
    pub cause: IdentifierKind,
    pub undone: Option<Timestamp>,
}

/// What taking back a merge did: these strands belong to the loser again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    pub merge: MergeId,
    pub winner: ProfileId,
    pub loser: ProfileId,
    /// What moved back, by number.
    pub strands: Vec<ProfileId>,
}

/// Why a merge cannot be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnmergeRefusal {
    #[error("there is no merge {0}; see the ledger of the profile")]
    NoSuchMerge(MergeId),
    #[error("merge {0} was taken back already")]
    AlreadyUndone(MergeId),
    #[error("merge {merge} went on into merge {later}; take back merge {later} first")]
    LaterMerge { merge: MergeId, later: MergeId },
}

impl UnmergeRefusal {
    pub fn code(&self) -> &'static str {
        match self {
            UnmergeRefusal::NoSuchMerge(_) => "unmerge-no-such-merge",
            UnmergeRefusal::AlreadyUndone(_) => "unmerge-already-undone",
            UnmergeRefusal::LaterMerge { .. } => "unmerge-later-merge",
        }
    }
}

impl fmt::Display for MergeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The stored form of a [`LedgerEntry`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub at: Timestamp,
    pub winner: u32,
    pub loser: u32,
    pub cause: Fingerprint,
    pub cause_kind: u8,
    pub undone: Option<Timestamp>,
    pub strands: SmallVec<[u32; 2]>,
}

fn public(number: u32) -> ProfileId {
    ProfileId(u64::from(number))
}

impl Identity {
    /// Merges that concern a profile as winner or loser, oldest first.
    pub fn ledger(&self, profile: ProfileId) -> Vec<LedgerEntry> {
        let concerns = |row: &Row| public(row.winner) == profile || public(row.loser) == profile;
        (0u32..).zip(&self.merges).filter(|(_, row)| concerns(row)).map(|(number, row)| self.ledger_entry(MergeId(number), row)).collect()
    }

    /// One merge of the ledger.
    pub fn merge_by_id(&self, merge: MergeId) -> Option<LedgerEntry> {
        self.merges.get(merge.0 as usize).map(|row| self.ledger_entry(merge, row))
    }

    fn ledger_entry(&self, id: MergeId, row: &Row) -> LedgerEntry {
        LedgerEntry {
            id,
            at: row.at,
            winner: public(row.winner),
            loser: public(row.loser),
            strands: row.strands.iter().copied().map(public).collect(),
            cause: self.kinds[usize::from(row.cause_kind)].clone(),
            undone: row.undone,
        }
    }

    /// Profiles that there are now: every one that was born, less those that were merged into another.
    pub fn profiles(&self) -> usize {
        self.strands.len() - self.merges.iter().filter(|row| row.undone.is_none()).count()
    }

    /// Moves all strands of the loser under the winner.
    pub(super) fn merge(&mut self, winner: u32, loser: u32, at: Timestamp, cause: &Seen) -> Merge {
        let mut strands: SmallVec<[u32; 2]> = self.strands_of(loser).collect();
        strands.sort_unstable();
        self.move_strands(&strands, loser, winner);
        let id = MergeId(u32::try_from(self.merges.len()).expect("a merge uses up a profile, and those have 32-bit numbers"));
        let moved = strands.iter().copied().map(public).collect();
        let (fingerprint, cause_kind) = (cause.fingerprint, cause.kind);
        self.merges.push(Row { at, winner, loser, cause: fingerprint, cause_kind, undone: None, strands });
        Merge { id, at, winner: public(winner), loser: public(loser), strands: moved, cause: cause.position }
    }

    /// Takes back a merge: exactly what it moved becomes the loser's again, with whatever was linked to those
    /// strands since, and no later event joins the two again.
    ///
    /// # Errors
    /// [`UnmergeRefusal`], in which case nothing has changed.
    pub fn unmerge(&mut self, merge: MergeId, at: Timestamp) -> Result<Split, UnmergeRefusal> {
        if let Some(refusal) = self.refuses_unmerge(merge) {
            return Err(refusal);
        }
        let row = &self.merges[merge.0 as usize];
        let (winner, loser, strands) = (row.winner, row.loser, row.strands.clone());
        self.move_strands(&strands, winner, loser);
        self.merges[merge.0 as usize].undone = Some(at);
        self.unsaved.merge(merge.0);
        for pair in [(winner, loser), (loser, winner)] {
            if self.apart.insert(pair) {
                self.unsaved.apart(pair);
            }
        }
        Ok(Split { merge, winner: public(winner), loser: public(loser), strands: strands.into_iter().map(public).collect() })
    }

    /// Why a merge cannot be taken back now, without changing anything.
    pub fn refuses_unmerge(&self, merge: MergeId) -> Option<UnmergeRefusal> {
        let Some(row) = self.merges.get(merge.0 as usize) else { return Some(UnmergeRefusal::NoSuchMerge(merge)) };
        if row.undone.is_some() {
            return Some(UnmergeRefusal::AlreadyUndone(merge));
        }
        self.last_loss_since(merge, row.winner).map(|later| UnmergeRefusal::LaterMerge { merge, later })
    }

    /// The merge that has to be taken back before anything else, when `profile` has lost one after `merge`.
    fn last_loss_since(&self, merge: MergeId, profile: u32) -> Option<MergeId> {
        let (mut holder, mut last) = (profile, None);
        for (number, row) in (0u32..).zip(&self.merges).skip(merge.0 as usize + 1) {
            if row.undone.is_none() && row.loser == holder {
                (holder, last) = (row.winner, Some(MergeId(number)));
            }
        }
        last
    }

    /// Takes strands, sorted by number, out of one profile and puts them in front of another's chain.
    fn move_strands(&mut self, strands: &[u32], from: u32, to: u32) {
        let is_moved = |strand: &u32| strands.binary_search(strand).is_ok();
        let staying: SmallVec<[u32; 4]> = self.strands_of(from).filter(|strand| !is_moved(strand)).collect();
        let there: SmallVec<[u32; 4]> = self.strands_of(to).collect();
        let size: u32 = strands.iter().map(|strand| self.entries_of(*strand).count() as u32).sum();
        for strand in strands {
            self.strands[*strand as usize].profile = to;
        }
        self.chain(from, staying.into_iter());
        self.chain(to, strands.iter().copied().chain(there));
        self.strands[from as usize].size -= size;
        self.strands[to as usize].size += size;
    }

    fn chain(&mut self, profile: u32, strands: impl Iterator<Item = u32>) {
        let mut last: Option<u32> = None;
        self.strands[profile as usize].first_strand = NONE;
        self.unsaved.strand(profile);
        for strand in strands {
            match last {
                None => self.strands[profile as usize].first_strand = strand,
                Some(before) => self.strands[before as usize].next = strand,
            }
            let here: &mut Strand = &mut self.strands[strand as usize];
            here.next = NONE;
            self.unsaved.strand(strand);
            last = Some(strand);
        }
    }
}
