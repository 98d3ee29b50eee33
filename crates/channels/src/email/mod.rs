//! E-mail: out by SMTP with DKIM, in by a small SMTP server of our own.
//!
//! [`Smtp`] writes a mail (`compose`, `dkim`), hands it to the account's server (`client`) and says what the
//! answer means (`reply`). [`Listener`] takes mail for the configured domains; [`read`] makes reports out of
//! bounces and complaints and [`Received`](crate::Received) out of what people wrote (`html`, `quote`).
//! SMTP has no idempotency key: when a connection breaks after the final dot, nobody can know whether the
//! server kept the mail. That is [`NO_ANSWER`], and sending again may repeat the mail.

mod client;
mod compose;
mod dkim;
mod html;
mod listen;
mod mime;
mod quote;
mod read;
mod reply;
mod report;
mod session;
mod settings;
mod smtp;
mod status;
mod wire;

pub use listen::{ListenError, Listener};
pub use read::{Envelope, Ignored, read};
pub use settings::{Dkim, Inlet, InletTls, Server, Settings, Tls};
pub use smtp::Smtp;

/// Code of [`SendError::NoAnswer`](crate::SendError::NoAnswer) when the mail was handed over completely and the
/// answer did not come: it may have been accepted.
pub const NO_ANSWER: &str = "no-answer";
