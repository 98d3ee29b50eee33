//! `--watch`: runs again whenever a file of the workspace is written, added or gone.

use super::{Arguments, once};
use crate::Ending;
use crate::terminal::{self, Paint};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Between two looks at the directory; below what people notice.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Deepest folder that is looked into; a workspace has fewer.
const DEPTH_MAX: usize = 6;

type Stamps = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// Ends only when it is stopped or nobody reads its output any more.
pub fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    loop {
        // Taken before the run, so that what is written meanwhile is not missed.
        let seen = stamps(&arguments.directory);
        match once(arguments) {
            Ok(_) => {}
            Err(error) if terminal::is_closed_pipe(&error) => return Err(error),
            Err(error) => terminal::complain(&error),
        }
        writeln!(std::io::stderr(), "{}", Paint::for_stderr().dim("waiting for a change; stop with Ctrl-C"))?;
        while stamps(&arguments.directory) == seen {
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

fn stamps(directory: &Path) -> Stamps {
    let mut found = Stamps::new();
    walk(directory, 0, &mut found);
    found
}

/// What cannot be read is left out: the run itself says what is wrong with it.
fn walk(directory: &Path, depth: usize, found: &mut Stamps) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(about) = std::fs::metadata(&path) else { continue };
        if about.is_dir() && depth < DEPTH_MAX {
            walk(&path, depth + 1, found);
        } else {
            found.insert(path, (about.modified().ok(), about.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_added_or_gone_is_noticed() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("scenarios/a.scenario.yaml");
        std::fs::create_dir(directory.path().join("scenarios")).expect("a folder");
        let mut seen = stamps(directory.path());
        for content in [Some("a"), Some("longer"), None] {
            match content {
                Some(content) => std::fs::write(&file, content).expect("a file"),
                None => std::fs::remove_file(&file).expect("the file"),
            }
            let now = stamps(directory.path());
            assert_ne!(now, seen, "{content:?}");
            seen = now;
        }
    }
}
