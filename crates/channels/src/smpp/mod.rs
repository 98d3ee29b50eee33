//! SMS over SMPP 3.4: one session that stays connected, for sending, receipts and replies.
//!
//! PDUs are `rusmpp`'s; the session (bind, window, rate, `enquire_link`, reconnect) is here. A message of several
//! parts is accepted under its first part's id and reported once. At least once: what was sent when the connection
//! broke may have been taken, and what was not answered comes again.

mod address;
mod alphabet;
mod assembly;
mod inbound;
mod link;
mod parts;
mod receipt;
mod send;
mod sent;
mod session;
mod settings;
mod status;
#[cfg(test)]
mod tests;

pub use send::Smpp;
pub use settings::{Connection, Settings};
