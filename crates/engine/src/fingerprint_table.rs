//! Look-ups by 96-bit fingerprints, where memory decides the speed: a table of numbers and a set.
//!
//! Both are made of lines of 64 bytes, the piece that a processor fetches at once. A fingerprint stands in
//! its home line, or, where that was full, in the next one that was not; so nearly every look-up, also one
//! that finds nothing, reads one line. `touch` reads the home line without a branch: a loop of them lets the
//! processor wait for many lines at once, where a hash map's comparison makes it wait for one after the
//! other. Fingerprints are spread evenly; nothing is ever removed.

/// Fingerprint in the upper 96 bits; the lower 32 are not part of it.
pub type Fingerprint = u128;

/// Parts of a table, each of which grows by itself: nobody waits until millions have found new places.
const PARTS: usize = 64;

/// Whether so many of the places are taken that a part must grow: at some fill between five eighths and three
/// quarters, so that parts, which fill evenly, do not all grow at once.
fn is_filled(used: usize, places: usize, part: usize) -> bool {
    used * 8 * PARTS > places * (5 * PARTS + part)
}

/// Which part a fingerprint belongs to: bits that choose no line.
fn part_of(fingerprint: Fingerprint) -> usize {
    (fingerprint >> 122) as usize
}

/// Slots of a row of [`FingerprintTable`].
const SLOTS: usize = 8;
const NUMBER: u64 = u32::MAX as u64;

/// From fingerprints to the numbers under which their owner keeps them, given out densely from 0. The owner
/// has the whole fingerprint; here is a third of it, which tells nearly every other one apart.
#[derive(Clone)]
pub struct FingerprintTable {
    parts: Box<[Slots; PARTS]>,
    len: u32,
}

/// 32 bits of a fingerprint, and number + 1; zero is empty. Fills from the front. One line of the processor's cache.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Row([u64; SLOTS]);

/// A power of two of rows.
#[derive(Clone)]
struct Slots {
    rows: Vec<Row>,
    used: usize,
}

impl Slots {
    /// Room for about so many fingerprints.
    fn of(len: usize) -> Slots {
        Slots { rows: vec![Row::default(); (len * 4 / 3 / SLOTS + 1).next_power_of_two()], used: 0 }
    }

    fn home(&self, fingerprint: Fingerprint) -> usize {
        // The upper 64 bits are spread evenly; some of the lowest of them choose the row. The 32 below are the tag.
        ((fingerprint >> 64) as usize / SLOTS) & (self.rows.len() - 1)
    }

    fn find(&self, fingerprint: Fingerprint, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = fingerprint as u64 & !NUMBER;
        let mut at = self.home(fingerprint);
        loop {
            for slot in &self.rows[at].0 {
                if *slot == 0 {
                    return None;
                }
                let number = (*slot as u32).wrapping_sub(1);
                if slot & !NUMBER == tag && is_it(number) {
                    return Some(number);
                }
            }
            at = (at + 1) & (self.rows.len() - 1);
        }
    }

    fn push(&mut self, fingerprint: Fingerprint, number: u32, fingerprint_of: impl Fn(u32) -> Fingerprint) {
        // At three quarters full one row of eight in five is full.
        if is_filled(self.used + 1, self.rows.len() * SLOTS, part_of(fingerprint)) {
            let larger = vec![Row::default(); self.rows.len() * 2];
            let known = std::mem::replace(&mut self.rows, larger);
            for slot in known.iter().flat_map(|row| row.0).filter(|slot| *slot != 0) {
                let number = (slot as u32).wrapping_sub(1);
                self.place(fingerprint_of(number), number);
            }
        }
        self.place(fingerprint, number);
        self.used += 1;
    }

    fn place(&mut self, fingerprint: Fingerprint, number: u32) {
        let mut at = self.home(fingerprint);
        loop {
            if let Some(free) = self.rows[at].0.iter_mut().find(|slot| **slot == 0) {
                *free = (fingerprint as u64 & !NUMBER) | u64::from(number + 1);
                return;
            }
            at = (at + 1) & (self.rows.len() - 1);
        }
    }
}

impl Default for FingerprintTable {
    fn default() -> FingerprintTable {
        FingerprintTable::with_room(0)
    }
}

impl FingerprintTable {
    /// The table of `len` fingerprints.
    pub fn of(len: u32, fingerprint_of: impl Fn(u32) -> Fingerprint) -> FingerprintTable {
        let mut table = FingerprintTable::with_room(len as usize);
        (0..len).for_each(|_| table.push(&fingerprint_of));
        table
    }

    fn with_room(len: usize) -> FingerprintTable {
        FingerprintTable { parts: Box::new(std::array::from_fn(|_| Slots::of(len / PARTS))), len: 0 }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.parts.iter().map(|part| part.rows.capacity() * size_of::<Row>()).sum()
    }

    /// Reads the home row.
    pub fn touch(&self, fingerprint: Fingerprint) -> u64 {
        let part = &self.parts[part_of(fingerprint)];
        part.rows[part.home(fingerprint)].0[0]
    }

    /// The number that has the fingerprint's tag and for which `is_it` holds.
    pub fn find(&self, fingerprint: Fingerprint, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.parts[part_of(fingerprint)].find(fingerprint, is_it)
    }

