//! A workspace directory as texts: only files that can belong to a workspace are read.
//!
//! Refuses symbolic links that lead out of the directory, files above a size, and text that is not UTF-8.
//! Of a folder that no workspace has, only the name of one file is handed on, so that the reader can say so.

use crate::terminal::Paint;
use anyhow::{Context, bail};
use faden_engine::Definitions;
use faden_engine::workspace::{self, Colours, Files, Finding, Outcome};
use faden_model::diagnostic::Severity;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest definition file.
pub const FILE_BYTES_MAX: u64 = 1 << 20;
/// Most files of one workspace.
const FILES_MAX: usize = 10_000;
/// Deepest folder: `templates/NAME/...` needs two.
const DEPTH_MAX: usize = 6;

const FOLDERS: [&str; 10] =
    ["policies", "audiences", "journeys", "templates", "scenarios", "cases", "desk", "offers", "metrics", "connectors"];

/// Reads the files of a workspace.
///
/// # Errors
/// When the directory or a file in it cannot be read, or may not be.
pub fn files(directory: &Path) -> anyhow::Result<Files> {
    let root = directory.canonicalize().with_context(|| format!("cannot open the workspace directory `{}`", directory.display()))?;
    if !root.is_dir() {
        bail!("`{}` is not a directory; name the one that holds faden.yaml", directory.display());
    }
    let mut found = BTreeMap::new();
    walk(&root, &root, 0, &mut found)?;
    Ok(Files(found))
}

fn walk(root: &Path, directory: &Path, depth: usize, found: &mut BTreeMap<String, String>) -> anyhow::Result<()> {
    if depth > DEPTH_MAX {
        bail!("`{}` lies too deep; a workspace has at most {DEPTH_MAX} levels of folders", directory.display());
    }
    let entries = std::fs::read_dir(directory).with_context(|| format!("cannot list `{}`", directory.display()))?;
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        let relative = relative(root, &path)?;
        if relative.rsplit('/').next().is_some_and(|name| name.starts_with('.')) {
            continue;
        }
        let target = path.canonicalize().with_context(|| format!("cannot open `{}`", path.display()))?;
        if !target.starts_with(root) {
            bail!("`{relative}` leads out of the workspace to `{}`; copy the file instead", target.display());
        }
        if target.is_dir() {
            walk(root, &path, depth + 1, found)?;
        } else {
            take_file(&path, relative, found)?;
        }
    }
    Ok(())
}

fn take_file(path: &Path, relative: String, found: &mut BTreeMap<String, String>) -> anyhow::Result<()> {
    let known = match relative.split_once('/') {
        Some((folder, _)) if !FOLDERS.contains(&folder) => {
            // One file is enough to say that the folder is not part of a workspace.
            let start = format!("{folder}/");
            if !found.keys().any(|other| other.starts_with(&start)) {
                found.insert(relative, String::new());
            }
            return Ok(());
        }
        Some(_) => true,
        None => matches!(relative.as_str(), "faden.yaml" | "identity.yaml"),
    };
    if found.len() >= FILES_MAX {
        bail!("the workspace has more than {FILES_MAX} files; is this the right directory?");
    }
    let mut text = String::new();
    if known {
        let bytes = std::fs::metadata(path).with_context(|| format!("cannot open `{relative}`"))?.len();
        if bytes > FILE_BYTES_MAX {
            bail!("`{relative}` has {bytes} bytes, the limit for a definition is {FILE_BYTES_MAX}; split it");
        }
        let raw = std::fs::read(path).with_context(|| format!("cannot read `{relative}`"))?;
        text = String::from_utf8(raw).with_context(|| format!("`{relative}` is not UTF-8 text; save it as UTF-8"))?;
    }
    found.insert(relative, text);
    Ok(())
}

fn relative(root: &Path, path: &Path) -> anyhow::Result<String> {
    let relative = path.strip_prefix(root).context("an entry of a directory lies in it")?;
    let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
    Ok(parts.with_context(|| format!("the name `{}` is not UTF-8; rename it", path.display()))?.join("/"))
}

/// A workspace without errors, ready to run.
///
/// # Errors
/// When it cannot be read or has errors; they are printed to standard error.
pub fn definitions(directory: &Path) -> anyhow::Result<Arc<Definitions>> {
    let files = files(directory)?;
    let Outcome { definitions, findings } = workspace::read(&files);
    if let Some(definitions) = definitions {
        return Ok(Arc::new(definitions));
    }
    let errors: Vec<&Finding> = findings.iter().filter(|finding| finding.problem.severity == Severity::Error).collect();
    let colours = if Paint::for_stderr().on { Colours::On } else { Colours::Off };
    for finding in &errors {
        let text = files.0.get(&finding.file).map_or("", String::as_str);
        // Nobody is left to be told when standard error is closed.
        let _ = writeln!(std::io::stderr(), "{}", workspace::render(finding, text, colours));
    }
    let count = if errors.len() == 1 { "an error".to_owned() } else { format!("{} errors", errors.len()) };
    bail!("the workspace `{}` has {count}; mend what `faden check {}` shows", directory.display(), directory.display())
}
