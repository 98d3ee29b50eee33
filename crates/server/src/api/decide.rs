//! The same-session question: who is this, what holds for him now, with what he just did already counted.
//!
//! The event is durable and applied before the question looks, so the answer follows from it. One look, and
//! the answer is put together outside of the keeper's thread.

use super::consent_state::{Consent, consents};
use super::input::{Input, bad_input};
use super::page::blocking;
use super::passage::version_text;
use super::person::{name, raw, view};
use crate::access::{Need, Who};
use crate::ingest::Intake;
use crate::keeper::now;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::signed::Use;
use crate::state::App;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use faden_engine::Index;
use faden_engine::content::{self, Links, Passage};
use faden_engine::journey::{Enrollment, TokenState};
use faden_engine::profile::Profile;
use faden_model::event::Receipt;
use faden_model::identifier::normalise;
use faden_model::{Event, EventKind, Identifier, IdentifierKind, MessageId, ProfileId, Timestamp};
use faden_runtime::views::{MessageRow, MessageState};
use faden_runtime::{Node, SharedStore};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::{OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[("POST", "/api/v1/decide", Need::Scope(Scope::Decide))];

pub fn router() -> Router<App> {
    Router::new().route("/api/v1/decide", post(decide))
}

#[derive(OpenApi)]
#[openapi(paths(decide))]
pub struct Document;

/// Most identifiers of one question.
const IDENTIFIERS_MAX: usize = 20;
const PLACEMENT_CHARS_MAX: usize = 200;
/// A link of ours says who comes for so long.
const TOKEN_DAYS_MAX: i64 = 90;
/// Channels whose messages wait in the page or app itself.
const IN_SESSION: [&str; 3] = ["in_app", "web", "web_chat"];

/// Who is asked about, and what he just did.
#[derive(Deserialize, ToSchema)]
pub struct Question {
    /// The first that is known counts.
    #[serde(default)]
    pub identifiers: Vec<Named>,
    #[serde(default, alias = "userId")]
    pub user_id: Option<String>,
    #[serde(default, alias = "anonymousId")]
    pub anonymous_id: Option<String>,
    /// From a link of ours that he followed (`customer_token` in templates): whom that message went to. One that does not hold is as none.
    #[serde(default)]
    pub token: Option<String>,
    /// Where it is asked, such as `home_banner`. There are no offers yet that would depend on it: the answer is the same everywhere.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub placement: Option<String>,
    /// A Segment call (track where `type` is missing) or a `CloudEvent`; whom it names is asked about, too.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub event: Option<Map<String, Value>>,
}

#[derive(Deserialize, ToSchema)]
pub struct Named {
    /// `user_id`, `email`, ...
    pub kind: String,
    pub value: String,
}

/// What holds now; all but `known` empty where nobody is called so.
#[derive(Default, Serialize, ToSchema)]
pub struct Answer {
    pub known: bool,
    pub profile: Option<String>,
    pub user_id: Option<String>,
    pub name: Option<String>,
    pub country: Option<String>,
    pub language: Option<String>,
    #[schema(value_type = BTreeMap<String, Value>)]
    pub traits: BTreeMap<String, Box<RawValue>>,
    #[schema(value_type = BTreeMap<String, Value>)]
    pub computed_traits: BTreeMap<String, Box<RawValue>>,
    pub audiences: Vec<String>,
    pub enrollments: Vec<Running>,
    /// Messages for the page or app that he has not seen.
    pub matters: Vec<Matter>,
    pub consents: Vec<Consent>,
    /// The message of the question's token.
    pub came_by: Option<CameBy>,
}

/// The message whose link somebody followed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CameBy {
    pub message: String,
    pub at: String,
    pub channel: String,
    pub template: String,
    pub journey: String,
}

/// A journey that he is in.
#[derive(Serialize, ToSchema)]
pub struct Running {
    pub id: String,
    pub journey: String,
    pub version: String,
    pub steps: Vec<String>,
    pub entered_at: String,
    pub key: Option<String>,
}

/// Something to show.
#[derive(Serialize, ToSchema)]
pub struct Matter {
    pub message: String,
    pub at: String,
    pub channel: String,
    pub template: String,
    pub journey: String,
    pub title: Option<String>,
    pub text: Option<String>,
    pub url: Option<String>,
}

