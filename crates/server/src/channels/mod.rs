//! Sending: the outbox on its way to the channels' accounts.
//!
//! Each account has a queue and workers of its own, so one that is down stops nobody else. A worker takes a
//! message, asks the keeper whether it may still go (`claim`), renders it, hands it over, and writes what
//! came of it into the log before it takes the next one. What was handed over and not yet written down is at
//! most one message per worker: that is all that a crash can repeat, and the message's id goes along as the
//! idempotency key, so a provider that honours it repeats nothing.

mod accounts;
mod build;
mod claim;
mod render;
mod routing;
mod session;
mod test_message;
mod worker;

pub use accounts::{AccountHealth, AccountState, Channels};
pub use routing::measure;
pub use test_message::send_test;

use crate::state::App;
use faden_model::MessageId;
use tokio::sync::mpsc;

/// Takes messages from the keeper and puts each into the queue of its account, for as long as the server runs.
pub async fn dispatch(app: App, mut outbox: mpsc::UnboundedReceiver<MessageId>) {
    while let Some(message) = outbox.recv().await {
        let row = app.keeper.look(move |node| {
            let store = node.store().cloned();
            node.views().and_then(|views| views.message(message, store.as_ref())).map(|row| (row.channel, row.country))
        });
        // A message without a row was never decided; while the node is down its outbox comes again.
        if let Ok(Some((channel, country))) = row.await {
            app.channels.queue(&channel, country, message);
        }
    }
}
