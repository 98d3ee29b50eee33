//! The door for inbound mail: accepts connections, a limited number of them, until it is told to stop.

use super::read::read_any;
use super::session::{self, Rules};
use super::settings::{Inlet, InletTls};
use super::wire::Wire;
use crate::Inbox;
use crate::settings::{Fault, SettingsError};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// How long conversations may still take after the listener was told to stop.
const FAREWELL_MAX: Duration = Duration::from_secs(5);
/// When the system cannot accept (too many open files), it will not be able to at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why a listener cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("cannot listen for mail on `{address}`; choose a free address and port that this process may use")]
    Bind {
        address: String,
        #[source]
        source: io::Error,
    },
}

impl ListenError {
    pub fn code(&self) -> &'static str {
        match self {
            ListenError::Settings(error) => error.code(),
            ListenError::Bind { .. } => "mail-listen",
        }
    }
}

/// Listens for mail to the configured domains and addresses, and for nothing else.
pub struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    rules: Rules,
    permits: Arc<Semaphore>,
}

impl Listener {
    /// # Errors
    /// [`ListenError`].
    pub async fn bind(inlet: &Inlet) -> Result<Listener, ListenError> {
        let cannot = |source| ListenError::Bind { address: inlet.listen.clone(), source };
        let acceptor = inlet.tls.as_ref().map(acceptor).transpose()?;
        let tcp = TcpListener::bind(&inlet.listen).await.map_err(cannot)?;
        let address = tcp.local_addr().map_err(cannot)?;
        let permits = Arc::new(Semaphore::new(usize::from(inlet.connections.get())));
        Ok(Listener { tcp, address, rules: Rules::new(inlet, acceptor), permits })
    }

    /// Also what programs wrote, our own mails among it, becomes a message: a mailbox to look into.
    pub fn take_any(mut self) -> Listener {
        self.rules.read = read_any;
        self
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`; then no new mail is begun, and what is under way has a few seconds.
    pub async fn run(self, inbox: Arc<dyn Inbox>, stop: CancellationToken) {
        let rules = Arc::new(self.rules);
        let mut sessions = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.tcp.accept() => accepted,
                Some(_) = sessions.join_next() => continue,
            };
            match accepted {
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection for mail, will go on");
                    sleep(ACCEPT_PAUSE).await;
                }
                Ok((tcp, _)) => {
                    let _ = tcp.set_nodelay(true);
                    match Arc::clone(&self.permits).try_acquire_owned() {
                        Err(_) => drop(sessions.spawn(turn_away(tcp))),
                        Ok(permit) => {
                            let (rules, inbox, stop) = (Arc::clone(&rules), Arc::clone(&inbox), stop.clone());
                            sessions.spawn(async move {
                                session::serve(Wire::new(Box::new(tcp)), &rules, inbox.as_ref(), &stop).await;
                                drop(permit);
                            });
                        }
                    }
                }
            }
        }
        // Whoever listens next may have the address at once.
        drop(self.tcp);
        let _ = timeout(FAREWELL_MAX, async { while sessions.join_next().await.is_some() {} }).await;
    }
}

async fn turn_away(tcp: TcpStream) {
    let deadline = Instant::now() + FAREWELL_MAX;
    let mut wire = Wire::new(Box::new(tcp));
    let _ = wire.write(b"421 4.7.0 too many connections, try again later\r\n", deadline).await;
    wire.close(deadline).await;
}

fn acceptor(tls: &InletTls) -> Result<TlsAcceptor, SettingsError> {
    let InletTls { certificate_file, key_file } = tls;
    let wrong = |key, fault| SettingsError { key, fault };
    let certificates = CertificateDer::pem_file_iter(certificate_file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(|_| wrong("inbound.tls.certificate_file", Fault::FileUnreadable))?;
    let key = PrivateKeyDer::from_pem_file(key_file);
    let key = key.map_err(|_| wrong("inbound.tls.key_file", Fault::FileWithoutKey))?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has the default versions")
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|_| wrong("inbound.tls.key_file", Fault::OtherKey))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
