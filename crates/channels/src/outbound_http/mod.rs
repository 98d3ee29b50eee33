//! The one HTTP client with which all providers and webhooks are called.
//!
//! In: a request and a time limit for all of it. Out: the answer's head, and its body up to [`MAX_ANSWER`].
//! It calls the address that was written and no other: no proxy from the environment, no redirect is followed,
//! and with [`Reach::Public`] neither a literal address nor a name may lead into a private network
//! (see `address.rs`), so that a URL written by a user cannot be used to look around inside.

mod address;
#[cfg(test)]
mod tests;

use crate::SendError;
use crate::settings::SettingsError;
use futures_util::FutureExt;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::error::Error as StdError;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, timeout_at};

/// Longest body of an answer that is read.
pub const MAX_ANSWER: usize = 256 * 1024;

/// A server that cannot be connected to in this time is down.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

const USER_AGENT: &str = concat!("Faden/", env!("CARGO_PKG_VERSION"));

/// Which addresses may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Addresses of the public internet only.
    Public,
    /// Private networks and this machine too.
    Anywhere,
}

/// Shared by all accounts of one reach; cheap to clone.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    reach: Reach,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error("the address lies in a private network; allow private addresses for this account if that is meant")]
    PrivateAddress,
    #[error("the URL cannot be called; write http:// or https:// and a host")]
    Url,
    #[error("the server's certificate is not trusted; check its name and its issuer")]
    Certificate,
    #[error("the server cannot be connected to")]
    Connect,
    #[error("the server did not answer in time")]
    Timeout,
    #[error("the server's answer is broken")]
    Broken,
    #[error("the server's answer is too long")]
    TooLong,
}

impl CallError {
    /// A word for statistics, as providers' codes are.
    pub fn word(self) -> &'static str {
        match self {
            CallError::PrivateAddress => "private_address",
            CallError::Url => "url",
            CallError::Certificate => "certificate",
            CallError::Connect => "connect",
            CallError::Timeout => "timeout",
            CallError::Broken => "broken_answer",
            CallError::TooLong => "long_answer",
        }
    }
}

/// Why a call failed that hands a message over to a provider without an idempotency key: from the moment in which
/// the request was on its way, the provider may have taken it.
pub fn handing_over(error: CallError) -> SendError {
    match error {
        CallError::Timeout | CallError::Broken | CallError::TooLong => SendError::NoAnswer { code: error.word().to_owned() },
        before => SendError::from(before),
    }
}

/// The provider said that it took the message, and nobody can read under which name.
pub fn unreadable() -> SendError {
    handing_over(CallError::Broken)
}

impl From<CallError> for SendError {
    fn from(error: CallError) -> SendError {
        let code = error.word().to_owned();
        match error {
            CallError::PrivateAddress | CallError::Url | CallError::Certificate => SendError::Account { code },
            CallError::Connect | CallError::Timeout | CallError::Broken | CallError::TooLong => SendError::Unavailable { code },
        }
    }
}

impl Http {
    /// `own_roots`: PEM text with certificates that are trusted beside the public ones.
    ///
    /// # Errors
    /// [`SettingsError`] when `own_roots` cannot be read.
    pub fn new(reach: Reach, own_roots: Option<&str>) -> Result<Http, SettingsError> {
        let mut tls = crate::tls::client_config(own_roots)?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_LIMIT)
            .user_agent(USER_AGENT);
        let builder = match reach {
            Reach::Public => builder.dns_resolver(PublicOnly),
            Reach::Anywhere => builder,
        };
        let client = builder.build().expect("the TLS configuration is rustls' and the user agent is ASCII");
        Ok(Http { client, reach })
    }

    /// Sends the request and reads the answer's head; head and body together have `limit`.
    ///
    /// # Errors
    /// [`CallError`] when no head came.
    pub async fn call(&self, request: http::Request<Vec<u8>>, limit: Duration) -> Result<Answer, CallError> {
        let request = reqwest::Request::try_from(request).map_err(|_| CallError::Url)?;
        let host = request.url().host_str().ok_or(CallError::Url)?;
        let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
        if self.reach == Reach::Public && literal.is_ok_and(|address| !address::is_public(address)) {
            return Err(CallError::PrivateAddress);
        }
        let until = Instant::now() + limit;
        match timeout_at(until, self.client.execute(request)).await {
            Ok(Ok(response)) => Ok(Answer { response, until }),
            Ok(Err(error)) => Err(why(&error)),
            Err(_) => Err(CallError::Timeout),
        }
    }
}

/// The head of an answer; the body is read on demand.
pub struct Answer {
    response: reqwest::Response,
    until: Instant,
}

impl Answer {
    pub fn status(&self) -> http::StatusCode {
        self.response.status()
    }

    pub fn headers(&self) -> &http::HeaderMap {
        self.response.headers()
    }

    /// # Errors
    /// [`CallError`] when the body breaks off, takes too long or is longer than [`MAX_ANSWER`].
    pub async fn body(mut self) -> Result<Vec<u8>, CallError> {
        let mut body = Vec::new();
        loop {
            match timeout_at(self.until, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) if body.len() + chunk.len() > MAX_ANSWER => return Err(CallError::TooLong),
                Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
                Ok(Ok(None)) => return Ok(body),
                Ok(Err(error)) => return Err(why(&error)),
                Err(_) => return Err(CallError::Timeout),
            }
        }
    }

    /// How long the server asks us to wait: `Retry-After` in seconds or as a date.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.headers().get(http::header::RETRY_AFTER)?.to_str().ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        read_retry_after(text, now.as_secs())
    }
}

/// What a status without a code of the provider's own lets the caller do next.
pub fn error_by_status(status: http::StatusCode, after: Option<Duration>, code: String) -> SendError {
    match status.as_u16() {
        401 | 403 => SendError::Account { code },
        429 => SendError::Throttled { code, after },
        408 | 425 => SendError::Unavailable { code },
        400..=499 => SendError::Refused { code },
        _ => SendError::Unavailable { code },
    }
}

fn read_retry_after(text: &str, now: u64) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = mail_parser::DateTime::parse_rfc822(text).filter(mail_parser::DateTime::is_valid)?.to_timestamp();
    Some(Duration::from_secs(u64::try_from(at).ok()?.saturating_sub(now)))
}

fn why(error: &reqwest::Error) -> CallError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(this) = cause {
        if this.is::<NoPublicAddress>() {
            return CallError::PrivateAddress;
        }
        if matches!(this.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) {
            return CallError::Certificate;
        }
        // An I/O error hides what it was made from: its source is that one's source.
        let inside = this.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = inside.map(|inside| inside as _).or_else(|| this.source());
    }
    match () {
        () if error.is_builder() => CallError::Url,
        () if error.is_connect() => CallError::Connect,
        () if error.is_timeout() => CallError::Timeout,
        () => CallError::Broken,
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the name has no address in the public internet")]
struct NoPublicAddress;

/// The system's resolver, without the private part of its answers.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<_> = found.filter(|address| address::is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        }
        .boxed()
    }
}
