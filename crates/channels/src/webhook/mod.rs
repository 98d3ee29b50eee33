//! Webhooks out, signed as Standard Webhooks 1.0.0 says, and the check of such a signature on calls to us.
//!
//! The receiver's HTTP status decides; its body is not read. `webhook-id` is the message's id, the same on every
//! retry, so that a receiver can take each message once.

mod send;
mod settings;
mod sign;
#[cfg(test)]
mod tests;

pub use send::Webhook;
pub use settings::{Endpoint, Settings};
pub use sign::{Key, verify};
