//! Numbers as little pictures of text.

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One character per number, scaled to the largest.
pub fn sparkline(counts: &[u64]) -> String {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let level = |count: &u64| LEVELS[usize::try_from(count * 7 / most).unwrap_or_default().min(7)];
    counts.iter().map(level).collect()
}

/// A bar for `whole` of `most` with `part` of it filled, at most `width` characters in two pieces.
pub fn bar(part: u64, whole: u64, most: u64, width: usize) -> (String, String) {
    let scale = |number: u64| usize::try_from((number * width as u64).div_ceil(most.max(1))).unwrap_or_default().min(width);
    let (full, all) = (scale(part.min(whole)), scale(whole));
    ("█".repeat(full), "░".repeat(all - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_levels_and_bars() {
        for (counts, line) in [(vec![], ""), (vec![0, 0], "▁▁"), (vec![0, 5, 10], "▁▄█"), (vec![3, 3], "██")] {
            assert_eq!(sparkline(&counts), line);
        }
        for (part, whole, most, full, rest) in
            [(0, 0, 10, 0, 0), (5, 10, 10, 2, 2), (1, 10, 10, 1, 3), (10, 10, 10, 4, 0), (20, 10, 10, 4, 0)]
        {
            assert_eq!(bar(part, whole, most, 4), ("█".repeat(full), "░".repeat(rest)));
        }
    }
}
