//! An account over SMPP: texts become parts, parts become jobs of the one session.

use super::address::{self, Address};
use super::inbound::Desk;
use super::link::{c_string, lost};
use super::parts::{self, Parts};
use super::sent::OnTheWay;
use super::session::{Job, What, supervise, unanswered};
use super::settings::Settings;
use crate::settings::{Fault, SettingsError};
use crate::{Accepted, BoxFuture, Channel, Content, Inbox, Outgoing, SendError};
use futures_util::FutureExt;
use futures_util::future::try_join_all;
use rusmpp::pdus::SubmitSm;
use rusmpp::types::OctetString;
use rusmpp::values::{DataCoding, EsmClass, RegisteredDelivery};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

const WITH_HEADER: u8 = 0x40;
/// A receipt of the final outcome, good or bad.
const WITH_RECEIPT: u8 = 0x01;

/// An account of the kind `sms` over SMPP. Signs off when it is dropped.
pub struct Smpp {
    jobs: mpsc::Sender<Job>,
    from: Address,
    limit: Duration,
}

impl Smpp {
    /// Starts the session in a task of its own; it connects at once and stays connected.
    ///
    /// # Errors
    /// [`SettingsError`] for what the protocol cannot carry.
    pub fn start(settings: &Settings, inbox: Arc<dyn Inbox>) -> Result<Smpp, SettingsError> {
        settings.check()?;
        let from = address::source(&settings.from).ok_or(SettingsError { key: "from", fault: Fault::NoSender })?;
        let connection = settings.smpp.clone();
        let tls = match connection.tls {
            true => Some(TlsConnector::from(Arc::new(crate::tls::client_config(connection.trusted_certificates.as_deref())?))),
            false => None,
        };
        let (jobs, work) = mpsc::channel(connection.window);
        let limit = Duration::from_secs(connection.timeout_seconds);
        tokio::spawn(supervise(connection, tls, Desk::new(inbox), work));
        Ok(Smpp { jobs, from, limit })
    }

    async fn submit(&self, message: &Outgoing) -> Result<Accepted, SendError> {
        let refused = |code: &str| SendError::Refused { code: code.to_owned() };
        let Content::Text(text) = &message.content else { return Err(refused("wrong_content")) };
        if text.is_empty() {
            return Err(refused("empty_text"));
        }
        let to = address::destination(&message.to).ok_or_else(|| refused("not_a_number"))?;
        let born = message.message.0;
        // The same on every retry, so that a phone sees a repeated part as repeated.
        let reference = born.under.0.to_le_bytes()[0].wrapping_add(born.count.to_le_bytes()[0]);
        let parts = parts::cut(text, reference).ok_or_else(|| refused("too_long"))?;
        let on_the_way = OnTheWay::new(parts.user_data.len());
        let outcome = timeout(self.limit, self.submit_parts(&to, &parts, &on_the_way)).await;
        // A part may be with the provider.
        let outcome = outcome.unwrap_or_else(|_| Err(unanswered(lost("timeout"))));
        if outcome.is_err() {
            on_the_way.silence();
        }
        outcome
    }

    /// The first alone, because a refusal mostly concerns all; then the others together.
    async fn submit_parts(&self, to: &Address, parts: &Parts, message: &OnTheWay) -> Result<Accepted, SendError> {
        let one = |user_data: &Vec<u8>| {
            let pdu = Box::new(self.pdu(to, parts, user_data));
            self.ask(What::Submit { pdu, message: message.clone() })
        };
        let (first, others) = parts.user_data.split_first().ok_or_else(|| lost("no_parts"))?;
        let id = one(first).await?;
        try_join_all(others.iter().map(one)).await?;
        Ok(Accepted { provider_id: Some(id).filter(|id| !id.is_empty()) })
    }

    fn pdu(&self, to: &Address, parts: &Parts, user_data: &[u8]) -> SubmitSm {
        let header = if parts.user_data.len() > 1 { WITH_HEADER } else { 0 };
        SubmitSm::builder()
            .source_addr_ton(self.from.ton)
            .source_addr_npi(self.from.npi)
            .source_addr(c_string(&self.from.text))
            .dest_addr_ton(to.ton)
            .dest_addr_npi(to.npi)
            .destination_addr(c_string(&to.text))
            .esm_class(EsmClass::from(header))
            .registered_delivery(RegisteredDelivery::from(WITH_RECEIPT))
            .data_coding(DataCoding::from(parts.data_coding))
            .short_message(OctetString::from_slice(user_data).unwrap_or_default())
            .build()
    }

    async fn ask(&self, what: What) -> Result<String, SendError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job { what, answer }).await.map_err(|_| lost("closed"))?;
        answered.await.map_err(|_| lost("closed"))?
    }
}

impl Channel for Smpp {
    fn send<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, SendError>> {
        self.submit(message).boxed()
    }

    /// `enquire_link` on the session that is there, or why there is none.
    fn check(&self) -> BoxFuture<'_, Result<(), SendError>> {
        async { timeout(self.limit, self.ask(What::Check)).await.unwrap_or_else(|_| Err(lost("timeout"))).map(|_| ()) }.boxed()
    }
}
