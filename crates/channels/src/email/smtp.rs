//! The account that sends: a few connections, kept between mails.

use super::client::{self, Connection, Login, Peer};
use super::compose::Letterhead;
use super::settings::{Server, Settings, Tls};
use crate::settings::{Fault, Secret, SettingsError};
use crate::tls::client_config;
use crate::{Accepted, BoxFuture, Channel, Content, Outgoing, SendError};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

/// Servers hang up on idle clients, some after 30 seconds.
const IDLE_MAX: Duration = Duration::from_secs(20);

/// How long a `QUIT` may take.
const GOODBYE_MAX: Duration = Duration::from_secs(2);

/// An e-mail account.
pub struct Smtp {
    letterhead: Letterhead,
    peer: Peer,
    time_limit: Duration,
    /// One permit for each connection there may be.
    permits: Semaphore,
    /// Connections without a mail to carry, and since when.
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl Smtp {
    /// Reads the certificates and the key; connects to nobody yet.
    ///
    /// # Errors
    /// [`SettingsError`] for addresses, a key or certificates that cannot be used.
    pub fn new(settings: &Settings) -> Result<Smtp, SettingsError> {
        let Server { host, port, tls, username, password, timeout_seconds, connections, ca_file, hello } = &settings.smtp;
        let standard_port = match tls {
            Tls::None => 25,
            Tls::Starttls => 587,
            Tls::Tls => 465,
        };
        let login = username.clone().map(|username| Login { username, password: password.clone().unwrap_or_else(|| Secret::new("")) });
        Ok(Smtp {
            letterhead: Letterhead::new(settings)?,
            peer: Peer {
                host: host.clone(),
                port: port.unwrap_or(standard_port),
                tls: *tls,
                connector: connector(ca_file.as_deref())?,
                login,
                hello: hello.clone(),
            },
            time_limit: Duration::from_secs(timeout_seconds.get()),
            permits: Semaphore::new(usize::from(connections.get())),
            idle: Mutex::new(Vec::new()),
        })
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Result<Accepted, SendError> {
        let Content::Email(email) = &outgoing.content else {
            return Err(SendError::Refused { code: "not an e-mail".to_owned() });
        };
        let deadline = Instant::now() + self.time_limit;
        let mail = self.letterhead.write(outgoing.message, &outgoing.to, email, SystemTime::now())?;
        let Ok(permit) = timeout_at(deadline, self.permits.acquire()).await else {
            return Err(SendError::Unavailable { code: "timeout".to_owned() });
        };
        let _permit = permit.expect("the semaphore is never closed");
        let id = outgoing.message.to_string();
        let mut kept = self.take_idle();
        loop {
            let is_fresh = kept.is_none();
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => client::connect(&self.peer, deadline).await?,
            };
            match connection.hand_over(&mail, &id, deadline).await {
                Ok(()) => {
                    self.keep(connection);
                    return Ok(Accepted::default());
                }
                // Nothing was taken yet, and an idle connection may have been hung up: once more, on a new one.
                Err(failure) if !is_fresh && failure.may_be_staleness() => {}
                Err(failure) => {
                    if failure.leaves_connection() {
                        self.keep(connection);
                    }
                    return Err(failure.into());
                }
            }
        }
    }

    async fn sign_in_and_out(&self) -> Result<(), SendError> {
        let connection = client::connect(&self.peer, Instant::now() + self.time_limit).await?;
        connection.quit(Instant::now() + GOODBYE_MAX).await;
        Ok(())
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE_MAX);
        idle.pop().map(|(connection, _)| connection)
    }

    fn keep(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((connection, Instant::now()));
    }
}

impl Channel for Smtp {
    fn send<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, SendError>> {
        Box::pin(self.deliver(message))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(self.sign_in_and_out())
    }
}

fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, SettingsError> {
    let wrong = |fault| SettingsError { key: "smtp.ca_file", fault };
    let own = ca_file.map(fs::read_to_string).transpose().map_err(|_| wrong(Fault::FileUnreadable))?;
    let config = client_config(own.as_deref()).map_err(|_| wrong(Fault::FileWithoutCertificate))?;
    Ok(TlsConnector::from(Arc::new(config)))
}
