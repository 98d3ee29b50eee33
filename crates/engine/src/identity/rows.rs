//! The index as rows of a key-value store, and back.
//!
//! Keys are a letter and big-endian numbers, so that rows read in the order of keys come back in the order
//! in which they were made; numbers in values are little-endian. Version 2:
//! `v` version u16, check u64 | `k` number u8: name of a kind | `a` strand u32, strand u32: kept apart
//! `e` first number u32, then for each: fingerprint 3 x u32, strand u32, next u32, first seen u32, kind u8
//! `s` first number u32, then for each: profile u32, first entry u32, next u32, first strand u32, size u32
//! `m` number u32: at i64, winner u32, loser u32, cause 3 x u32, kind u8, undone u8, undone at i64, strands u32 each
//! An entry never changes, so what is new is a row of its own; strands stand in pages that are written whole.
//! Version 1 had a row for each entry and each strand: it is read, and its rows go as their pages are written.

use super::index::{Entry, NONE, Strand, fingerprint, table_key};
use super::{Identity, ledger};
use crate::fingerprint_table::FingerprintTable;
use faden_model::{Identifier, IdentifierKind, Timestamp};
use smallvec::SmallVec;
use std::borrow::Cow;

const VERSION: u16 = 2;
/// Strands of one row: those of customers who came together change together.
const PAGE: u32 = 16;
/// Entries of one row at most.
const ENTRIES_MAX: usize = 64;

/// What was not handed out by `drain_changes` yet.
#[derive(Clone, Debug, Default)]
pub struct Unsaved {
    /// Nobody will ask what changed.
    off: bool,
    version_saved: bool,
    kinds_saved: usize,
    entries_saved: usize,
    merges_saved: usize,
    /// Strands before this number may stand in rows of their own.
    single_until: u32,
    strands: Vec<u32>,
    merges: Vec<u32>,
    apart: Vec<(u32, u32)>,
}

/// Why rows are not an identity index.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    #[error("the identity index was written by version {0}; this program reads version {VERSION}, use a newer one")]
    Version(u16),
    #[error("the identity index was written with another key; give the key of this workspace")]
    WrongKey,
    #[error("the identity index is damaged at row {row}: {what}; restore it from a backup or rebuild it from the log")]
    Damaged { row: String, what: &'static str },
}

impl LoadError {
    pub fn code(&self) -> &'static str {
        match self {
            LoadError::Version(_) => "identity-index-version",
            LoadError::WrongKey => "identity-index-wrong-key",
            LoadError::Damaged { .. } => "identity-index-damaged",
        }
    }
}

impl Identity {
    /// An index that is never stored: it does not remember what changed.
    pub fn untracked(mut self) -> Identity {
        self.unsaved.off = true;
        self
    }
}

impl Unsaved {
    pub fn strand(&mut self, number: u32) {
        if !self.off && self.strands.last() != Some(&number) {
            self.strands.push(number);
        }
    }

    pub fn merge(&mut self, number: u32) {
        self.merges.push(number);
    }

    pub fn apart(&mut self, pair: (u32, u32)) {
        self.apart.push(pair);
    }
}

fn key(letter: u8, number: u32) -> [u8; 5] {
    let [a, b, c, d] = number.to_be_bytes();
    [letter, a, b, c, d]
}

fn numbers(out: &mut Vec<u8>, numbers: &[u32]) {
    numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
}

fn merge_row(row: &ledger::Row) -> Vec<u8> {
    let mut out = row.at.0.to_le_bytes().to_vec();
    numbers(&mut out, &[row.winner, row.loser]);
    numbers(&mut out, &row.cause);
    out.extend([row.cause_kind, u8::from(row.undone.is_some())]);
    out.extend_from_slice(&row.undone.unwrap_or_default().0.to_le_bytes());
    numbers(&mut out, &row.strands);
    out
}

impl Identity {
    /// A number that depends on the key alone, to notice a wrong one.
    fn key_check(&self) -> u64 {
        let nobody = Identifier { kind: IdentifierKind::UserId, value: Cow::Borrowed("") };
        (table_key(&fingerprint(&self.hash_key, &nobody)) >> 64) as u64
    }

    /// Hands every row that changed since the last call to `out`, as key and value; `None` would delete.
    pub fn drain_changes(&mut self, out: &mut impl FnMut(&[u8], Option<&[u8]>)) {
        let mut unsaved = std::mem::take(&mut self.unsaved);
        if !unsaved.version_saved {
            let mut value = VERSION.to_le_bytes().to_vec();
            value.extend_from_slice(&self.key_check().to_le_bytes());
            out(b"v", Some(&value));
        }
        for (number, kind) in self.kinds.iter().enumerate().skip(unsaved.kinds_saved) {
            out(&[b'k', number as u8], Some(kind.name().as_bytes()));
        }
        let mut value = Vec::new();
        for first in (unsaved.entries_saved..self.entries.len()).step_by(ENTRIES_MAX) {
            value.clear();
            for entry in self.entries.from(first).take(ENTRIES_MAX) {
                numbers(&mut value, &entry.fingerprint);
                numbers(&mut value, &[entry.strand, entry.next, entry.first_seen]);
                value.push(entry.kind);
            }
            out(&key(b'e', first as u32), Some(&value));
        }
        self.drain_strands(&mut unsaved, out);
        unsaved.merges.extend(unsaved.merges_saved as u32..self.merges.len() as u32);
        unsaved.merges.sort_unstable();
        unsaved.merges.dedup();
        for number in unsaved.merges {
            out(&key(b'm', number), Some(&merge_row(&self.merges[number as usize])));
        }
        for (one, other) in unsaved.apart {
            out(&[&key(b'a', one)[..], &other.to_be_bytes()].concat(), Some(&[]));
        }
        self.unsaved = Unsaved { single_until: unsaved.single_until, ..self.all_saved() };
    }

