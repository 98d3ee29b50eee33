//! Intake over HTTP: Segment's calls and CloudEvents become records, and are answered when they are durable.
//!
//! A call is read whole, its key is checked, each event is parsed once. Good events of a batch are taken
//! also when others are bad; the bad ones are named in the answer and kept as dead letters. Nothing is
//! answered before the log has it.
//! Source: Segment HTTP Tracking API and Spec (batch, authentication, limits, clock skew); CloudEvents 1.0
//! HTTP binding (structured, batched and binary mode).

mod body;
pub mod cloud_events;
pub mod segment;

use crate::access::unauthorized;
use crate::dead_letters::DeadLetter;
use crate::keeper::{Refusal, now};
use crate::keys::Caller;
use crate::problem::{Problem, discreet};
use crate::sources::Brought;
use crate::state::App;
use axum::body::Body;
use axum::http::HeaderMap;
use body::{Unreadable, read};
use faden_model::event::{EventKind, Receipt};
use faden_model::{Command, Event, Record, Timestamp, with_causes};
use faden_storage::RecordBatch;
use serde::Serialize;
use std::borrow::Cow;
use std::sync::atomic::Ordering;
use utoipa::ToSchema;

/// Largest single call, and largest event of a batch, in bytes.
pub const CALL_BYTES_MAX: usize = 32 << 10;
/// Largest batch, in bytes, unpacked.
pub const BATCH_BYTES_MAX: usize = 500 << 10;
/// Names that only the server's own programs may use.
const RESERVED: &str = "faden.";

/// What a call answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Taken {
    /// Whether everything was taken; Segment's libraries look at it.
    pub success: bool,
    /// Events that were taken, repeats among them.
    pub accepted: usize,
    /// What was not taken, by its place in the batch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<Rejected>,
}

/// An event of a batch that was not taken.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Rejected {
    pub index: usize,
    pub code: String,
    pub reason: String,
}

/// Events of one call, on their way to the log.
pub(crate) struct Intake<'a> {
    app: &'a App,
    source: String,
    call: &'static str,
    country: String,
    batch: RecordBatch,
    names: Vec<String>,
    /// Name and properties of events that tell what the source sends.
    samples: Vec<(String, String)>,
    rejected: Vec<Rejected>,
    letters: Vec<DeadLetter>,
    seen: usize,
}

