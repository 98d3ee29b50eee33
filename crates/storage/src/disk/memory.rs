//! A disk in memory that can lose, tear, flip and fill up.
/// See `crash`.
#[derive(Clone, Default)]
pub struct MemoryDisk;
