//! The bytes of a call: read up to a limit, unpacked up to the same limit, as text.

use crate::problem::Problem;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use flate2::read::GzDecoder;
use std::io::Read;

/// Reads a body of at most `limit` bytes, unpacked.
///
/// # Errors
/// 413 when it is longer, 415 for a packing that is not known, 400 when it is not what it says.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<String, Problem> {
    let bytes = to_bytes(body, limit).await.map_err(|_| too_large(limit))?;
    let packed = headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
    let bytes = match packed.as_deref() {
        None | Some(b"identity" | b"") => bytes.to_vec(),
        Some(b"gzip" | b"x-gzip") => unpack(&bytes, limit)?,
        Some(_) => {
            let hint = "send it as it is, or with `Content-Encoding: gzip`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unknown-encoding", "the body's encoding is not known", hint));
        }
    };
    String::from_utf8(bytes).map_err(|_| Problem::bad_request("event-not-json", "the body is not UTF-8 text", "send JSON as UTF-8"))
}

fn unpack(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    let mut plain = Vec::new();
    let wrong = |_| Problem::bad_request("bad-gzip", "the body is not gzip, as its header says", "pack it again, or leave the header out");
    GzDecoder::new(bytes).take(limit as u64 + 1).read_to_end(&mut plain).map_err(wrong)?;
    if plain.len() > limit { Err(too_large(limit)) } else { Ok(plain) }
}

fn too_large(limit: usize) -> Problem {
    let hint = "send smaller batches; nothing of this one was taken";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", format!("the call is longer than {limit} bytes"), hint)
}
