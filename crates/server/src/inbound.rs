//! What comes back from outside: receipts, bounces, and what customers write. All of it becomes records.
//!
//! A provider is told that something was taken when the log has it. An address that takes nothing any more is
//! withdrawn on its channel; so is the address of a customer who writes STOP, in the same write as the message
//! itself, so that it holds before anything is answered. START brings back what that STOP took. Nothing of a customer appears in a log line.

use crate::access::Need;
use crate::consent::{Change, State as Consent, before_stop, event, track};
use crate::keeper::{Keeper, now};
use crate::keys::secret;
use crate::problem::Problem;
use crate::sources::Brought;
use crate::state::App;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use faden_channels::stop_words::{Meaning, meaning};
use faden_channels::{BoxFuture, Inbound, InboundAnswer, InboundCall, InboundError, Inbox, NotTaken, Received, Reference, Report};
use faden_engine::policy::{EVERYTHING, Use};
use faden_model::{Command, Event, Identifier, IdentifierKind, MessageId, Record, Text, identifier};
use faden_storage::RecordBatch;
use serde_json::json;
use std::borrow::Cow;
use std::time::Duration;
use tokio::time::sleep;

pub const ACCESS: &[(&str, &str, Need)] = &[("GET", "/in/{account}", Need::Open), ("POST", "/in/{account}", Need::Open)];

/// Longest call of a provider, in bytes.
const CALL_BYTES_MAX: usize = 1 << 20;
/// A receipt may overtake the answer that names its message: it is looked for so often, and so long in between.
const LOOKS: usize = 10;
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Name of the event that a customer's message becomes.
pub const RECEIVED: &str = "Message Received";

/// Where providers call us: the account's name is in the path, the signature is the account's own.
pub fn router() -> Router<App> {
    Router::new().route("/in/{account}", get(called).post(called)).layer(DefaultBodyLimit::max(CALL_BYTES_MAX))
}

/// Takes in what comes to one account.
pub struct Desk {
    app: App,
    channel: String,
    account: String,
}

impl Inbox for Desk {
    fn take(&self, inbound: Inbound) -> BoxFuture<'_, Result<(), NotTaken>> {
        Box::pin(async move {
            match inbound {
                Inbound::Report(report) => self.report(report).await,
                Inbound::Message(received) => self.received(received).await,
            }
        })
    }
}

impl Desk {
    pub fn new(app: App, channel: &str, account: &str) -> Desk {
        Desk { app, channel: channel.to_owned(), account: account.to_owned() }
    }

    async fn report(&self, report: Report) -> Result<(), NotTaken> {
        let Some(message) = self.message(&report.about).await? else {
            tracing::debug!(account = %self.account, receipt = ?report.receipt, "a report about a message that is not known");
            return Ok(());
        };
        let code = Text::from(report.code.unwrap_or_default());
        let gone = match report.address_gone {
            true => address_gone(&self.app.keeper, message, &code).await.map_err(|_| NotTaken)?,
            false => None,
        };
        let report = faden_model::Report {
            message,
            receipt: report.receipt,
            code,
            provider_id: Text::default(),
            withheld: false,
            address_gone: report.address_gone,
        };
        let command = Command::ReportOf { account: Text::new(&self.account), report };
        append(&self.app.keeper, gone.map(|event| Command::told(&self.account, event)).into_iter().chain([command])).await
    }

    /// The message that a report is about; `None` when there is none.
    async fn message(&self, about: &Reference) -> Result<Option<MessageId>, NotTaken> {
        let provider_id = match about {
            Reference::Message(message) => return Ok(Some(*message)),
            Reference::Provider(id) => self.app.channels.get(&self.account).map_or_else(|| Text::new(id), |account| account.own_name(id)),
        };
        for left in (0..LOOKS).rev() {
            let (channel, id) = (self.channel.clone(), provider_id.clone());
            let found = self.app.keeper.look(move |node| {
                let store = node.store().cloned();
                node.views().and_then(|views| views.messages.of_provider(&channel, &id, store.as_ref()))
            });
            match found.await.map_err(|_| NotTaken)? {
                None if left > 0 => sleep(LOOK_AGAIN).await,
                found => return Ok(found),
            }
        }
        Ok(None)
    }

