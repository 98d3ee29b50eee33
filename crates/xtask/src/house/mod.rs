//! The house rules that a machine can hold: each looks at the texts of the checkout and returns findings.
//!
//! An exception stands in `crates/xtask/exceptions.toml` with its reason; one that is no longer needed
//! is a finding too.

mod codes;
mod container;
mod lengths;
mod links;
mod source;
mod words;

use crate::tree::{self, File};
use anyhow::{Context, Result};
use source::Source;
use std::path::Path;

/// All findings, one line each; empty when everything holds.
///
/// # Errors
/// When the checkout cannot be read or a Rust file cannot be parsed.
pub fn findings(root: &Path) -> Result<Vec<String>> {
    let files = tree::files(root)?;
    let sources = parse(&files)?;
    let exceptions = files.iter().find(|file| file.path == EXCEPTIONS).map_or("", |file| file.text.as_str());
    let exceptions = lengths::Exceptions::parse(exceptions).context(EXCEPTIONS)?;
    let mut found = lengths::findings(&sources, &exceptions);
    found.extend(words::findings(&files));
    found.extend(codes::findings(&sources, &files));
    found.extend(container::findings(&files));
    found.extend(links::findings(&files));
    found.sort();
    Ok(found)
}

const EXCEPTIONS: &str = "crates/xtask/exceptions.toml";

fn parse(files: &[File]) -> Result<Vec<Source<'_>>> {
    files
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
        .map(|file| Ok(Source { file, tree: syn::parse_file(&file.text).with_context(|| format!("{} is not Rust", file.path))? }))
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_rules_hold_for_this_project() {
        let found = super::findings(&crate::tree::root()).expect("the checkout is readable");
        assert!(found.is_empty(), "{} finding(s)\n{}", found.len(), found.join("\n"));
    }
}
