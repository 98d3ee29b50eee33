//! The checkout as a list of files: what a reader could open, without build output.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold what was built, downloaded or found, never what was written.
const SKIPPED: [&str; 8] = [".git", "target", "node_modules", "corpus", "artifacts", "faden-data", "dist", ".cache"];

/// The top of the checkout; this package stands two folders below it.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map_or_else(|| here.to_path_buf(), Path::to_path_buf)
}

/// One text of the checkout. `path` is relative to its top, with `/`.
pub struct File {
    pub path: String,
    pub text: String,
}

/// Every file, sorted by path; a picture is there with no text.
///
/// # Errors
/// When a folder cannot be listed or a file cannot be read.
pub fn files(root: &Path) -> Result<Vec<File>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name();
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if !SKIPPED.iter().any(|skipped| name == *skipped) {
                    folders.push(entry.path());
                }
            } else if kind.is_file() && name != ".git" {
                let bytes = fs::read(entry.path()).with_context(|| format!("cannot read {}", entry.path().display()))?;
                let path = entry.path().strip_prefix(root)?.to_string_lossy().replace('\\', "/");
                found.push(File { path, text: String::from_utf8(bytes).unwrap_or_default() });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}
