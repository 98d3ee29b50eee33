//! The hash of a run: of all its decisions, whatever order they came in.

use faden_engine::decision::Decision;

/// A multiset hash: the BLAKE3 digests of the decisions' lines (without reasons), added up as four
/// 64-bit numbers each modulo 2^64. Equal for equal decisions in any order; repeats count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DecisionHash {
    lanes: [u64; 4],
    pub count: u64,
}

impl DecisionHash {
    /// `line` is scratch space.
    pub fn add(&mut self, decision: &Decision, line: &mut String) {
        line.clear();
        decision.write_json(line, false);
        let digest = blake3::hash(line.as_bytes());
        for (lane, bytes) in self.lanes.iter_mut().zip(digest.as_bytes().chunks_exact(8)) {
            *lane = lane.wrapping_add(u64::from_le_bytes(bytes.try_into().expect("a chunk has eight bytes")));
        }
        self.count += 1;
    }
}

impl std::fmt::Display for DecisionHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.lanes.iter().try_for_each(|lane| write!(f, "{lane:016x}"))
    }
}
