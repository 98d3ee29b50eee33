//! A disk in memory that loses, tears, flips, fills up and refuses when it is told to.
//!
//! What it promises is what a careful reader of POSIX may rely on, and no more. Until `sync_data`
//! each sector of 512 bytes a write touched may hold, after a crash, its old bytes or those of any
//! moment since, independently of all others. Until `sync_dir` each name that was made, changed or
//! removed may be as before. A sync that failed has marked its bytes clean without writing them: a
//! later sync does not bring them back. Sectors are written whole, as disks promise.
//!
//! It has no randomness of its own: whoever crashes it chooses.

use super::{Disk, DiskFile};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

/// The piece that a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

/// Files in memory. A clone is another handle to the same disk, as a test keeps one over a restart.
#[derive(Clone, Default)]
pub struct MemoryDisk {
    shared: Arc<Mutex<Contents>>,
}

#[derive(Default)]
struct Contents {
    files: BTreeMap<u64, Bytes>,
    names: BTreeMap<PathBuf, u64>,
    durable_names: BTreeMap<PathBuf, u64>,
    /// Changes of names that are not durable yet; the parts of one change happen together.
    pending_names: Vec<Vec<(PathBuf, Option<u64>)>>,
    files_made: u64,
    /// Handles of an earlier life of the machine are dead.
    life: u64,
    capacity: Option<u64>,
    fail_next_sync: bool,
    operations: u64,
    stop_at: Option<u64>,
}

/// One file.
#[derive(Default)]
struct Bytes {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// By sector number, for the sectors that differ from the durable ones.
    pending: BTreeMap<usize, Pending>,
}

struct Pending {
    /// What the sector held after each write since it was durable.
    images: Vec<[u8; SECTOR_BYTES]>,
    /// A sync writes it; false after a sync that failed.
    dirty: bool,
}

impl MemoryDisk {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Power goes and comes back. `choose(n)` picks one of `n` outcomes, from 0, for every sector and
    /// name that was not durable, in a fixed order; 0 is the old content. Open handles are dead.
    ///
    /// # Panics
    /// If `choose` picks an outcome that does not exist.
    pub fn crash(&self, choose: &mut dyn FnMut(usize) -> usize) {
        let mut contents = self.lock();
        for change in std::mem::take(&mut contents.pending_names) {
            if choose(2) == 1 {
                for (path, inode) in change {
                    set_name(&mut contents.durable_names, path, inode);
                }
            }
        }
        for file in contents.files.values_mut() {
            file.crash(choose);
        }
        contents.names = contents.durable_names.clone();
        let Contents { files, names, .. } = &mut *contents;
        files.retain(|inode, _| names.values().any(|named| named == inode));
        contents.life += 1;
        contents.stop_at = None;
        contents.fail_next_sync = false;
    }

    /// The program is killed and the system lives on: nothing is lost, open handles are dead.
    pub fn kill(&self) {
        let mut contents = self.lock();
        contents.life += 1;
        contents.stop_at = None;
    }

    /// The operation after the next `operations` ones that change something, and all later ones, fail
    /// until `crash` or `kill`. A write that fails so may have happened in any part.
    pub fn stop_after(&self, operations: u64) {
        let mut contents = self.lock();
        contents.stop_at = Some(contents.operations + operations);
    }

    /// Operations so far that change something: writes, syncs, names.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// From now on files may take this many bytes together; `None` is no limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.lock().capacity = bytes;
    }

    /// The next `sync_data` fails and forgets what it should have written.
    pub fn fail_next_sync(&self) {
        self.lock().fail_next_sync = true;
    }

    /// Turns one bit of a file over, as a rotting disk does. Bits count from the first byte's lowest.
    ///
    /// # Panics
    /// If there is no such file or no such bit.
    pub fn flip_bit(&self, path: &Path, bit: u64) {
        let mut contents = self.lock();
        let inode = contents.names[path];
        let file = contents.files.get_mut(&inode).expect("every name has a file");
        let (at, mask) = (usize::try_from(bit / 8).expect("files in memory are small"), 1 << (bit % 8));
        file.now[at] ^= mask;
        if let Some(byte) = file.durable.get_mut(at) {
            *byte ^= mask;
        }
        if let Some(pending) = file.pending.get_mut(&(at / SECTOR_BYTES)) {
            for image in &mut pending.images {
                image[at % SECTOR_BYTES] ^= mask;
            }
        }
    }

    /// The bytes of a file as the running system sees them.
    #[must_use]
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let contents = self.lock();
        contents.names.get(path).map(|inode| contents.files[inode].now.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.shared.lock().expect("no holder of this lock panics")
    }

    fn handle(&self, contents: &Contents, inode: u64) -> Box<dyn DiskFile> {
        Box::new(Handle { disk: self.clone(), inode, life: contents.life })
    }
}

impl Contents {
    /// Counts an operation that changes something; an error once the machine has stopped.
    fn operate(&mut self) -> io::Result<()> {
        let stopped = self.stop_at.is_some_and(|at| self.operations >= at);
        self.operations += 1;
        if stopped { Err(io::Error::other("the machine has stopped")) } else { Ok(()) }
    }

    fn rename_all(&mut self, change: Vec<(PathBuf, Option<u64>)>) {
        for (path, inode) in &change {
            set_name(&mut self.names, path.clone(), *inode);
        }
        self.pending_names.push(change);
    }