/// What holds for somebody now, with what he just did already counted
#[utoipa::path(post, path = "/api/v1/decide", tag = "decide", request_body = Question,
    responses((status = 200, body = Answer), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 413, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
pub async fn decide(State(app): State<App>, Who(caller): Who, Input(question): Input<Question>) -> Result<Json<Answer>, Problem> {
    let country = app.published().definitions.country.clone();
    if question.placement.as_ref().is_some_and(|placement| placement.chars().count() > PLACEMENT_CHARS_MAX) {
        return Err(bad_input(format!("`placement` has more than {PLACEMENT_CHARS_MAX} characters")));
    }
    let mut named = question.named(&country)?;
    let recognised = match &question.token {
        Some(token) => recognised(&app, token).await?,
        None => None,
    };
    let came_by = recognised.map(|(identifier, came_by)| {
        named.insert(0, identifier);
        came_by
    });
    if let Some(event) = question.event {
        let line = line(event, &named);
        let receipt = Receipt { kind: None, received_at: Some(now()), sent_at: None };
        // What cannot be read is refused, and kept as a dead letter, by intake.
        if let Ok(event) = Event::parse_received(&line, &country, &receipt) {
            named.extend(event.into_owned().identifiers);
        }
        let mut intake = Intake::new(&app, &caller.name, "");
        intake.event(&line, &receipt);
        intake.finish().await?;
    } else if named.is_empty() && question.token.is_none() {
        return Err(bad_input(
            "nobody is named; send `identifiers`, `user_id`, `anonymous_id` or `token`, or an event that names somebody",
        ));
    }
    let Some(seen) = app.keeper.look(move |node| Seen::of(node, &named)).await? else { return Ok(Json(Answer::default())) };
    // What he just did is in memory; whoever did nothing lately is read from the store.
    let (id, store) = (seen.id, seen.store.clone());
    let profile = match seen.warm.clone() {
        Some(profile) => Some(profile),
        None => blocking(move || store.and_then(|store| store.profile(id))).await?,
    };
    let answer = profile.map(|profile| answer(&seen, &profile)).unwrap_or_default();
    Ok(Json(Answer { came_by, ..answer }))
}

/// Whom a token's message went to, and the message.
async fn recognised(app: &App, token: &str) -> Result<Option<(Identifier<'static>, CameBy)>, Problem> {
    let Some((strand, message)) = app.signer.read(Use::Recognition, token) else { return Ok(None) };
    let Ok(id) = MessageId::parse(&message) else { return Ok(None) };
    let found = app.keeper.look(move |node| {
        let store = node.store().cloned();
        let row = node.views()?.message(id, store.as_ref())?;
        let profile = node.front().identity.profile_of_strand(strand).and_then(|profile| node.profile(profile))?;
        // The surest one first: it says to whom what is sent along belongs.
        let known = profile.strands.iter().flat_map(|strand| &strand.identifiers);
        let known = known.min_by_key(|known| (known.kind != IdentifierKind::UserId, known.kind == IdentifierKind::AnonymousId))?;
        Some((Identifier { kind: known.kind.clone(), value: Cow::Owned(known.value.to_string()) }, row))
    });
    let Some((identifier, row)) = found.await?.filter(|(_, row)| now().0 - row.at.0 <= TOKEN_DAYS_MAX * 86_400_000) else {
        return Ok(None);
    };
    let came_by = CameBy {
        message,
        at: row.at.to_string(),
        channel: row.channel.to_string(),
        template: row.template.to_string(),
        journey: row.journey.to_string(),
    };
    Ok(Some((identifier, came_by)))
}

impl Question {
    fn named(&self, country: &str) -> Result<Vec<Identifier<'static>>, Problem> {
        if self.identifiers.len() > IDENTIFIERS_MAX {
            return Err(bad_input(format!("there are more than {IDENTIFIERS_MAX} identifiers")));
        }
        let own = [("user_id", &self.user_id), ("anonymous_id", &self.anonymous_id)];
        let own = own.into_iter().filter_map(|(kind, value)| Some((kind, value.as_deref()?)));
        let all = self.identifiers.iter().map(|named| (named.kind.as_str(), named.value.as_str())).chain(own);
        let read = |(kind, value): (&str, &str)| {
            let kind = IdentifierKind::from_name(kind);
            let value = normalise(&kind, value, country)?.into_owned();
            Some(Identifier { kind, value: Cow::Owned(value) })
        };
        Ok(all.filter_map(read).collect())
    }
}

