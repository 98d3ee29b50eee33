//! A file fits a head and a function fits a screen: 600 and 70 lines.
//!
//! A function's lines are counted from its opening to its closing brace, comments and empty lines with it.
//! Tables of data in tests are exempt from the limit of functions, not from that of files.

use super::source::{Source, for_tests_only};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// Files and functions that may be longer, each with its reason.
#[derive(Debug, Default)]
pub struct Exceptions {
    /// `path` or `path::function` to the reason.
    reasons: BTreeMap<String, String>,
}

impl Exceptions {
    /// Reads `[long]` with lines `"path" = "reason"` and `"path::function" = "reason"`.
    ///
    /// # Errors
    /// When the text is not TOML or a reason is missing or too short to be one.
    pub fn parse(text: &str) -> Result<Exceptions> {
        let table: toml::Table = text.parse().context("not TOML")?;
        let mut reasons = BTreeMap::new();
        for (place, reason) in table.get("long").and_then(toml::Value::as_table).into_iter().flatten() {
            match reason.as_str() {
                Some(reason) if reason.split_whitespace().count() >= 4 => reasons.insert(place.clone(), reason.to_owned()),
                _ => bail!("`{place}` needs a reason: say in a sentence why it may be long"),
            };
        }
        Ok(Exceptions { reasons })
    }
}

pub fn findings(sources: &[Source<'_>], exceptions: &Exceptions) -> Vec<String> {
    let mut long = BTreeMap::new();
    for source in sources {
        let path = &source.file.path;
        let lines = source.file.text.lines().count();
        if lines > FILE_LINES_MAX {
            long.insert(path.clone(), format!("{path}: {lines} lines; split it (at most {FILE_LINES_MAX})"));
        }
        if source.is_test() {
            continue;
        }
        let mut visitor = Functions::default();
        visitor.visit_file(&source.tree);
        for (name, line, lines) in visitor.long {
            let sentence = format!("{path}:{line}: `{name}` has {lines} lines; split it (at most {FUNCTION_LINES_MAX})");
            long.insert(format!("{path}::{name}"), sentence);
        }
    }
    let unused = exceptions.reasons.keys().filter(|place| !long.contains_key(*place));
    let mut found: Vec<String> =
        unused.map(|place| format!("{}: `{place}` is not long (any more); remove it", super::EXCEPTIONS)).collect();
    found.extend(long.into_iter().filter(|(place, _)| !exceptions.reasons.contains_key(place)).map(|(_, sentence)| sentence));
    found
}

#[derive(Default)]
struct Functions {
    /// Name, first line, lines.
    long: Vec<(String, usize, usize)>,
}

impl Functions {
    fn measure(&mut self, name: &syn::Ident, block: &syn::Block) {
        let (first, last) = (block.span().start().line, block.span().end().line);
        if last + 1 - first > FUNCTION_LINES_MAX {
            self.long.push((name.to_string(), first, last + 1 - first));
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !for_tests_only(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !for_tests_only(&item.attrs) {
            self.measure(&item.sig.ident, &item.block);
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig.ident, &item.block);
        visit::visit_impl_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::File;

    fn check(path: &str, text: &str, exceptions: &str, expected: &[&str]) {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        let source = Source { file: &file, tree: syn::parse_file(text).expect("the example is Rust") };
        assert_eq!(findings(&[source], &Exceptions::parse(exceptions).expect("the exceptions are readable")), expected);
    }

    fn function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "//\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_of_seventy_lines_is_fine_and_one_more_is_found() {
        check("a.rs", &function(70), "", &[]);
        check("a.rs", &function(71), "", &["a.rs:1: `long` has 71 lines; split it (at most 70)"]);
        check("a/tests.rs", &function(71), "", &[]);
        check("a.rs", &format!("#[cfg(test)]\nmod tests {{ {} }}", function(71)), "", &[]);
    }

    #[test]
    fn a_file_of_six_hundred_lines_is_fine_and_one_more_is_found() {
        check("a.rs", &"//\n".repeat(600), "", &[]);
        check("a.rs", &"//\n".repeat(601), "", &["a.rs: 601 lines; split it (at most 600)"]);
    }

    #[test]
    fn an_exception_needs_a_reason_and_a_use() {
        check("a.rs", &function(71), "[long]\n'a.rs::long' = 'one arm for each step kind'", &[]);
        let unused = "crates/xtask/exceptions.toml: `a.rs::long` is not long (any more); remove it";
        check("a.rs", "", "[long]\n'a.rs::long' = 'one arm for each step kind'", &[unused]);
        assert!(Exceptions::parse("[long]\n'a.rs' = ''").is_err());
        assert!(Exceptions::parse("[long]\n'a.rs' = 'too long'").is_err());
    }
}
