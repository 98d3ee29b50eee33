//! SMS through Twilio: the `Messages` resource out; status callbacks and replies as Twilio's webhooks.

mod inbound;
mod send;
mod settings;
#[cfg(test)]
mod tests;

pub use send::Twilio;
pub use settings::{Account, Settings};
