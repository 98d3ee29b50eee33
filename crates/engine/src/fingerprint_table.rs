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

/// Which part a fingerprint belongs to: bits that choose no line.
fn part_of(fingerprint: Fingerprint) -> usize {
    (fingerprint >> 122) as usize
}

/// Slots of a line of [`FingerprintTable`].
const SLOTS: usize = 8;
const NUMBER: u64 = u32::MAX as u64;

/// From fingerprints to the numbers under which their owner keeps them, given out densely from 0. The owner
/// has the whole fingerprint; here is a third of it, which tells nearly every other one apart.
#[derive(Clone)]
pub struct FingerprintTable {
    parts: Box<[Slots; PARTS]>,
    len: u32,
}

/// 32 bits of a fingerprint, and number + 1; zero is empty. Lines fill from the front. A power of two long.
#[derive(Clone)]
struct Slots {
    slots: Vec<u64>,
    used: usize,
}

impl Slots {
    /// Room for about so many fingerprints.
    fn of(len: usize) -> Slots {
        Slots { slots: vec![0; (len * 4 / 3 + 1).next_power_of_two().max(SLOTS)], used: 0 }
    }

    /// First slot of the home line.
    fn home(&self, fingerprint: Fingerprint) -> usize {
        // The upper 64 bits are spread evenly; the lowest of them choose the line. The 32 below are the tag.
        (fingerprint >> 64) as usize & (self.slots.len() - 1) & !(SLOTS - 1)
    }

    fn find(&self, fingerprint: Fingerprint, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = fingerprint as u64 & !NUMBER;
        let mut at = self.home(fingerprint);
        loop {
            for slot in &self.slots[at..at + SLOTS] {
                if *slot == 0 {
                    return None;
                }
                let number = (*slot as u32).wrapping_sub(1);
                if slot & !NUMBER == tag && is_it(number) {
                    return Some(number);
                }
            }
            at = (at + SLOTS) & (self.slots.len() - 1);
        }
    }

    fn push(&mut self, fingerprint: Fingerprint, number: u32, fingerprint_of: impl Fn(u32) -> Fingerprint) {
        // At three quarters full one line of eight in five is full.
        if (self.used + 1) * 4 > self.slots.len() * 3 {
            let larger = vec![0; self.slots.len() * 2];
            for slot in std::mem::replace(&mut self.slots, larger).into_iter().filter(|slot| *slot != 0) {
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
            if let Some(free) = self.slots[at..at + SLOTS].iter_mut().find(|slot| **slot == 0) {
                *free = (fingerprint as u64 & !NUMBER) | u64::from(number + 1);
                return;
            }
            at = (at + SLOTS) & (self.slots.len() - 1);
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
        self.parts.iter().map(|part| part.slots.capacity() * size_of::<u64>()).sum()
    }

    /// Reads the home line.
    pub fn touch(&self, fingerprint: Fingerprint) -> u64 {
        let part = &self.parts[part_of(fingerprint)];
        part.slots[part.home(fingerprint)]
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

/// Words of a line of [`FingerprintSet`]: five fingerprints of three, and how many there are.
const LINE: usize = 16;
const PRINTS: usize = 5;

/// Fingerprints alone.
#[derive(Clone)]
pub struct FingerprintSet {
    parts: Box<[Lines; PARTS]>,
}

/// A power of two of lines.
#[derive(Clone)]
struct Lines {
    words: Vec<u32>,
    len: usize,
}

impl Default for Lines {
    fn default() -> Lines {
        Lines { words: vec![0; LINE], len: 0 }
    }
}

impl Lines {
    /// First word of the home line.
    fn home(&self, fingerprint: Fingerprint) -> usize {
        ((fingerprint >> 64) as usize).wrapping_mul(LINE) & (self.words.len() - 1)
    }

    fn contains(&self, fingerprint: Fingerprint) -> bool {
        let print = words_of(fingerprint);
        let mut at = self.home(fingerprint);
        loop {
            let (prints, held) = self.line(at);
            if prints.chunks_exact(3).take(held).any(|other| other == print) {
                return true;
            }
            if held < PRINTS {
                return false;
            }
            at = (at + LINE) & (self.words.len() - 1);
        }
    }

    fn insert(&mut self, fingerprint: Fingerprint) {
        if (self.len + 1) * LINE * 4 > self.words.len() * PRINTS * 3 {
            self.grow();
        }
        self.place(words_of(fingerprint), self.home(fingerprint));
        self.len += 1;
    }

    /// Fingerprints of the line at this word, and how many of them count.
    fn line(&self, at: usize) -> (&[u32], usize) {
        let line = &self.words[at..at + LINE];
        (&line[..PRINTS * 3], line[LINE - 1] as usize)
    }

    fn place(&mut self, print: [u32; 3], mut at: usize) {
        while self.line(at).1 == PRINTS {
            at = (at + LINE) & (self.words.len() - 1);
        }
        let first = at + self.line(at).1 * 3;
        self.words[first..first + 3].copy_from_slice(&print);
        self.words[at + LINE - 1] += 1;
    }

    fn grow(&mut self) {
        let larger = vec![0; self.words.len() * 2];
        for line in std::mem::replace(&mut self.words, larger).chunks_exact(LINE) {
            for print in line.chunks_exact(3).take(line[LINE - 1] as usize) {
                let print = [print[0], print[1], print[2]];
                self.place(print, self.home(fingerprint_of(print)));
            }
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
        part.words[part.home(fingerprint)]
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
