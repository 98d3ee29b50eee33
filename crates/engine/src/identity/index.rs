//! The compact part of the index: fingerprints, entries, strands and the chains between them.
//!
//! An entry never changes once it is written. Chains are singly linked, newest first.

use super::Identity;
use faden_model::{Identifier, Timestamp};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;

/// End of a chain; no entry and no strand has this number.
pub const NONE: u32 = u32::MAX;

/// 96 bits of SipHash-2-4-128 over the kind's length and name and the value.
pub type Fingerprint = [u32; 3];

/// One identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub fingerprint: Fingerprint,
    pub strand: u32,
    /// The next entry of the same strand.
    pub next: u32,
    /// Seconds since 1970, kept within 0 and 2^32 - 1.
    pub first_seen: u32,
    pub kind: u8,
}

/// One strand, and the profile that bears its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strand {
    /// The profile that holds this strand.
    pub profile: u32,
    pub first_entry: u32,
    /// The next strand of the same profile.
    pub next: u32,
    /// First strand of the profile of this number; [`NONE`] when it was merged into another.
    pub first_strand: u32,
    /// Identifiers of the profile of this number; 0 when it was merged into another.
    pub size: u32,
}

pub fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.0.div_euclid(1000).max(0)).unwrap_or(u32::MAX)
}

pub fn fingerprint(hash_key: &[u8; 16], identifier: &Identifier<'_>) -> Fingerprint {
    let kind = identifier.kind.name().as_bytes();
    let mut hasher = SipHasher24::new_with_key(hash_key);
    // With its length in front, no kind and value run into another kind and value.
    hasher.write(&(kind.len() as u32).to_le_bytes());
    hasher.write(kind);
    hasher.write(identifier.value.as_bytes());
    let hash = hasher.finish128();
    [hash.h1 as u32, (hash.h1 >> 32) as u32, hash.h2 as u32]
}

/// The fingerprint as the table wants it, in the upper 96 bits.
pub fn table_key(fingerprint: &Fingerprint) -> u128 {
    u128::from(fingerprint[2]) << 32 | u128::from(fingerprint[0]) << 64 | u128::from(fingerprint[1]) << 96
}

impl Identity {
    /// The fingerprint under which this index knows an identifier.
    pub fn fingerprint(&self, identifier: &Identifier<'_>) -> Fingerprint {
        fingerprint(&self.hash_key, identifier)
    }

    /// Touches what [`Identity::resolve`] will need for these identifiers, step by step for all of them,
    /// so that the processor waits for many cache lines at once.
    pub fn look_ahead(&self, fingerprints: &[Fingerprint]) {
        std::hint::black_box(fingerprints.iter().fold(0, |sum, fingerprint| sum ^ self.table.touch(table_key(fingerprint))));
        // The tag is enough here: what is wrong once in a billion is touched for nothing.
        let mut numbers: Vec<u32> =
            fingerprints.iter().filter_map(|fingerprint| self.table.find(table_key(fingerprint), |_| true)).collect();
        for number in &mut numbers {
            *number = self.entries[*number as usize].strand;
        }
        std::hint::black_box(numbers.iter().fold(0, |sum, strand| sum ^ self.strands[*strand as usize].profile));
    }

    pub(super) fn entry_of(&self, fingerprint: Fingerprint) -> Option<u32> {
        self.table.find(table_key(&fingerprint), |number| self.entries[number as usize].fingerprint == fingerprint)
    }

    /// A profile of its own, with one empty strand; `None` when all numbers are taken.
    pub(super) fn new_strand(&mut self) -> Option<u32> {
        let number = u32::try_from(self.strands.len()).ok().filter(|number| *number != NONE)?;
        self.strands.push(Strand { profile: number, first_entry: NONE, next: NONE, first_strand: number, size: 0 });
        self.unsaved.strand(number);
        Some(number)
    }

    /// Links a new identifier to a strand. The caller made sure that there is room and that it is new.
    pub(super) fn add(&mut self, fingerprint: Fingerprint, kind: u8, strand: u32, at: Timestamp) {
        let number = self.entries.len() as u32;
        let of = &mut self.strands[strand as usize];
        self.entries.push(Entry { fingerprint, strand, next: of.first_entry, first_seen: seconds(at), kind });
        of.first_entry = number;
        let profile = of.profile;
        self.strands[profile as usize].size += 1;
        self.unsaved.strand(strand);
        self.unsaved.strand(profile);
        let entries = &self.entries;
        self.table.push(|number| table_key(&entries[number as usize].fingerprint));
    }

    /// The strands of a profile in the order of their chain.
    pub(super) fn strands_of(&self, profile: u32) -> impl Iterator<Item = u32> {
        let first = self.strands.get(profile as usize).map_or(NONE, |strand| strand.first_strand);
        let link = |strand: u32| (strand != NONE).then_some(strand);
        std::iter::successors(link(first), move |strand| link(self.strands[*strand as usize].next))
    }

    /// The identifiers of a strand, newest first.
    pub(super) fn entries_of(&self, strand: u32) -> impl Iterator<Item = &Entry> {
        let first = self.strands[strand as usize].first_entry;
        std::iter::successors(self.entries.get(first as usize), |entry| self.entries.get(entry.next as usize))
    }
}