    fn inode(&self, path: &Path) -> io::Result<u64> {
        self.names.get(path).copied().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn has_room(&self, inode: u64, length: usize) -> bool {
        let grown = length.saturating_sub(self.files[&inode].now.len());
        let used: usize = self.names.values().map(|inode| self.files[inode].now.len()).sum();
        self.capacity.is_none_or(|capacity| (used + grown) as u64 <= capacity)
    }
}

fn set_name(names: &mut BTreeMap<PathBuf, u64>, path: PathBuf, inode: Option<u64>) {
    match inode {
        Some(inode) => names.insert(path, inode),
        None => names.remove(&path),
    };
}

impl Bytes {
    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if self.now.len() < end {
            self.now.resize(end, 0);
        }
        self.now[offset..end].copy_from_slice(bytes);
        for sector in offset / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES) {
            let start = sector * SECTOR_BYTES;
            let part = &self.now[start..self.now.len().min(start + SECTOR_BYTES)];
            let mut image = [0; SECTOR_BYTES];
            image[..part.len()].copy_from_slice(part);
            let pending = self.pending.entry(sector).or_insert(Pending { images: Vec::new(), dirty: true });
            pending.images.push(image);
            pending.dirty = true;
        }
    }

    fn sync(&mut self) {
        self.durable.resize(self.now.len(), 0);
        let Bytes { now, durable, pending } = self;
        pending.retain(|sector, pending| {
            if pending.dirty {
                let start = sector * SECTOR_BYTES;
                let end = now.len().min(start + SECTOR_BYTES);
                durable[start..end].copy_from_slice(&now[start..end]);
            }
            !pending.dirty
        });
    }

    fn crash(&mut self, choose: &mut dyn FnMut(usize) -> usize) {
        let mut length = if self.durable.len() < self.now.len() && choose(2) == 1 { self.now.len() } else { self.durable.len() };
        let mut survivor = self.durable.clone();
        survivor.resize(self.now.len(), 0);
        for (sector, pending) in std::mem::take(&mut self.pending) {
            let choice = choose(pending.images.len() + 1);
            if choice > 0 {
                let start = sector * SECTOR_BYTES;
                let end = survivor.len().min(start + SECTOR_BYTES);
                survivor[start..end].copy_from_slice(&pending.images[choice - 1][..end - start]);
                length = length.max(end);
            }
        }
        survivor.truncate(length);
        self.durable = survivor.clone();
        self.now = survivor;
    }
}

impl Disk for MemoryDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let contents = self.lock();
        let inode = contents.inode(path)?;
        Ok(self.handle(&contents, inode))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut contents = self.lock();
        contents.operate()?;
        if contents.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        contents.files_made += 1;
        let inode = contents.files_made;
        contents.files.insert(inode, Bytes::default());
        contents.rename_all(vec![(path.to_owned(), Some(inode))]);
        Ok(self.handle(&contents, inode))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut contents = self.lock();
        contents.operate()?;
        let inode = contents.inode(from)?;
        contents.rename_all(vec![(from.to_owned(), None), (to.to_owned(), Some(inode))]);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut contents = self.lock();
        contents.operate()?;
        contents.inode(path)?;
        contents.rename_all(vec![(path.to_owned(), None)]);
        Ok(())
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self.lock().names.keys().filter(|path| path.parent() == Some(directory)).cloned().collect())
    }

    fn create_dir(&self, _directory: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        let mut contents = self.lock();
        contents.operate()?;
        let (synced, pending) =
            std::mem::take(&mut contents.pending_names).into_iter().partition(|change| change[0].0.parent() == Some(directory));
        contents.pending_names = pending;
        let synced: Vec<Vec<(PathBuf, Option<u64>)>> = synced;
        for (path, inode) in synced.into_iter().flatten() {
            set_name(&mut contents.durable_names, path, inode);
        }
        Ok(())
    }
}

struct Handle {
    disk: MemoryDisk,
    inode: u64,
    life: u64,
}

impl Handle {
    fn lock(&self) -> io::Result<MutexGuard<'_, Contents>> {
        let contents = self.disk.lock();
        if contents.life == self.life { Ok(contents) } else { Err(io::Error::other("this handle is from before the crash")) }
    }

    /// A write that fails because the machine stops is noted all the same: any part may survive.
    fn change(&self, length: usize, change: impl FnOnce(&mut Bytes)) -> io::Result<()> {
        let mut contents = self.lock()?;
        if !contents.has_room(self.inode, length) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let was_stopped = contents.stop_at.is_some_and(|at| contents.operations > at);
        let result = contents.operate();
        if !was_stopped {
            change(contents.files.get_mut(&self.inode).expect("a live handle has a file"));
        }
        result
    }
}

impl DiskFile for Handle {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let contents = self.lock()?;
        let file = &contents.files[&self.inode].now;
        let start = usize::try_from(offset).map_or(file.len(), |offset| offset.min(file.len()));
        let count = buffer.len().min(file.len() - start);
        buffer[..count].copy_from_slice(&file[start..start + count]);
        Ok(count)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        self.change(offset + bytes.len(), |file| file.write(offset, bytes))
    }

    fn preallocate(&self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        self.change(length, |file| {
            let from = file.now.len();
            file.write(from, &vec![0; length.saturating_sub(from)]);
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut contents = self.lock()?;
        contents.operate()?;
        let fails = std::mem::take(&mut contents.fail_next_sync);
        let file = contents.files.get_mut(&self.inode).expect("a live handle has a file");
        if fails {
            for pending in file.pending.values_mut() {
                pending.dirty = false;
            }
            return Err(io::Error::other("the disk reported a write error"));
        }
        file.sync();
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.lock()?.files[&self.inode].now.len() as u64)
    }
}