impl<'a> Intake<'a> {
    /// `call` is what the address names, such as `track`; empty where the bodies say it.
    pub fn new(app: &'a App, source: &str, call: &'static str) -> Intake<'a> {
        let country = app.published().definitions.country.to_string();
        Intake {
            app,
            source: source.to_owned(),
            call,
            country,
            batch: RecordBatch::new(),
            names: Vec::new(),
            samples: Vec::new(),
            rejected: Vec::new(),
            letters: Vec::new(),
            seen: 0,
        }
    }

    /// Takes one event, or notes why not. `receipt.received_at` is when the call came in.
    pub fn event(&mut self, line: &str, receipt: &Receipt) {
        let index = self.seen;
        self.seen += 1;
        if line.len() > CALL_BYTES_MAX {
            let reason = format!("the event is {} bytes long; the limit is {CALL_BYTES_MAX}", line.len());
            return self.refuse(index, "event-too-long", reason, line);
        }
        match Event::parse_received(line, &self.country, receipt) {
            Ok(event) => self.push(index, line, event),
            Err(error) => {
                let reason = with_causes(&error);
                self.refuse(index, error.code(), reason, line);
            }
        }
    }

    fn push(&mut self, index: usize, line: &str, mut event: Event<'_>) {
        if event.name.starts_with(RESERVED) {
            let reason = format!("names that begin with `{RESERVED}` are the server's own; use its API");
            return self.refuse(index, "event-reserved-name", reason, line);
        }
        if event.message_id.is_empty() {
            event.message_id = Cow::Owned(crate::keys::secret("srv-"));
        }
        let name = match event.kind {
            EventKind::Track => event.name.to_string(),
            kind => kind.name().to_owned(),
        };
        if self.app.live.sources.wants_sample() {
            let properties = if event.kind == EventKind::Identify { &event.traits } else { &event.properties };
            self.samples.push((name.clone(), properties.to_string()));
        }
        self.names.push(name);
        // Not when the call came in: a dead letter did so long before, and records are dated as they are written.
        let record = Record { at: now(), command: Command::told(&self.source, event) };
        if let Err(error) = self.batch.push_with(|bytes| record.encode(bytes)) {
            self.names.pop();
            self.refuse(index, "event-too-long", error.to_string(), line);
        }
    }

    /// Notes an event that cannot be taken.
    pub fn refuse(&mut self, index: usize, code: &'static str, reason: String, body: &str) {
        self.letters.push(DeadLetter {
            id: 0,
            at: now().to_string(),
            source: self.source.clone(),
            code: code.to_owned(),
            reason: reason.clone(),
            body: body.to_owned(),
            call: self.call.to_owned(),
            retried: false,
        });
        self.rejected.push(Rejected { index, code: code.to_owned(), reason: discreet(&reason) });
    }

    /// Appends what is good, keeps what is not; answers when both are durable.
    ///
    /// # Errors
    /// 429 and 503 as [`crate::keeper::Refusal`] says, then nothing was taken; 400 when no event was good.
    pub async fn finish(self) -> Result<Taken, Problem> {
        let accepted = self.names.len();
        if accepted > 0 {
            self.app.keeper.append(self.batch).await.inspect_err(|refusal| {
                if matches!(refusal, Refusal::Busy) {
                    self.app.live.turned_away.fetch_add(1, Ordering::Relaxed);
                }
            })?;
        }
        let app = self.app.clone();
        let letters = self.letters;
        if !letters.is_empty() {
            let kept = tokio::task::spawn_blocking(move || app.dead_letters.keep(letters)).await;
            if let Ok(Err(error)) | Err(error) = kept.map_err(std::io::Error::other) {
                tracing::error!(%error, "dead letters could not be kept");
            }
        }
        let brought = Brought { names: &self.names, samples: &self.samples, refused: self.rejected.len() as u64 };
        self.app.live.took(&self.source, &brought, now().0);
        match self.rejected.first() {
            Some(first) if accepted == 0 => {
                let hint = "mend the event and send it again; it is kept under dead letters";
                Err(Problem::bad_request("event-refused", first.reason.clone(), hint).coded(&first.code))
            }
            _ => Ok(Taken { success: true, accepted, rejected: self.rejected }),
        }
    }
}

/// The text of a call; what is none is kept as a dead letter.
///
/// # Errors
/// As [`read`], and what [`unreadable`] says.
async fn text_of(
    app: &App,
    who: Option<&Caller>,
    call: &'static str,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<String, Problem> {
    match read(headers, body, limit).await? {
        Ok(text) => Ok(text),
        Err(found) => Err(unreadable(app, who, call, found).await),
    }
}

/// Keeps the beginning of a call that cannot be read, with its reason, if it is known whose it is; what to answer.
async fn unreadable(app: &App, who: Option<&Caller>, call: &'static str, found: Unreadable) -> Problem {
    let Some(caller) = who else { return unauthorized() };
    let mut intake = Intake::new(app, &caller.name, call);
    intake.refuse(0, found.code, found.reason, &found.beginning);
    intake.finish().await.expect_err("nothing of it was taken")
}

/// Sends a dead letter through intake again: `None` when it was taken. What is refused again is no new letter.
///
/// # Errors
/// As [`Intake::finish`].
pub(crate) async fn again(app: &App, letter: &DeadLetter) -> Result<Option<Rejected>, Problem> {
    const KINDS: [EventKind; 6] =
        [EventKind::Track, EventKind::Identify, EventKind::Page, EventKind::Screen, EventKind::Group, EventKind::Alias];
    let kind = KINDS.into_iter().find(|kind| kind.name() == letter.call);
    // Its clock is corrected by when it came in first.
    let received_at = Timestamp::parse(&letter.at).unwrap_or_else(|_| now());
    let mut intake = Intake::new(app, &letter.source, "");
    intake.event(&letter.body, &Receipt { kind, received_at: Some(received_at), sent_at: None });
    if let Some(rejected) = intake.rejected.pop() {
        return Ok(Some(rejected));
    }
    intake.finish().await?;
    Ok(None)
}
