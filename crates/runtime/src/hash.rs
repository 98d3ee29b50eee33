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
        self.add_bytes(&[line.as_bytes()]);
    }

    /// Adds a decision that was written as a line, with or without its reasons.
    pub fn add_line(&mut self, line: &str) {
        // Reasons stand last, and before them stand only texts, whose quotes are escaped.
        let reasons = match line.split_once(",\"id\":") {
            Some(("{\"kind\":\"enrolled\"" | "{\"kind\":\"step\"", _)) => line.find(",\"facts\":{"),
            Some(("{\"kind\":\"message\"", _)) => line.find(",\"checks\":["),
            _ => None,
        };
        match reasons {
            Some(end) => self.add_bytes(&[&line.as_bytes()[..end], b"}"]),
            None => self.add_bytes(&[line.as_bytes()]),
        }
    }

    fn add_bytes(&mut self, parts: &[&[u8]]) {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(part);
        }
        for (lane, bytes) in self.lanes.iter_mut().zip(hasher.finalize().as_bytes().chunks_exact(8)) {
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