    fn drain_strands(&self, unsaved: &mut Unsaved, out: &mut impl FnMut(&[u8], Option<&[u8]>)) {
        let mut pages: Vec<u32> = unsaved.strands.iter().map(|number| number / PAGE).collect();
        pages.sort_unstable();
        pages.dedup();
        let mut value = Vec::new();
        for first in pages.into_iter().map(|page| page * PAGE) {
            value.clear();
            for strand in self.strands.from(first as usize).take(PAGE as usize) {
                numbers(&mut value, &[strand.profile, strand.first_entry, strand.next, strand.first_strand, strand.size]);
            }
            out(&key(b's', first), Some(&value));
            for number in (first + 1..first + PAGE).take_while(|number| *number < unsaved.single_until) {
                out(&key(b's', number), None);
            }
        }
    }

    fn all_saved(&self) -> Unsaved {
        let (kinds_saved, entries_saved, merges_saved) = (self.kinds.len(), self.entries.len(), self.merges.len());
        Unsaved { version_saved: true, kinds_saved, entries_saved, merges_saved, ..Unsaved::default() }
    }

    /// The index whose changes were stored, from all its rows in the order of their keys.
    ///
    /// # Errors
    /// [`LoadError`] when a row is missing or cannot be; no rows at all are an empty index.
    pub fn load<K: AsRef<[u8]>, V: AsRef<[u8]>>(hash_key: [u8; 16], rows: impl IntoIterator<Item = (K, V)>) -> Result<Identity, LoadError> {
        let mut identity = Identity::new(hash_key);
        let mut version_seen = None;
        for (key, value) in rows {
            let (key, value) = (key.as_ref(), value.as_ref());
            if key == b"v" {
                version_seen = Some(identity.check_version(value)?);
            } else {
                identity.load_row(key, value).ok_or_else(|| damaged(key, "it does not follow the row before it, or has another form"))?;
            }
        }
        if version_seen.is_none() && !identity.is_empty() {
            return Err(damaged(b"v", "it is missing"));
        }
        identity.check_references()?;
        let entries = &identity.entries;
        identity.table = FingerprintTable::of(entries.len() as u32, |number| table_key(&entries[number as usize].fingerprint));
        if let Some(version) = version_seen {
            let single_until = identity.unsaved.single_until;
            identity.unsaved = Unsaved { version_saved: version == VERSION, single_until, ..identity.all_saved() };
        }
        Ok(identity)
    }

    fn is_empty(&self) -> bool {
        self.kinds.is_empty() && self.entries.is_empty() && self.strands.is_empty() && self.merges.is_empty() && self.apart.is_empty()
    }

    fn check_version(&self, value: &[u8]) -> Result<u16, LoadError> {
        let mut reader = Reader(value);
        let version = reader.bytes().map(u16::from_le_bytes).ok_or_else(|| damaged(b"v", "it is too short"))?;
        if !(1..=VERSION).contains(&version) {
            return Err(LoadError::Version(version));
        }
        if reader.bytes().map(u64::from_le_bytes) == Some(self.key_check()) { Ok(version) } else { Err(LoadError::WrongKey) }
    }

    fn load_row(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let (letter, rest) = key.split_first()?;
        let number = || <[u8; 4]>::try_from(rest).ok().map(|bytes| u32::from_be_bytes(bytes) as usize);
        let mut read = Reader(value);
        match letter {
            b'k' if rest == [u8::try_from(self.kinds.len()).ok()?] => {
                self.kinds.push(IdentifierKind::from_name(std::str::from_utf8(value).ok()?))
            }
            b'e' if number()? == self.entries.len() && !value.is_empty() => {
                while !read.0.is_empty() {
                    let fingerprint = [read.number()?, read.number()?, read.number()?];
                    let (strand, next, first_seen) = (read.number()?, read.number()?, read.number()?);
                    let [kind] = read.bytes()?;
                    self.entries.push(Entry { fingerprint, strand, next, first_seen, kind });
                }
            }
            b's' if number()? == self.strands.len() && !value.is_empty() => {
                let first = self.strands.len() as u32;
                while !read.0.is_empty() {
                    let (profile, first_entry, next) = (read.number()?, read.number()?, read.number()?);
                    self.strands.push(Strand { profile, first_entry, next, first_strand: read.number()?, size: read.number()? });
                }
                if !first.is_multiple_of(PAGE) {
                    self.unsaved.single_until = self.strands.len() as u32;
                }
            }
            b'm' if number()? == self.merges.len() => {
                let at = read.time()?;
                let (winner, loser) = (read.number()?, read.number()?);
                let cause = [read.number()?, read.number()?, read.number()?];
                let [cause_kind, undone] = read.bytes()?;
                let undone_at = read.time()?;
                let mut strands = SmallVec::new();
                while !read.0.is_empty() {
                    strands.push(read.number()?);
                }
                self.merges.push(ledger::Row { at, winner, loser, cause, cause_kind, undone: (undone == 1).then_some(undone_at), strands });
            }
            b'a' if rest.len() == 8 => {
                let half = |bytes: &[u8]| <[u8; 4]>::try_from(bytes).ok().map(u32::from_be_bytes);
                self.apart.insert((half(&rest[..4])?, half(&rest[4..])?));
            }
            _ => return None,
        }
        Some(())
    }

