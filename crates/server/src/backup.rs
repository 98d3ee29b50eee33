//! Backups: everything of a data directory as one packed archive, taken while the server runs.
//!
//! Between two groups the keeper writes a checkpoint, takes a view of the store and a copy of the log's last
//! segment; all else happens beside it. The view says up to where the state goes, the log goes at least as far,
//! so a restored server applies the rest and comes to the same decisions. Messages that went out after the
//! backup are not known to be sent there: `docs/backup.md` says what to do about it.

use crate::state::App;
use faden_runtime::{Node, NodeError};
use faden_storage::store::Store;
use faden_storage::{FjallStore, StoreOptions, snapshot};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// The state's place in the archive.
const STORE: &str = "store.snapshot";
/// Files of the data directory that go along as they are.
const FILES: [&str; 4] = ["keys.json", "audit.ndjson", "dead_letters.ndjson", "signing.key"];

/// Why there is no backup, or no restored directory.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("cannot read or write `{}`; look at the disk and at the directory's owner", path.display())]
    Disk {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the server cannot write its state right now; `/readyz` says why")]
    NotReady,
    #[error(transparent)]
    Node(#[from] NodeError),
    #[error(transparent)]
    Snapshot(#[from] snapshot::SnapshotError),
    #[error("`{}` is not empty; restore into a new directory", path.display())]
    NotEmpty { path: PathBuf },
    #[error("the archive lacks `{0}`; it is not a backup, or it is cut off")]
    Lacks(&'static str),
}

/// What a moment of the server is made of.
struct Moment {
    view: Box<dyn Store>,
    /// Segments that are written to no more.
    whole: Vec<PathBuf>,
    /// The last segment and its copy.
    last: (PathBuf, PathBuf),
}

fn disk(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Disk { path, source }
}

fn moment(node: &mut Node, scratch: &Path) -> Result<Moment, BackupError> {
    node.settle_keeping_log()?;
    let (Some(store), Some(log)) = (node.store(), node.log_readers()) else { return Err(BackupError::NotReady) };
    let view = store.lock().view();
    let mut whole = log.files();
    let last = whole.pop().ok_or(BackupError::NotReady)?;
    let copy = scratch.join("last.log");
    std::fs::copy(&last, &copy).map_err(disk(&copy))?;
    Ok(Moment { view, whole, last: (last, copy) })
}

/// Writes a backup of the running server into `out`. Runs on a thread that may wait.
///
/// # Errors
/// [`BackupError`]; what was written then is no backup.
pub fn write(app: &App, runtime: &tokio::runtime::Handle, out: impl Write) -> Result<(), BackupError> {
    let scratch = app.data.join("backup.part");
    // Left over from one that was broken off.
    let _ = std::fs::remove_dir_all(&scratch);
    std::fs::create_dir_all(&scratch).map_err(disk(&scratch))?;
    let written = pack(app, runtime, &scratch, out);
    let removed = std::fs::remove_dir_all(&scratch).map_err(disk(&scratch));
    written.and(removed)
}

fn pack(app: &App, runtime: &tokio::runtime::Handle, scratch: &Path, out: impl Write) -> Result<(), BackupError> {
    let place = scratch.to_owned();
    let moment = runtime.block_on(app.keeper.look(move |node| moment(node, &place))).map_err(|_| BackupError::NotReady)??;
    let store = scratch.join(STORE);
    let mut file = BufWriter::new(File::create(&store).map_err(disk(&store))?);
    snapshot::export(&*moment.view, &mut file)?;
    file.into_inner().map_err(|error| error.into_error()).map_err(disk(&store))?;
    let packed = GzEncoder::new(out, Compression::fast());
    let mut archive = tar::Builder::new(packed);
    let mut add = |path: &Path, name: String| archive.append_path_with_name(path, name).map_err(disk(path));
    add(&store, STORE.to_owned())?;
    let segment = |path: &Path| format!("log/{}", path.file_name().unwrap_or_default().to_string_lossy());
    for path in &moment.whole {
        add(path, segment(path))?;
    }
    add(&moment.last.1, segment(&moment.last.0))?;
    for name in FILES {
        let path = app.data.join(name);
        if path.exists() {
            add(&path, name.to_owned())?;
        }
    }
    let broken = disk(scratch);
    archive.into_inner().and_then(GzEncoder::finish).map(drop).map_err(broken)
}

/// Makes a data directory out of a backup.
///
/// # Errors
/// [`BackupError`]; the directory is to be deleted then.
pub fn restore(input: impl Read, data: &Path) -> Result<snapshot::Summary, BackupError> {
    let taken = std::fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        return Err(BackupError::NotEmpty { path: data.to_owned() });
    }
    let log = data.join("log");
    std::fs::create_dir_all(&log).map_err(disk(&log))?;
    let mut archive = tar::Archive::new(GzDecoder::new(BufReader::new(input)));
    let mut state = None;
    for entry in archive.entries().map_err(disk(data))? {
        let mut entry = entry.map_err(disk(data))?;
        let name = entry.path().map_err(disk(data))?.to_string_lossy().into_owned();
        let segment = name.strip_prefix("log/").is_some_and(|name| name.ends_with(".log") && !name.contains(['/', '\\']));
        if !segment && name != STORE && !FILES.contains(&name.as_str()) {
            continue;
        }
        let path = data.join(&name);
        let mut file = BufWriter::new(File::create(&path).map_err(disk(&path))?);
        io::copy(&mut entry, &mut file).map_err(disk(&path))?;
        file.into_inner().map_err(|error| error.into_error()).and_then(|file| file.sync_all()).map_err(disk(&path))?;
        if name == STORE {
            state = Some(path);
        }
    }
    let state = state.ok_or(BackupError::Lacks(STORE))?;
    let mut store = FjallStore::open(&StoreOptions::new(data.join("store"))).map_err(snapshot::SnapshotError::from)?;
    let mut file = BufReader::new(File::open(&state).map_err(disk(&state))?);
    let summary = snapshot::import(&mut store, &mut file)?;
    drop(store);
    std::fs::remove_file(&state).map_err(disk(&state))?;
    Ok(summary)
}
