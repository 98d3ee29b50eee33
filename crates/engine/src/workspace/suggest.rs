//! "Did you mean": the known word that is closest to an unknown one.

/// The closest of the known words, when it is close enough to be a slip of the pen.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let allowed = 1 + word.chars().count() / 4;
    let far = |candidate: &'a str| {
        // `monday` begins like `mon`: that is as close as one slip.
        let known = candidate.to_lowercase();
        let begins = known.len() >= 3 && lower.len() >= 3 && (lower.starts_with(&known) || known.starts_with(&lower));
        (if begins { 1 } else { distance(&lower, &known) }, candidate)
    };
    known.into_iter().map(far).filter(|(far, _)| *far <= allowed).min().map(|(_, candidate)| candidate)
}

/// "did you mean `x`?" and what there is; or only what there is.
pub fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone, kind: &str) -> String {
    let mut list: Vec<&str> = known.clone().into_iter().collect();
    let mut seen = std::collections::BTreeSet::new();
    list.retain(|word| seen.insert(*word));
    match (closest(word, known), list.is_empty()) {
        (Some(candidate), _) if list.len() > 12 => format!("did you mean `{candidate}`?"),
        (Some(candidate), _) => format!("did you mean `{candidate}`? {kind}: {}", quoted(&list)),
        (None, true) => String::new(),
        (None, false) => format!("{kind}: {}", quoted(&list)),
    }
}

/// `a`, `b`, `c`; of very many the first 20.
pub fn quoted(words: &[&str]) -> String {
    const SHOWN_MAX: usize = 20;
    let mut shown: Vec<String> = words.iter().take(SHOWN_MAX).map(|word| format!("`{word}`")).collect();
    if words.len() > SHOWN_MAX {
        shown.push(format!("and {} more", words.len() - SHOWN_MAX));
    }
    shown.join(", ")
}

/// Edits between two texts, where swapping two neighbours is one (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (above[j] + 1).min(row[j - 1] + 1).min(above[j - 1] + changed);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_word_is_found_when_it_is_close() {
        for (word, known, found) in [
            ("tempalte", vec!["template", "channels"], Some("template")),
            ("remnid", vec!["remind", "later"], Some("remind")),
            ("Order completed", vec!["Order Completed"], Some("Order Completed")),
            ("xyz", vec!["template"], None),
            ("to", vec!["when"], None),
            ("monday", vec!["sun", "mon"], Some("mon")),
            ("größe", vec!["grosse", "größen"], Some("größen")),
        ] {
            assert_eq!(closest(word, known), found, "{word}");
        }
    }
}
