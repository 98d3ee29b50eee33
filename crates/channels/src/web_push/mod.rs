//! Web push: messages to browsers, encrypted for the one browser (RFC 8291, RFC 8188), signed for its push service
//! (VAPID, RFC 8292), delivered by it (RFC 8030).
//!
//! The address is the subscription as the browser gives it, JSON with `endpoint` and `keys`. The message's id is the
//! topic, so that a repeat takes the place of the message that still waits for the browser.

mod encrypt;
mod receive;
mod send;
mod settings;
#[cfg(test)]
mod tests;
mod vapid;

pub use receive::Receiver;
pub use send::WebPush;
pub use settings::{Settings, Vapid};
