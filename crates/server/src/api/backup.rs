//! A backup of the running server, as one packed archive.

use crate::access::Need;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::state::App;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::io::{self, Write};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::OpenApi;

pub const ACCESS: &[(&str, &str, Need)] = &[("GET", "/api/v1/backup", Need::Scope(Scope::Admin))];

pub fn router() -> Router<App> {
    Router::new().route("/api/v1/backup", get(backup))
}

#[derive(OpenApi)]
#[openapi(paths(backup))]
pub struct Document;

/// Pieces that may wait for a slow reader.
const PIECES: usize = 16;
const PIECE_BYTES: usize = 64 << 10;

/// Hands what is written on to the answer, in pieces.
struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        self.sender.blocking_send(Ok(piece)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

/// Everything that this server keeps, while it runs: what `faden restore` reads
#[utoipa::path(get, path = "/api/v1/backup", tag = "system", responses((status = 200, description = "a tar archive, gzip", content_type = "application/gzip"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem)))]
pub async fn backup(State(app): State<App>) -> Result<Response, Problem> {
    if !app.keeper.health().ready {
        let hint = "wait until `/readyz` says 200";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", "the server cannot write its state right now", hint));
    }
    let runtime = tokio::runtime::Handle::current();
    let write = move |out: &mut dyn Write| crate::backup::write(&app, &runtime, out).map_err(io::Error::other);
    Ok(stream("application/gzip", "faden-backup.tar.gz".to_owned(), write))
}

/// An answer that is written while it is read, on a thread of its own.
pub fn stream(kind: &'static str, file: String, write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static) -> Response {
    let (sender, receiver) = mpsc::channel(PIECES);
    tokio::task::spawn_blocking(move || {
        let mut pieces = Pieces { sender: sender.clone(), piece: Vec::new() };
        let written = write(&mut pieces).and_then(|()| pieces.flush());
        if let Err(error) = written {
            tracing::warn!(%error, "a long answer broke off");
            // The reader sees an answer that ends early, not a short one.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\""))];
    (headers, Body::from_stream(ReceiverStream::new(receiver))).into_response()
}