    async fn received(&self, received: Received) -> Result<(), NotTaken> {
        let definitions = self.app.published().definitions.clone();
        let Some(from) = self.sender(&received.from, &definitions.country).await? else {
            tracing::info!(account = %self.account, "a message whose sender is no address of its channel was left out");
            return Ok(());
        };
        let at = received.at.unwrap_or_else(now).min(now());
        let id = if received.provider_id.is_empty() { secret("") } else { received.provider_id };
        let message_id = format!("in:{}:{id}", self.account);
        let answers: Vec<String> = received.answers.iter().map(ToString::to_string).collect();
        let said = meaning(&received.text, &definitions.languages);
        let changes = match said {
            Some(Meaning::Stop) => vec![(EVERYTHING.to_owned(), Consent::Withdrawn)],
            Some(Meaning::Start) => self.given_back(&from).await?,
            Some(Meaning::Help) | None => Vec::new(),
        };
        // As of now: the sender's own clock must not date a STOP before the consent that it ends.
        let consent = |(purpose, state): &(String, Consent)| {
            let proof = format!("{}:{purpose}:{message_id}", if *state == Consent::Withdrawn { "stop" } else { "start" });
            let (channel, address) = (Some(self.channel.as_str()), Some(&*from.value));
            event(from.clone(), &Change { purpose, channel, address, state: *state, proof: &proof }, now())
        };
        let mut events: Vec<Event<'static>> = changes.iter().map(consent).collect();
        let properties = json!({
            "channel": self.channel, "account": self.account, "from": &from.value, "to": received.to,
            "subject": received.subject, "text": received.text, "answers": answers,
            "stop": said == Some(Meaning::Stop), "start": said == Some(Meaning::Start),
        });
        events.push(track(RECEIVED, message_id, from, &properties, at));
        append(&self.app.keeper, events.into_iter().map(|event| Command::told(&self.account, event))).await?;
        let names = [RECEIVED.to_owned()];
        self.app.live.took(&self.account, &Brought { names: &names, samples: &[], refused: 0 }, now().0);
        Ok(())
    }

    /// What a START from this address brings back; see [`before_stop`].
    async fn given_back(&self, from: &Identifier<'static>) -> Result<Vec<(String, Consent)>, NotTaken> {
        let (from, channel) = (from.clone(), self.channel.clone());
        let found = self.app.keeper.look(move |node| {
            let profile = node.front().identity.find(&from).and_then(|id| node.profile(id))?;
            let at_address = Use { purpose: EVERYTHING, channel: &channel, address: &from.value, at: now() };
            Some(before_stop(node.index(), &profile, &at_address))
        });
        Ok(found.await.map_err(|_| NotTaken)?.unwrap_or_default())
    }

    /// The identifier behind an address, the known one where several would do.
    async fn sender(&self, from: &str, country: &str) -> Result<Option<Identifier<'static>>, NotTaken> {
        let read = |kind: &IdentifierKind| {
            let value = identifier::normalise(kind, from, country)?.into_owned();
            Some(Identifier { kind: kind.clone(), value: Cow::Owned(value) })
        };
        let candidates: Vec<Identifier<'static>> = kinds_of(&self.channel).iter().filter_map(read).collect();
        let known = self.app.keeper.look(move |node| {
            let known = candidates.iter().find(|candidate| node.front().identity.find(candidate).is_some()).cloned();
            known.or_else(|| candidates.into_iter().next())
        });
        known.await.map_err(|_| NotTaken)
    }
}

