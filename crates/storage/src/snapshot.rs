//! A consistent store as one checksummed stream: for backups, and to move a partition.
//!
//! ```text
//! header  magic "FADENSNP" | format u32 | log position u64 | crc u32
//! block   length u32, never 0 | crc of block number and bytes u32 | bytes: rows one after another
//! row     table u8 | key length u32 | value length u32 | key | value
//! end     0 u32 | crc of block number and count u32 | count of rows u64
//! ```
//!
//! Integers are little-endian, checksums CRC-32C. Rows are in the order of table number and key. What
//! is behind the end is not looked at. A stream that stops early is an error, not a shorter store.
//!
//! While an import runs the store carries a note of it; until the last row is in, `log_position`
//! refuses, so that half a copy is never taken for a state.

use crate::{
    log::Position,
    store::{Batch, IMPORTING_KEY, LOG_POSITION_KEY, Store, StoreError, Table},
};
use std::{
    io::{self, Read, Write},
    ops::ControlFlow,
};

const MAGIC: [u8; 8] = *b"FADENSNP";
const FORMAT: u32 = 1;
const HEADER_BYTES: usize = 24;

/// Table, and the lengths of key and value.
const ROW_HEAD_BYTES: usize = 9;

/// A block is closed when it reaches this length; a long row makes it longer.
const BLOCK_BYTES: usize = 64 << 10;

/// Bytes of rows that an import commits at once.
const COMMIT_BYTES: usize = 4 << 20;

/// What was written or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The first log position that the state does not contain.
    pub position: Position,
    pub rows: u64,
}

/// What can go wrong with a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("cannot use the state store")]
    Store(#[from] StoreError),
    #[error("cannot write the snapshot; look at the place it goes to and try again")]
    Write { source: io::Error },
    #[error("cannot read the snapshot; look at the place it comes from and try again")]
    Read { source: io::Error },
    #[error("the snapshot is broken in block {block}: {what}; take another copy")]
    Broken { block: u32, what: &'static str },
    #[error("the snapshot has format {format}, which is newer than this program; use the version that wrote it")]
    Newer { format: u32 },
    #[error("the state store has data already; import into an empty directory")]
    NotEmpty,
}

impl SnapshotError {
    /// Stable code; `docs/errors/<code>.md` explains it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            SnapshotError::Store(error) => error.code(),
            SnapshotError::Write { .. } => "store-snapshot-write",
            SnapshotError::Read { .. } => "store-snapshot-read",
            SnapshotError::Broken { .. } => "store-snapshot-broken",
            SnapshotError::Newer { .. } => "store-snapshot-newer",
            SnapshotError::NotEmpty => "store-snapshot-not-empty",
        }
    }
}

/// Writes all of `store`. The caller holds the store, so nothing changes meanwhile.
///
/// # Errors
/// [`SnapshotError::Store`], [`SnapshotError::Write`].
pub fn export(store: &dyn Store, out: &mut dyn Write) -> Result<Summary, SnapshotError> {
    let position = store.log_position()?;
    let mut writer = Blocks { out, bytes: Vec::new(), number: 0, rows: 0 };
    writer.write(&header(position))?;
    for table in Table::ALL {
        let mut failure = None;
        store.scan(table, &[], &[], &mut |key, value| match writer.row(table, key, value) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        })?;
        if let Some(error) = failure {
            return Err(error);
        }
    }
    writer.finish()?;
    Ok(Summary { position, rows: writer.rows })
}

/// Fills the empty `store` with what `export` wrote, and flushes it.
///
/// # Errors
/// Any; the store then refuses to be used and its directory is to be deleted.
pub fn import(store: &mut dyn Store, input: &mut dyn Read) -> Result<Summary, SnapshotError> {
    for table in Table::ALL {
        let mut empty = true;
        store.scan(table, &[], &[], &mut |_, _| {
            empty = false;
            ControlFlow::Break(())
        })?;
        if !empty {
            return Err(SnapshotError::NotEmpty);
        }
    }
    let position = read_header(input)?;
    let mut batch = Batch::new();
    batch.put(Table::Meta, IMPORTING_KEY, &[]);
    let mut last_key: Option<(Table, Vec<u8>)> = None;
    let (mut block, mut rows) = (0, 0);
    loop {
        let length = u32::from_le_bytes(read_array(input, block)?) as usize;
        let crc = u32::from_le_bytes(read_array(input, block)?);
        let mut bytes = Vec::new();
        let wanted = if length == 0 { size_of::<u64>() } else { length };
        input.take(wanted as u64).read_to_end(&mut bytes).map_err(|source| SnapshotError::Read { source })?;
        let broken = |what| SnapshotError::Broken { block, what };
        if bytes.len() < wanted {
            return Err(broken("it ends early"));
        }
        if crc != block_crc(block, &bytes) {
            return Err(broken("its checksum is wrong"));
        }
        if length == 0 {
            if bytes != u64::to_le_bytes(rows) {
                return Err(broken("the number of rows is wrong"));
            }
            break;
        }
        rows += take_rows(&bytes, &mut last_key, &mut batch).map_err(broken)?;
        if batch.bytes() >= COMMIT_BYTES {
            store.commit(&batch)?;
            batch.clear();
        }
        block += 1;
    }
    batch.delete(Table::Meta, IMPORTING_KEY);
    batch.set_log_position(position);
    store.commit(&batch)?;
    store.flush()?;
    Ok(Summary { position, rows })
}