/// The event as intake reads it, about those whom the question names.
fn line(mut event: Map<String, Value>, named: &[Identifier<'_>]) -> String {
    if event.contains_key("specversion") {
        if let Some(first) = named.first() {
            event.entry("subject").or_insert_with(|| json!(format!("{}:{}", first.kind, first.value)));
        }
        return Value::Object(event).to_string();
    }
    event.entry("type").or_insert_with(|| json!(EventKind::Track.name()));
    let mut external = Vec::new();
    for identifier in named {
        let member = match identifier.kind {
            IdentifierKind::UserId => "userId",
            IdentifierKind::AnonymousId => "anonymousId",
            _ => {
                external.push(json!({"type": identifier.kind.name(), "id": identifier.value}));
                continue;
            }
        };
        event.entry(member).or_insert_with(|| json!(identifier.value));
    }
    if !external.is_empty()
        && let Some(context) = event.entry("context").or_insert_with(|| json!({})).as_object_mut()
        && let Some(ids) = context.entry("externalIds").or_insert_with(|| json!([])).as_array_mut()
    {
        ids.extend(external);
    }
    Value::Object(event).to_string()
}

/// Somebody at one instant.
struct Seen {
    id: ProfileId,
    warm: Option<Profile>,
    index: Arc<Index>,
    now: Timestamp,
    store: Option<SharedStore>,
    matters: Vec<(MessageId, MessageRow)>,
}

impl Seen {
    fn of(node: &mut Node, named: &[Identifier<'_>]) -> Option<Seen> {
        let id = named.iter().find_map(|identifier| node.front().identity.find(identifier))?;
        let (index, now, store) = (node.index().clone(), node.front().clock(), node.store().cloned());
        let warm = node.warm(id).cloned();
        let waiting = |enrollment: &Enrollment| -> Vec<MessageId> {
            let message = |state: &TokenState| if let TokenState::Receipt { message, .. } = state { Some(*message) } else { None };
            enrollment.tokens.iter().filter_map(|token| message(&token.state)).collect()
        };
        let waiting: Vec<MessageId> = warm.iter().flat_map(|profile| &profile.enrollments).flat_map(waiting).collect();
        let row = |id: MessageId, node: &mut Node| node.views().and_then(|views| views.message(id, store.as_ref()));
        let rows = waiting.into_iter().filter_map(|id| Some((id, row(id, node)?)));
        let unseen = |row: &MessageRow| row.state() < MessageState::Read && IN_SESSION.contains(&row.channel.as_str());
        let matters = rows.filter(|(_, row)| unseen(row)).collect();
        Some(Seen { id, warm, index, now, store, matters })
    }
}

fn answer(seen: &Seen, profile: &Profile) -> Answer {
    let (index, view) = (&seen.index, view(&seen.index, profile, seen.now));
    let text = |text: Option<&str>| text.map(str::to_owned);
    let names = profile.strands.iter().flat_map(|strand| &strand.traits).map(|told| told.name.as_str());
    let traits = names.map(|name| (name, profile.told(name))).filter(|(_, value)| !value.is_null());
    let audiences = profile.memberships.iter().filter_map(|membership| index.audience_name(membership.key));
    let computed = index.definitions.traits.iter().map(|plan| (plan.name.to_string(), raw(&view.trait_value(&plan.name))));
    Answer {
        known: true,
        profile: Some(profile.id.to_string()),
        user_id: text(profile.user_id()),
        name: name(profile),
        country: text(profile.country()),
        language: text(profile.language()),
        traits: traits.map(|(name, value)| (name.to_owned(), raw(value))).collect(),
        computed_traits: computed.collect(),
        audiences: audiences.map(str::to_owned).collect(),
        enrollments: profile.enrollments.iter().filter(|running| !running.parked).map(|one| running(index, one)).collect(),
        matters: seen.matters.iter().map(|(id, row)| matter(seen, profile, *id, row)).collect(),
        consents: consents(index, profile),
        came_by: None,
    }
}

fn running(index: &Index, enrollment: &Enrollment) -> Running {
    let version = index.version(enrollment.journey, enrollment.version);
    let steps = enrollment.tokens.iter().filter_map(|token| Some(version?.step_name(token.step).to_string()));
    Running {
        id: enrollment.id.to_string(),
        journey: version.map(|version| version.name.to_string()).unwrap_or_default(),
        version: version_text(enrollment.version),
        steps: steps.collect(),
        entered_at: enrollment.entered_at.to_string(),
        key: enrollment.key.as_ref().map(ToString::to_string),
    }
}

/// A message as the page shows it; without words where its template cannot be written for him.
fn matter(seen: &Seen, profile: &Profile, id: MessageId, row: &MessageRow) -> Matter {
    let enrollment = profile.enrollments.iter().find(|enrollment| enrollment.id == row.enrollment);
    let passage = enrollment.map(|enrollment| Passage::of(&seen.index, enrollment));
    let variables = content::variables(&seen.index, profile, passage.as_ref(), &Links::default(), seen.now);
    let rendered = content::render(&seen.index.definitions, &row.template, &row.channel, profile.language(), &variables).ok();
    let (title, text, url) = rendered.map_or((None, None, None), |said| (said.title.or(said.subject), Some(said.text), said.url));
    Matter {
        message: id.to_string(),
        at: row.at.to_string(),
        channel: row.channel.to_string(),
        template: row.template.to_string(),
        journey: row.journey.to_string(),
        title,
        text,
        url,
    }
}
