//! The loop of one node: read, apply, commit, hand out work. No async, no HTTP, no clock.
//!
//! - [`Node`]: the identity stream and its partitions in one thread, with or without a durable home.
//! - [`Partition`]: one partition with its numbered letters, for threads and for the simulator.
//! - [`threads`]: many partitions, a thread each.
//! - [`views`]: what people look up later.
//! - [`DecisionHash`]: what makes two runs comparable.

mod checkpoint;
mod hash;
mod look;
mod node;
mod partition;
pub mod threads;
pub mod views;

pub use checkpoint::SharedStore;
pub use hash::DecisionHash;
pub use node::{Node, NodeError, Options};
pub use partition::{FRONT, Parcel, Partition};