/// Puts the rows of a block into the batch; the log position waits for the end.
fn take_rows(mut bytes: &[u8], last_key: &mut Option<(Table, Vec<u8>)>, batch: &mut Batch) -> Result<u64, &'static str> {
    let mut rows = 0;
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_first_chunk::<ROW_HEAD_BYTES>().ok_or("a row ends early")?;
        let length = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
        let table = Table::from_number(head[0]).ok_or("it has a table that this program does not know")?;
        let (key, rest) = rest.split_at_checked(length(1)).ok_or("a row ends early")?;
        let (value, rest) = rest.split_at_checked(length(5)).ok_or("a row ends early")?;
        let after_last = last_key.as_ref().is_none_or(|last| (last.0, &last.1[..]) < (table, key));
        if key.is_empty() || !after_last {
            return Err("its rows are not in order");
        }
        *last_key = Some((table, key.to_vec()));
        if (table, key) != (Table::Meta, LOG_POSITION_KEY) {
            batch.put(table, key, value);
        }
        rows += 1;
        bytes = rest;
    }
    Ok(rows)
}

fn header(position: Position) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[12..20].copy_from_slice(&position.0.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..20]);
    bytes[20..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn read_header(input: &mut dyn Read) -> Result<Position, SnapshotError> {
    let bytes: [u8; HEADER_BYTES] = read_array(input, 0)?;
    let mut position = [0; 8];
    position.copy_from_slice(&bytes[12..20]);
    let position = Position(u64::from_le_bytes(position));
    let format = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
    let intact = bytes[..8] == MAGIC && bytes[20..] == crc32c::crc32c(&bytes[..20]).to_le_bytes();
    match (intact, format) {
        (false, _) => Err(SnapshotError::Broken { block: 0, what: "it does not begin as a snapshot does" }),
        (true, FORMAT) => Ok(position),
        (true, _) => Err(SnapshotError::Newer { format }),
    }
}

fn read_array<const N: usize>(input: &mut dyn Read, block: u32) -> Result<[u8; N], SnapshotError> {
    let mut bytes = [0; N];
    match input.read_exact(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(SnapshotError::Broken { block, what: "it ends early" }),
        Err(source) => Err(SnapshotError::Read { source }),
    }
}

/// The number goes in so that no block can stand in another's place.
fn block_crc(number: u32, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&number.to_le_bytes()), bytes)
}

struct Blocks<'a> {
    out: &'a mut dyn Write,
    bytes: Vec<u8>,
    number: u32,
    rows: u64,
}

impl Blocks<'_> {
    fn row(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), SnapshotError> {
        let length = |part: &[u8]| u32::try_from(part.len()).expect("keys and values are below 4 GiB").to_le_bytes();
        self.bytes.push(table.number());
        self.bytes.extend_from_slice(&length(key));
        self.bytes.extend_from_slice(&length(value));
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        self.rows += 1;
        if self.bytes.len() >= BLOCK_BYTES { self.block() } else { Ok(()) }
    }

    fn block(&mut self) -> Result<(), SnapshotError> {
        let bytes = std::mem::take(&mut self.bytes);
        let length = u32::try_from(bytes.len()).expect("a row is far below 4 GiB");
        self.write(&length.to_le_bytes())?;
        self.write(&block_crc(self.number, &bytes).to_le_bytes())?;
        self.write(&bytes)?;
        self.number += 1;
        self.bytes = bytes;
        self.bytes.clear();
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SnapshotError> {
        if !self.bytes.is_empty() {
            self.block()?;
        }
        let rows = self.rows.to_le_bytes();
        self.write(&0_u32.to_le_bytes())?;
        self.write(&block_crc(self.number, &rows).to_le_bytes())?;
        self.write(&rows)?;
        self.out.flush().map_err(|source| SnapshotError::Write { source })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        self.out.write_all(bytes).map_err(|source| SnapshotError::Write { source })
    }
}
