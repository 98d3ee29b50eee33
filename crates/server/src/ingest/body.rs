//! The bytes of a call: read up to a limit, unpacked up to the same limit, as text.

use crate::problem::Problem;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use flate2::read::GzDecoder;
use std::io::Read;
use std::string::FromUtf8Error;

/// As much of a call that cannot be read is kept, in bytes: enough to see what was sent.
const BEGINNING_BYTES_MAX: usize = 8 << 10;

/// A body that is not what it says.
pub struct Unreadable {
    pub code: &'static str,
    pub reason: String,
    /// As much of it as can be read.
    pub beginning: String,
}

impl Unreadable {
    /// `text` is what can be read; its beginning is kept.
    pub fn new(code: &'static str, reason: String, text: &[u8]) -> Unreadable {
        let beginning = String::from_utf8_lossy(&text[..text.len().min(BEGINNING_BYTES_MAX)]).into_owned();
        Unreadable { code, reason, beginning }
    }
}

/// Reads a body of at most `limit` bytes, unpacked.
///
/// # Errors
/// 413 when it is longer, 415 for a packing that is not known; within, when it is not what it says.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Result<String, Unreadable>, Problem> {
    let bytes = to_bytes(body, limit).await.map_err(|_| too_large(limit))?;
    let packed = headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
    let bytes = match packed.as_deref() {
        None | Some(b"identity" | b"") => bytes.to_vec(),
        Some(b"gzip" | b"x-gzip") => match unpack(&bytes, limit)? {
            Ok(plain) => plain,
            Err(unreadable) => return Ok(Err(unreadable)),
        },
        Some(_) => {
            let hint = "send it as it is, or with `Content-Encoding: gzip`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unknown-encoding", "the body's encoding is not known", hint));
        }
    };
    let not_text = |error: FromUtf8Error| {
        let reason = "the body is not UTF-8 text; send JSON as UTF-8".to_owned();
        Unreadable::new("event-not-json", reason, error.as_bytes())
    };
    Ok(String::from_utf8(bytes).map_err(not_text))
}

fn unpack(bytes: &[u8], limit: usize) -> Result<Result<Vec<u8>, Unreadable>, Problem> {
    let mut plain = Vec::new();
    let unpacked = GzDecoder::new(bytes).take(limit as u64 + 1).read_to_end(&mut plain);
    if plain.len() > limit {
        return Err(too_large(limit));
    }
    if unpacked.is_ok() {
        return Ok(Ok(plain));
    }
    let reason = "the body is not gzip, as its header says; pack it again, or leave the header out".to_owned();
    // What was never packed can be read as it is.
    let readable = if plain.is_empty() { bytes } else { &plain };
    Ok(Err(Unreadable::new("bad-gzip", reason, readable)))
}

fn too_large(limit: usize) -> Problem {
    let hint = "send smaller batches; nothing of this one was taken";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", format!("the call is longer than {limit} bytes"), hint)
}