    /// Adds the next number, below `u32::MAX`, whose fingerprint is not in the table.
    pub fn push(&mut self, fingerprint_of: impl Fn(u32) -> Fingerprint) {
        let fingerprint = fingerprint_of(self.len);
        self.parts[part_of(fingerprint)].push(fingerprint, self.len, fingerprint_of);
        self.len += 1;
    }
}

/// Fingerprints of a line of [`FingerprintSet`].
const PRINTS: usize = 5;

/// Fingerprints alone.
#[derive(Clone)]
pub struct FingerprintSet {
    parts: Box<[Lines; PARTS]>,
}

/// Fingerprints, and how many of them count. One line of the processor's cache.
#[derive(Clone, Copy, Default)]
#[repr(C, align(64))]
struct Line {
    prints: [[u32; 3]; PRINTS],
    held: u32,
}

/// A power of two of lines.
#[derive(Clone)]
struct Lines {
    lines: Vec<Line>,
    len: usize,
}

impl Default for Lines {
    fn default() -> Lines {
        Lines { lines: vec![Line::default()], len: 0 }
    }
}

impl Line {
    fn prints(&self) -> &[[u32; 3]] {
        &self.prints[..self.held as usize]
    }

    fn is_full(&self) -> bool {
        self.held as usize == PRINTS
    }
}

impl Lines {
    fn home(&self, fingerprint: Fingerprint) -> usize {
        (fingerprint >> 64) as usize & (self.lines.len() - 1)
    }

    fn contains(&self, fingerprint: Fingerprint) -> bool {
        let print = words_of(fingerprint);
        let mut at = self.home(fingerprint);
        loop {
            let line = &self.lines[at];
            if line.prints().contains(&print) {
                return true;
            }
            if !line.is_full() {
                return false;
            }
            at = (at + 1) & (self.lines.len() - 1);
        }
    }

    fn insert(&mut self, fingerprint: Fingerprint) {
        if is_filled(self.len + 1, self.lines.len() * PRINTS, part_of(fingerprint)) {
            self.grow();
        }
        self.place(words_of(fingerprint), self.home(fingerprint));
        self.len += 1;
    }

    fn place(&mut self, print: [u32; 3], mut at: usize) {
        while self.lines[at].is_full() {
            at = (at + 1) & (self.lines.len() - 1);
        }
        let line = &mut self.lines[at];
        line.prints[line.held as usize] = print;
        line.held += 1;
    }

    fn grow(&mut self) {
        let larger = vec![Line::default(); self.lines.len() * 2];
        let known = std::mem::replace(&mut self.lines, larger);
        for print in known.iter().flat_map(Line::prints) {
            self.place(*print, self.home(fingerprint_of(*print)));
        }
    }
}

impl Default for FingerprintSet {
    fn default() -> FingerprintSet {
        FingerprintSet { parts: Box::new(std::array::from_fn(|_| Lines::default())) }
    }
}

impl FingerprintSet {
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len).sum()
    }

    /// Reads the home line.
    pub fn touch(&self, fingerprint: Fingerprint) -> u32 {
        let part = &self.parts[part_of(fingerprint)];
        part.lines[part.home(fingerprint)].held
    }

    pub fn contains(&self, fingerprint: Fingerprint) -> bool {
        self.parts[part_of(fingerprint)].contains(fingerprint)
    }

    /// Adds a fingerprint that is not in the set.
    pub fn insert(&mut self, fingerprint: Fingerprint) {
        self.parts[part_of(fingerprint)].insert(fingerprint);
    }
}

fn words_of(fingerprint: Fingerprint) -> [u32; 3] {
    [(fingerprint >> 32) as u32, (fingerprint >> 64) as u32, (fingerprint >> 96) as u32]
}

fn fingerprint_of([low, middle, high]: [u32; 3]) -> Fingerprint {
    u128::from(low) << 32 | u128::from(middle) << 64 | u128::from(high) << 96
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn table_and_set_know_what_a_map_knows(keys in prop::collection::vec((0u64..4, 0u32..80), 0..300)) {
            let (mut table, mut set) = (FingerprintTable::default(), FingerprintSet::default());
            let (mut map, mut prints) = (BTreeMap::new(), Vec::new());
            for (high, low) in keys {
                // Two parts, few home lines, and tags that say little: full lines, wrong tags and repeats happen.
                let key = u128::from(high) << 64 | u128::from(low) << 96 | u128::from(low % 2) << 122 | u128::from(low % 3) << 32;
                let found = |table: &FingerprintTable, prints: &[u128]| table.find(key, |number| prints[number as usize] == key);
                prop_assert_eq!(found(&table, &prints), map.get(&key).copied());
                prop_assert_eq!(set.contains(key), map.contains_key(&key));
                if let std::collections::btree_map::Entry::Vacant(place) = map.entry(key) {
                    place.insert(prints.len() as u32);
                    prints.push(key);
                    table.push(|number| prints[number as usize]);
                    set.insert(key);
                }
                prop_assert_eq!(found(&table, &prints), map.get(&key).copied());
                prop_assert!(set.contains(key));
            }
            prop_assert_eq!(set.len(), map.len());
            let again = FingerprintTable::of(prints.len() as u32, |number| prints[number as usize]);
            prop_assert!(map.iter().all(|(key, number)| again.find(*key, |number| prints[number as usize] == *key) == Some(*number)));
        }
    }
}
