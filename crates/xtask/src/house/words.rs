//! Words that may not stay: promises of later work, tests that are switched off, paths of one machine.
//!
//! The words are put together from halves here, so that this file does not find itself.

use crate::tree::File;

/// The word, and what to do instead.
const WORDS: [(&str, &str); 6] = [
    (concat!("TO", "DO"), "do it, or write an issue and remove the note"),
    (concat!("FIX", "ME"), "mend it, or write an issue and remove the note"),
    (concat!("to", "do!("), "write it, or leave the door out"),
    (concat!("unimpl", "emented!("), "write it, or leave the door out"),
    (concat!("#[ig", "nore"), "run the test or delete it"),
    (concat!("db", "g!("), "remove it"),
];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: [&str; 4] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

/// What may stand before a path, so that `https://host/home/` is none.
const BEFORE_PATH: [char; 10] = [' ', '"', '\'', '`', '(', '=', ':', '[', '<', '\t'];

pub fn findings(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !file.path.starts_with("fuzz/seeds/") && !file.path.ends_with(".lock")) {
        for (index, line) in file.text.lines().enumerate() {
            let number = index + 1;
            for (word, instead) in WORDS {
                if line.contains(word) {
                    found.push(format!("{}:{number}: `{word}`; {instead}", file.path));
                }
            }
            for path in MACHINE_PATHS {
                let mut places = line.match_indices(path).map(|(at, _)| at);
                if places.any(|at| line[..at].chars().next_back().is_none_or(|before| BEFORE_PATH.contains(&before))) {
                    found.push(format!("{}:{number}: `{path}` is a path of one machine; write it relative to the checkout", file.path));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_words_and_machine_paths_are_found_with_their_line() {
        let table = [
            (concat!("x\n// TO", "DO later"), 1),
            (concat!("#[ig", "nore = \"slow\"]"), 1),
            (concat!("cd /wo", "rk/x"), 1),
            (concat!("\"/ho", "me/ada/x\""), 1),
            (concat!("https://example.com/ho", "me/"), 0),
            ("the homework of work/flow", 0),
            ("a method called todo", 0),
        ];
        for (text, expected) in table {
            let found = findings(&[File { path: "a.rs".to_owned(), text: text.to_owned() }]);
            assert_eq!(found.len(), expected, "{text}: {found:?}");
        }
    }
}
