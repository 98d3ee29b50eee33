//! Writes that may be sent again: a call with an `Idempotency-Key` is carried out once, a repeat gets its answer.
//!
//! Answers are kept in memory only, because some of them hold secrets: for a day, up to a number and a size,
//! and not across a restart. An answer that says "try again" is not kept. What must hold across restarts has
//! an id of its own: events their `messageId`, changes of consent one that is made from the key.

use crate::access::secret;
use crate::api::BODY_BYTES_MAX;
use crate::problem::Problem;
use crate::state::App;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that the answer is that of an earlier call.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const KEY_BYTES_MAX: usize = 255;
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
const KEPT_MAX: usize = 10_000;
const KEPT_BYTES_MAX: usize = 64 << 20;
/// A longer answer is not kept; a repeat is carried out again.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Whose key, and which.
type Slot = [u8; 32];
/// What was asked: method, address and body.
type Asked = [u8; 32];

#[derive(Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// What [`crate::answer`] completes.
    problem: Option<Problem>,
}

/// What was answered to which key.
#[derive(Default)]
pub struct Answers(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// No answer: it is being carried out.
    by_slot: BTreeMap<Slot, (Asked, Option<Answer>)>,
    oldest_first: VecDeque<(Instant, Slot)>,
    bytes: usize,
}

enum Begun<'a> {
    /// Nobody sent this before: carry it out.
    New(Running<'a>),
    Known(Answer),
    StillRunning,
    /// The key was used for another call.
    Other,
}

/// A call that is being carried out; one that breaks off may be sent again.
struct Running<'a> {
    answers: &'a Answers,
    slot: Slot,
    answer: Option<Answer>,
}

impl Answers {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().expect("no holder of this lock panics")
    }

    fn begin(&self, slot: Slot, asked: Asked) -> Begun<'_> {
        let mut kept = self.lock();
        kept.let_go();
        match kept.by_slot.get(&slot) {
            Some((other, _)) if *other != asked => Begun::Other,
            Some((_, Some(answer))) => Begun::Known(answer.clone()),
            Some((_, None)) => Begun::StillRunning,
            None => {
                kept.by_slot.insert(slot, (asked, None));
                Begun::New(Running { answers: self, slot, answer: None })
            }
        }
    }
}

impl Kept {
    fn let_go(&mut self) {
        while let Some((since, slot)) = self.oldest_first.front().copied() {
            if since.elapsed() < KEPT_FOR && self.oldest_first.len() <= KEPT_MAX && self.bytes <= KEPT_BYTES_MAX {
                break;
            }
            self.oldest_first.pop_front();
            if let Some((_, Some(answer))) = self.by_slot.remove(&slot) {
                self.bytes -= answer.body.len();
            }
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut kept = self.answers.lock();
        let answer = self.answer.take();
        match (kept.by_slot.get_mut(&self.slot), answer) {
            (Some((_, place)), Some(answer)) => {
                let length = answer.body.len();
                *place = Some(answer);
                kept.bytes += length;
                kept.oldest_first.push_back((Instant::now(), self.slot));
            }
            (_, None) => drop(kept.by_slot.remove(&self.slot)),
            (None, _) => {}
        }
    }
}

/// Whether calls of this method and path may carry a key.
pub fn honoured(method: &Method, path: &str) -> bool {
    path.starts_with("/api/v1/") && matches!(*method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE)
}

/// Carries a call out once.
pub async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    let key = request.headers().get(KEY).cloned().filter(|_| honoured(request.method(), request.uri().path()));
    let Some(key) = key else { return next.run(request).await };
    if key.is_empty() || key.len() > KEY_BYTES_MAX || !key.as_bytes().iter().all(u8::is_ascii_graphic) {
        let hint = "make a new random key for each change, such as a UUID, and keep it for repeats";
        return Problem::bad_request("bad-input", "`Idempotency-Key` must have 1 to 255 visible ASCII characters", hint).into_response();
    }
    let whose = secret(request.headers()).unwrap_or_default();
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        let detail = format!("the call is longer than {BODY_BYTES_MAX} bytes, or broke off");
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail, "send less at once; nothing was taken").into_response();
    };
    let asked = hash(&[head.method.as_str().as_bytes(), head.uri.to_string().as_bytes(), &body]);
    match app.answers.begin(hash(&[whose.as_bytes(), key.as_bytes()]), asked) {
        Begun::New(mut running) => {
            let response = next.run(Request::from_parts(head, Body::from(body))).await;
            let (response, answer) = keep(response).await;
            running.answer = answer;
            response
        }
        Begun::Known(answer) => {
            let mut response = (answer.status, answer.headers, answer.body).into_response();
            if let Some(problem) = answer.problem {
                response.extensions_mut().insert(problem);
            }
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            response
        }
        Begun::StillRunning => {
            let detail = "the first call with this `Idempotency-Key` is still being carried out";
            let problem = Problem::new(StatusCode::CONFLICT, "idempotency-key-running", detail, "send the same call again in a moment");
            Problem { retry_after: Some(1), ..problem }.into_response()
        }
        Begun::Other => {
            let detail = "this `Idempotency-Key` was used for another call";
            let hint = "send exactly the same call again, or make a new key for a new change";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", detail, hint).into_response()
        }
    }
}

/// The response again, and what of it is kept; nothing where a repeat may do better.
async fn keep(response: Response) -> (Response, Option<Answer>) {
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return (response, None);
    }
    let (head, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return (StatusCode::INTERNAL_SERVER_ERROR.into_response(), None);
    };
    let problem = head.extensions.get::<Problem>().cloned();
    let answer = Answer { status, headers: head.headers.clone(), body: body.clone(), problem };
    let response = Response::from_parts(head, Body::from(body));
    let fits = answer.body.len() <= ANSWER_BYTES_MAX;
    (response, fits.then_some(answer))
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}
