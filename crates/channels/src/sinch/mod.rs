//! SMS and RCS through Sinch's Conversation API: `messages:send` out; delivery reports and replies by webhook.
//!
//! The message's id travels along as `message_metadata`, so that a report names our message even if the answer to
//! the call was lost.

mod inbound;
mod send;
mod settings;
#[cfg(test)]
mod tests;
mod token;

pub use send::Sinch;
pub use settings::{App, Carrier, Settings};
