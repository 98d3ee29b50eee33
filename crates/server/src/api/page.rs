//! Lists page by page, and work that may wait for the disk.

use super::input::{self, bad_input};
use crate::problem::Problem;
use axum::Json;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

/// Which page of a list a call asks for.
#[derive(Clone, Debug)]
pub struct Paging {
    token: Option<String>,
    limit: Option<u64>,
}

impl Paging {
    pub fn new(token: Option<String>, limit: Option<u64>) -> Paging {
        Paging { token, limit }
    }

    /// # Errors
    /// When it is none of 1 to 500.
    pub fn limit(&self) -> Result<usize, Problem> {
        input::Page { page_token: None, limit: self.limit }.limit()
    }

    /// Where the page begins; `None` for the first one.
    ///
    /// # Errors
    /// When the token is none of this list.
    pub fn start<T: DeserializeOwned>(&self) -> Result<Option<T>, Problem> {
        let Some(token) = self.token.as_deref().filter(|token| !token.is_empty()) else { return Ok(None) };
        let read = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        read.map(Some).ok_or_else(|| bad_input("`page_token` is not one that this list gave"))
    }
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Asks for the next page; null when there is none.
    pub next_page_token: Option<String>,
}

impl<T> Page<T> {
    /// A list that is short enough to be one page.
    pub fn whole(items: Vec<T>) -> Json<Page<T>> {
        Json(Page { items, next_page_token: None })
    }

    pub fn new<N: Serialize>(items: Vec<T>, next: Option<&N>) -> Json<Page<T>> {
        let token = |next: &N| URL_SAFE_NO_PAD.encode(serde_json::to_vec(next).unwrap_or_default());
        Json(Page { items, next_page_token: next.map(token) })
    }
}

/// Runs what reads the disk on a thread that may wait.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a call could not be answered");
        let hint = "report it with the request id; other calls go on";
        Problem::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "internal", "this call met a mistake in the server", hint)
    })
}