    /// Every number points to something, and chains end: after this nothing can go out of bounds or round in circles.
    fn check_references(&self) -> Result<(), LoadError> {
        let strands = self.strands.len();
        let is_strand = |number: u32| (number as usize) < strands;
        for (number, entry) in (0u32..).zip(self.entries.from(0)) {
            let same_strand = |next: u32| next < number && self.entries[next as usize].strand == entry.strand;
            if !is_strand(entry.strand) || usize::from(entry.kind) >= self.kinds.len() || !(entry.next == NONE || same_strand(entry.next)) {
                return Err(damaged(&key(b'e', number), "it points to nothing"));
            }
        }
        for (number, strand) in (0u32..).zip(self.strands.from(0)) {
            let own_entry = self.entries.get(strand.first_entry as usize).is_some_and(|entry| entry.strand == number);
            let links = [strand.next, strand.first_strand].into_iter().all(|link| link == NONE || is_strand(link));
            if !is_strand(strand.profile) || !links || !(strand.first_entry == NONE || own_entry) {
                return Err(damaged(&key(b's', number), "it points to nothing"));
            }
        }
        self.check_chains()?;
        self.check_ledger()?;
        match self.apart.iter().find(|(one, other)| !is_strand(*one) || !is_strand(*other)) {
            Some((one, _)) => Err(damaged(&key(b'a', *one), "it points to nothing")),
            None => Ok(()),
        }
    }

    /// Every profile that is not live lost exactly one merge that stands, after all that it won; what such a
    /// merge moved is still with the winner.
    fn check_ledger(&self) -> Result<(), LoadError> {
        let is_strand = |number: u32| (number as usize) < self.strands.len();
        let mut lost_at = vec![NONE; self.strands.len()];
        for (number, row) in (0u32..).zip(&self.merges) {
            let known = [row.winner, row.loser].into_iter().chain(row.strands.iter().copied()).all(is_strand);
            if !known || !row.strands.is_sorted_by(|one, other| one < other) || usize::from(row.cause_kind) >= self.kinds.len() {
                return Err(damaged(&key(b'm', number), "it points to nothing"));
            }
            if row.undone.is_some() {
                continue;
            }
            let holder = self.strands[row.winner as usize].profile;
            let together = row.strands.iter().all(|strand| self.strands[*strand as usize].profile == holder);
            if !together || lost_at[row.winner as usize] != NONE || lost_at[row.loser as usize] != NONE {
                return Err(damaged(&key(b'm', number), "it contradicts the profiles or another merge"));
            }
            lost_at[row.loser as usize] = number;
        }
        match (0u32..).zip(self.strands.from(0)).find(|(number, strand)| (lost_at[*number as usize] == NONE) != (strand.profile == *number))
        {
            Some((number, _)) => Err(damaged(&key(b's', number), "the ledger says otherwise")),
            None => Ok(()),
        }
    }

    fn check_chains(&self) -> Result<(), LoadError> {
        let mut visited = 0;
        for number in 0..self.strands.len() as u32 {
            let mut size = 0;
            for strand in self.strands_of(number) {
                visited += 1;
                // A chain that comes back to itself or into another is noticed here at the latest.
                if visited > self.strands.len() || self.strands[strand as usize].profile != number {
                    return Err(damaged(&key(b's', strand), "its chain is broken"));
                }
                size += self.entries_of(strand).count();
            }
            if size != self.strands[number as usize].size as usize {
                return Err(damaged(&key(b's', number), "its size is wrong"));
            }
        }
        if visited == self.strands.len() { Ok(()) } else { Err(damaged(b"s", "a strand is in no profile")) }
    }
}

fn damaged(key: &[u8], what: &'static str) -> LoadError {
    let mut row = String::new();
    for byte in key {
        row.extend(std::ascii::escape_default(*byte).map(char::from));
    }
    LoadError::Damaged { row, what }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn number(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn time(&mut self) -> Option<Timestamp> {
        self.bytes().map(|bytes| Timestamp(i64::from_le_bytes(bytes)))
    }
}
