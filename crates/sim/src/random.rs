//! The dice of a run: one seed gives one run, on every machine.
//!
//! SplitMix64 (Steele, Lea, Flood 2014): tiny, fixed for ever, and good enough to choose faults.

#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 up to, without, `limit`; 0 when there is no such number.
    pub fn below(&mut self, limit: u64) -> u64 {
        // The bias of a remainder does not matter here.
        self.next().checked_rem(limit).unwrap_or(0)
    }

    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a length")
    }

    /// True `percent` times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    /// Dice of their own for one part of a run, so that a change there leaves the others as they are.
    pub fn part(&mut self) -> Random {
        Random(self.next())
    }
}