/// Kinds of identifiers that an address on this channel may be, the nearest first.
fn kinds_of(channel: &str) -> Vec<IdentifierKind> {
    match channel {
        "email" => vec![IdentifierKind::Email],
        "sms" | "rcs" | "voice" => vec![IdentifierKind::Phone],
        "whatsapp" => vec![IdentifierKind::WhatsappId, IdentifierKind::Phone],
        "push" | "web_push" => vec![IdentifierKind::DeviceId],
        other => vec![IdentifierKind::Other(Text::new(other))],
    }
}

/// The withdrawal of an address that takes nothing any more; `None` when the message or its customer is gone.
///
/// # Errors
/// As [`Keeper::look`].
pub async fn address_gone(keeper: &Keeper, message: MessageId, code: &str) -> Result<Option<Event<'static>>, crate::keeper::Refusal> {
    let found = keeper.look(move |node| {
        let store = node.store().cloned();
        let row = node.views()?.message(message, store.as_ref())?;
        let profile = node.front().identity.profile_of_strand(message.0.under).and_then(|id| node.profile(id))?;
        // The identifier that is the address, else any: the customer must be the right one.
        let known = || profile.strands.iter().flat_map(|strand| &strand.identifiers);
        let named = known().find(|known| known.value == row.address).or_else(|| known().next())?;
        Some((row, Identifier { kind: named.kind.clone(), value: Cow::Owned(named.value.to_string()) }))
    });
    let Some((row, identifier)) = found.await? else { return Ok(None) };
    let proof = format!("bounce:{code}:{message}");
    let change =
        Change { purpose: EVERYTHING, channel: Some(&row.channel), address: Some(&row.address), state: Consent::Withdrawn, proof: &proof };
    Ok(Some(event(identifier, &change, now())))
}

/// Appends records of one instant together.
pub async fn append(keeper: &Keeper, commands: impl Iterator<Item = Command<'static>>) -> Result<(), NotTaken> {
    let (at, mut batch) = (now(), RecordBatch::new());
    for command in commands {
        let record = Record { at, command };
        if let Err(error) = batch.push_with(|bytes| record.encode(bytes)) {
            // Nothing makes it shorter: the provider's next attempt would be refused, too.
            tracing::warn!(%error, "something that came in is too long to be kept and was left out");
            return Ok(());
        }
    }
    keeper.append(batch).await.map_err(|_| NotTaken)
}

async fn called(
    State(app): State<App>,
    Path(name): Path<String>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let account = app.channels.get(&name).filter(|account| account.calls.is_some()).ok_or_else(|| Problem::not_found("inbound account"))?;
    let Some(calls) = &account.calls else { return Err(Problem::not_found("inbound account")) };
    let url = format!("{}{}", app.base_url, uri.path_and_query().map_or("", |path| path.as_str()));
    let call = InboundCall { method: &method, url: &url, headers: &headers, body: &body, now: now() };
    match calls.read(&call).map_err(|error| refused(&name, error))? {
        InboundAnswer::Say(text) => Ok(text.into_response()),
        InboundAnswer::Take(all) => {
            let desk = Desk::new(app.clone(), &account.kind, &account.name);
            for inbound in all {
                desk.take(inbound).await.map_err(|error| {
                    let hint = "send the same call again";
                    Problem { retry_after: Some(2), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", error.to_string(), hint) }
                })?;
            }
            Ok(StatusCode::OK.into_response())
        }
    }
}

fn refused(account: &str, error: InboundError) -> Problem {
    tracing::warn!(account, %error, "a provider's call was refused");
    match error {
        InboundError::Signature => {
            let hint = "compare the account's secret with the provider's, and `--base-url` with the address that the provider calls";
            Problem::new(StatusCode::FORBIDDEN, "inbound-signature", error.to_string(), hint)
        }
        InboundError::Form => {
            Problem::bad_request("inbound-form", error.to_string(), "look at which product and version the provider calls for")
        }
    }
}
