//! Wire protocols of the channels, one folder each. They carry; they decide nothing.
//!
//! A channel takes an [`Outgoing`] message, rendered and addressed, and hands it to its provider: the answer
//! is [`Accepted`] or a [`SendError`] that says what the caller may do next. What comes back later (receipts,
//! replies) is an [`Inbound`]. Nothing here knows a customer, a journey or a policy, keeps a message, or
//! retries: that is the caller's. Addresses, texts and secrets never appear in a log line or an error.

pub mod email;
pub mod outbound_http;
pub mod settings;
pub mod sinch;
pub mod smpp;
pub mod stop_words;
mod tls;
pub mod twilio;
pub mod web_push;
pub mod webhook;
pub mod whatsapp;

#[cfg(test)]
mod test_http;
#[cfg(test)]
mod test_program;

pub use futures_util::future::BoxFuture;

use faden_model::{MessageId, Receipt, Timestamp};
use std::time::Duration;

/// A message on its way to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Also the idempotency key: the same on every retry.
    pub message: MessageId,
    /// As the channel writes addresses: `ada@example.com`, `+491701234567`, a URL, a push subscription as JSON.
    pub to: String,
    pub content: Content,
}

/// What is said, rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Email(Email),
    /// SMS, RCS and free text inside a WhatsApp session.
    Text(String),
    /// A message form that the provider has approved (WhatsApp, RCS), with its parameters in order.
    Template {
        name: String,
        language: String,
        parameters: Vec<String>,
    },
    Push {
        title: String,
        body: String,
        url: Option<String>,
    },
    /// One event of a webhook; `data` is JSON text.
    Webhook {
        event: String,
        at: Timestamp,
        data: String,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Email {
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
    /// RFC 8058: an address that takes one POST; `List-Unsubscribe` and `List-Unsubscribe-Post` follow from it.
    pub unsubscribe_url: Option<String>,
    /// `Message-ID` of the mail that this one answers.
    pub in_reply_to: Option<String>,
}

/// The provider took it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The provider's own name for the message, where later receipts use it.
    pub provider_id: Option<String>,
}

/// Why a message was not taken; `code` is the provider's or the protocol's, for people and statistics.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// For good: sending this message again here would fail again.
    #[error("the provider refused the message ({code})")]
    Refused { code: String },
    /// The address takes nothing any more; it belongs on the suppression list.
    #[error("the provider does not know the address or it takes no messages any more ({code})")]
    AddressGone { code: String },
    /// Not this message, and not now; others may go. A full mailbox, greylisting, one address too often.
    #[error("the provider does not take the message right now ({code})")]
    Later { code: String, after: Option<Duration> },
    /// Too much at once, whoever it is for; nothing more for that time.
    #[error("the provider asks for a pause ({code})")]
    Throttled { code: String, after: Option<Duration> },
    /// The provider cannot be used now: it cannot be reached, hangs, answers garbage. The message was not taken.
    #[error("the provider cannot be used right now ({code})")]
    Unavailable { code: String },
    /// The message was handed over and no answer came: it may have been taken, and sending it again may repeat it.
    #[error("the provider did not say whether it took the message ({code})")]
    NoAnswer { code: String },
    /// Somebody must act: wrong password, expired key, certificate not trusted.
    #[error("the account does not work ({code}); check its settings and secrets")]
    Account { code: String },
}

/// What came from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inbound {
    Report(Report),
    Message(Received),
}

/// What became of a message that went out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub about: Reference,
    pub receipt: Receipt,
    /// The provider's or the protocol's code.
    pub code: Option<String>,
    /// The address takes nothing any more.
    pub address_gone: bool,
    pub at: Option<Timestamp>,
}

/// Which message a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    Message(MessageId),
    Provider(String),
}

/// Something a customer said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The provider's or the protocol's id: makes a repeat recognisable.
    pub provider_id: String,
    pub from: String,
    pub to: String,
    pub subject: Option<String>,
    pub text: String,
    /// Ids of our messages that it answers, as far as the protocol says.
    pub answers: Vec<MessageId>,
    pub at: Option<Timestamp>,
}

/// An account with a provider, ready to send. One implementation per protocol.
pub trait Channel: Send + Sync {
    /// Hands one message over. Ends within the account's time limit; may be called at the same time from several tasks.
    fn send<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, SendError>>;

    /// For how long after the customer wrote to this account such a content may still be handed over; `None` when it
    /// always may.
    fn session(&self, _content: &Content) -> Option<Duration> {
        None
    }

    /// Reaches the provider and signs in, sends nothing: for `faden doctor`.
    fn check(&self) -> BoxFuture<'_, Result<(), SendError>>;
}

/// Where inbound things go: whoever keeps them. The provider is told that it was taken only after this returned.
pub trait Inbox: Send + Sync {
    fn take(&self, inbound: Inbound) -> BoxFuture<'_, Result<(), NotTaken>>;
}

/// It could not be kept; the provider should try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be taken right now; try again later")]
pub struct NotTaken;

/// A provider's call to us (receipts, replies), as far as a channel needs it to check the signature and read it.
#[derive(Clone, Copy, Debug)]
pub struct InboundCall<'a> {
    pub method: &'a http::Method,
    /// As the provider called it: scheme, host, path and query; some signatures cover it.
    pub url: &'a str,
    pub headers: &'a http::HeaderMap,
    pub body: &'a [u8],
    pub now: Timestamp,
}

/// What to answer a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InboundAnswer {
    /// Take these, then answer 200.
    Take(Vec<Inbound>),
    /// Answer 200 with this text (a provider that checks whether we are there).
    Say(String),
}

/// Why a provider's call was not believed or not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InboundError {
    #[error("the signature is missing or wrong; compare the account's secret with the provider's")]
    Signature,
    #[error("the call is not of the provider's published form")]
    Form,
}
