//! WhatsApp through Meta's Cloud API: texts inside the 24 hours after a customer wrote, approved templates always;
//! statuses and replies by webhook.
//!
//! The message's id travels along as `biz_opaque_callback_data`, so that a status names our message even if the
//! answer to the call was lost.

mod inbound;
mod send;
mod settings;
#[cfg(test)]
mod tests;

pub use send::WhatsApp;
pub use settings::{CloudApi, Settings};
