//! A door to a running server: address and key from the command line or the environment.

use anyhow::{Context, bail};
use clap::Args;
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// Longest call; exports and backups have none.
const CALL_MAX: Duration = Duration::from_secs(60);

/// Which server, and who asks.
#[derive(Args, Clone)]
pub struct Server {
    /// Address of the server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7700", env = "FADEN_URL")]
    pub server: String,
    /// API key; better in the environment than on the command line
    #[arg(long, value_name = "KEY", env = "FADEN_KEY", hide_env_values = true)]
    pub key: Option<String>,
}

/// Calls a server.
pub struct Client {
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    base: String,
    /// Empty for calls that need none.
    key: String,
}

/// What a failed call says.
#[derive(Debug, thiserror::Error)]
#[error("{detail} [{code}]; {hint}")]
pub struct Refused {
    pub status: u16,
    pub code: String,
    pub detail: String,
    pub hint: String,
}

impl Server {
    /// # Errors
    /// When there is no key, or no client can be made.
    pub fn connect(&self) -> anyhow::Result<Client> {
        let Some(key) = self.key.clone().filter(|key| !key.is_empty()) else {
            bail!("no API key; set FADEN_KEY to the admin key that `faden serve` printed at its first start");
        };
        Ok(Client { key, ..self.without_key()? })
    }

    /// For what anybody may ask.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn without_key(&self) -> anyhow::Result<Client> {
        // Installed already when this is not the first connection.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().context("cannot make an HTTP client")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot make an HTTP client")?;
        Ok(Client { http, runtime, base: self.server.trim_end_matches('/').to_owned(), key: String::new() })
    }
}

impl Client {
    /// # Errors
    /// [`Refused`] with what the server says, or that it cannot be reached.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.call(Method::GET, path, None)
    }

    /// # Errors
    /// As [`Client::get`].
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> anyhow::Result<T> {
        self.call(Method::POST, path, Some(serde_json::to_string(body).context("cannot write the call")?))
    }

    fn call<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<String>) -> anyhow::Result<T> {
        self.runtime.block_on(async {
            let answer = self.send(method, path, body, Some(CALL_MAX)).await?;
            let text = answer.text().await.context("the server's answer broke off")?;
            serde_json::from_str(&text).with_context(|| format!("the server's answer to {path} is not what it should be"))
        })
    }

    /// Copies an answer piece by piece; `take` gets each.
    ///
    /// # Errors
    /// As [`Client::get`], and what `take` says.
    pub fn stream(&self, path: &str, mut take: impl FnMut(&[u8]) -> anyhow::Result<()>) -> anyhow::Result<()> {
        self.runtime.block_on(async {
            let mut answer = self.send(Method::GET, path, None, None).await?;
            while let Some(piece) = answer.chunk().await.context("the server's answer broke off")? {
                take(&piece)?;
            }
            Ok(())
        })
    }

    async fn send(&self, method: Method, path: &str, body: Option<String>, limit: Option<Duration>) -> anyhow::Result<reqwest::Response> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if !self.key.is_empty() {
            request = request.bearer_auth(&self.key);
        }
        if let Some(limit) = limit {
            request = request.timeout(limit);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let answer = request.send().await.map_err(|error| {
            // The error names the address; the key is in no part of it.
            anyhow::Error::new(error)
                .context(format!("cannot reach {}; is `faden serve` running there? (`--server` or FADEN_URL)", self.base))
        })?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let problem: Value = serde_json::from_str(&answer.text().await.unwrap_or_default()).unwrap_or_default();
        let field = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let detail = if status == StatusCode::NOT_FOUND && field("detail").is_empty() {
            "the server knows no such address".to_owned()
        } else {
            field("detail")
        };
        Err(Refused { status: status.as_u16(), code: field("code"), detail, hint: field("hint") }.into())
    }
}
