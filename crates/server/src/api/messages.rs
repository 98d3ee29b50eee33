//! What became of every message: lists, one with its history, and numbers.

use super::decided::named;
use super::input::{Asked, bad_input};
use super::page::{Page, Paging, blocking};
use super::person::person;
use crate::access::Need;
use crate::keeper::now;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::state::App;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use faden_model::id::Born;
use faden_model::{MessageId, ProfileId, Timestamp};
use faden_runtime::views::messages::{Place, newest, of_profiles};
use faden_runtime::views::stats::StatsKey;
use faden_runtime::views::{MessageCounts, MessageRow, MessageState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::openapi::Object;
use utoipa::{IntoParams, OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[
    ("GET", "/api/v1/messages", Need::Scope(Scope::ProfilesRead)),
    ("GET", "/api/v1/messages/stats", Need::Scope(Scope::WorkspaceRead)),
    ("GET", "/api/v1/messages/{id}", Need::Scope(Scope::ProfilesRead)),
];

pub fn router() -> Router<App> {
    Router::new().route("/api/v1/messages", get(list)).route("/api/v1/messages/stats", get(stats)).route("/api/v1/messages/{id}", get(one))
}

#[derive(OpenApi)]
#[openapi(paths(list, one, stats))]
pub struct Document;

/// Messages that one call looks at; those that a filter leaves aside count.
const LOOKED_AT_MAX: usize = 5_000;
/// Messages that are read at once.
const ROWS: usize = 500;
/// Longest time that numbers go back, in hours.
const HOURS_MAX: u64 = 24 * 14;

/// One message.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Message {
    pub id: String,
    pub at: String,
    pub profile: String,
    pub user_id: String,
    pub journey: String,
    pub step: String,
    pub enrollment: String,
    pub template: String,
    pub purpose: String,
    /// Empty when no channel was left.
    pub channel: String,
    pub address: String,
    #[schema(schema_with = states)]
    pub state: &'static str,
    pub state_at: String,
    /// The provider's or the protocol's code.
    pub code: Option<String>,
    /// The rule that holds or stopped it.
    pub rule: Option<String>,
    /// Until when it is held.
    pub until: Option<String>,
    pub provider_id: Option<String>,
    /// The account that it went by; null before it did.
    pub account: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MessageDetail {
    #[serde(flatten)]
    pub message: Message,
    /// In the order in which it was learned.
    pub history: Vec<Moment>,
}

/// A message reached a state.
#[derive(Debug, Serialize, ToSchema)]
pub struct Moment {
    #[schema(schema_with = states)]
    pub state: &'static str,
    pub at: String,
    pub code: Option<String>,
}

#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// `queued`, `sent`, `delivered`, `read`, `failed`, `suppressed` or `held`.
    state: Option<String>,
    channel: Option<String>,
    journey: Option<String>,
    template: Option<String>,
    /// A profile's id or `kind:value`.
    profile: Option<String>,
    page_token: Option<String>,
    /// 1 to 500; 50 where it is missing.
    limit: Option<u64>,
}

const STATES: [MessageState; 7] = [
    MessageState::Suppressed,
    MessageState::Held,
    MessageState::Queued,
    MessageState::Sent,
    MessageState::Delivered,
    MessageState::Read,
    MessageState::Failed,
];

fn states() -> Object {
    named(&STATES.map(MessageState::name))
}

fn state(name: &str) -> Result<MessageState, Problem> {
    let known = STATES.into_iter().find(|state| state.name() == name);
    known.ok_or_else(|| bad_input(format!("`state` is `{name}`; it may be {}", STATES.map(MessageState::name).join(", "))))
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn message(id: MessageId, row: &MessageRow) -> Message {
    let (now, last) = (row.state(), row.last());
    let by_rule = matches!(now, MessageState::Suppressed | MessageState::Held);
    Message {
        id: id.to_string(),
        at: row.at.to_string(),
        profile: row.profile.to_string(),
        user_id: row.user_id.to_string(),
        journey: row.journey.to_string(),
        step: row.step.to_string(),
        enrollment: row.enrollment.to_string(),
        template: row.template.to_string(),
        purpose: row.purpose.to_string(),
        channel: row.channel.to_string(),
        address: row.address.to_string(),
        state: now.name(),
        state_at: last.at.to_string(),
        code: some(&last.code).filter(|_| !by_rule),
        rule: some(&last.code).filter(|_| by_rule),
        until: row.until.filter(|_| now == MessageState::Held).map(|until| until.to_string()),
        provider_id: some(&row.provider_id),
        account: some(&row.account),
    }
}

type Start = (i64, u64, u32);

fn place(start: Start) -> Place {
    (Timestamp(start.0), MessageId(Born { under: ProfileId(start.1), count: start.2 }))
}

/// Messages, newest first
///
/// A filter that finds little among many messages gives short pages; go on with `next_page_token` until it is null.
#[utoipa::path(get, path = "/api/v1/messages", tag = "messages", params(Filter),
    responses((status = 200, body = Page<Message>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn list(State(app): State<App>, Asked(filter): Asked<Filter>) -> Result<Json<Page<Message>>, Problem> {
    let paging = Paging::new(filter.page_token.clone(), filter.limit);
    let (limit, mut start) = (paging.limit()?, paging.start::<Start>()?);
    let wanted = filter.state.as_deref().map(state).transpose()?;
    let matches = |row: &MessageRow| {
        let is = |asked: &Option<String>, value: &str| asked.as_deref().is_none_or(|asked| asked == value);
        wanted.is_none_or(|state| row.state() == state)
            && is(&filter.channel, &row.channel)
            && is(&filter.journey, &row.journey)
            && is(&filter.template, &row.template)
    };
    let mut items = Vec::new();
    for _ in 0..LOOKED_AT_MAX / ROWS {
        let rows = match &filter.profile {
            Some(who) => of_person(&app, who, start.map(place)).await?,
            None => of_all(&app, start.map(place)).await?,
        };
        let last = filter.profile.is_some() || rows.len() < ROWS;
        for (id, row) in &rows {
            start = Some((row.at.0, id.0.under.0, id.0.count));
            items.extend(matches(row).then(|| message(*id, row)));
            if items.len() >= limit {
                return Ok(Page::new(items, start.as_ref()));
            }
        }
        if last {
            return Ok(Page::whole(items));
        }
    }
    Ok(Page::new(items, start.as_ref()))
}

async fn of_all(app: &App, until: Option<Place>) -> Result<Vec<(MessageId, MessageRow)>, Problem> {
    let look = app.keeper.look(move |node| {
        let unsaved = node.views().map(|views| views.messages.unsaved(until, ROWS)).unwrap_or_default();
        (unsaved, node.store().cloned())
    });
    let (unsaved, store) = look.await?;
    blocking(move || store.map(|store| newest(&store, unsaved, until, ROWS)).unwrap_or_default()).await
}

async fn of_person(app: &App, who: &str, until: Option<Place>) -> Result<Vec<(MessageId, MessageRow)>, Problem> {
    let look = person(app, who, |node, person| {
        let views = node.views();
        views.map(|views| views.messages.unsaved_of(&person.strands)).unwrap_or_default()
    });
    let (person, unsaved) = look.await?;
    blocking(move || {
        let mut rows = of_profiles(&person.store, unsaved, &person.strands);
        rows.retain(|(id, row)| until.is_none_or(|until| (row.at, *id) < until));
        rows
    })
    .await
}

/// One message and everything that became of it
#[utoipa::path(get, path = "/api/v1/messages/{id}", tag = "messages", params(("id" = String, Path, description = "msg_...")),
    responses((status = 200, body = MessageDetail), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Json<MessageDetail>, Problem> {
    let missing = || Problem::not_found("message");
    let id = MessageId::parse(&id).map_err(|_| missing())?;
    let look = app.keeper.look(move |node| {
        let born = [id.0.under];
        let mut unsaved = node.views().map(|views| views.messages.unsaved_of(&born)).unwrap_or_default();
        unsaved.retain(|(known, _)| *known == id);
        (unsaved.pop().map(|(_, row)| row), node.store().cloned())
    });
    let (unsaved, store) = look.await?;
    let row = blocking(move || unsaved.or_else(|| faden_runtime::views::messages::stored(&store?, id))).await?.ok_or_else(missing)?;
    let history =
        row.moments.iter().map(|moment| Moment { state: moment.state.name(), at: moment.at.to_string(), code: some(&moment.code) });
    Ok(Json(MessageDetail { message: message(id, &row), history: history.collect() }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StatsAsked {
    /// `channel`, `template`, `country` or `provider`, which is the account that they went by; messages that are not handed over yet have none.
    by: Option<String>,
    /// 1 to 336, whole hours with the running one; 24 where it is missing.
    hours: Option<String>,
}

/// Messages by the state they are in now.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct MessageStats {
    pub key: String,
    pub queued: u64,
    pub sent: u64,
    pub delivered: u64,
    pub read: u64,
    pub failed: u64,
    pub suppressed: u64,
    pub held: u64,
}

impl MessageStats {
    fn add(&mut self, state: MessageState, count: u64) {
        let place = match state {
            MessageState::Queued => &mut self.queued,
            MessageState::Sent => &mut self.sent,
            MessageState::Delivered => &mut self.delivered,
            MessageState::Read => &mut self.read,
            MessageState::Failed => &mut self.failed,
            MessageState::Suppressed => &mut self.suppressed,
            MessageState::Held => &mut self.held,
        };
        *place += count;
    }
}

/// How many messages of the last hours are in which state
#[utoipa::path(get, path = "/api/v1/messages/stats", tag = "messages", params(StatsAsked),
    responses((status = 200, body = Page<MessageStats>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem)))]
pub async fn stats(State(app): State<App>, Asked(asked): Asked<StatsAsked>) -> Result<Json<Page<MessageStats>>, Problem> {
    let hours = match &asked.hours {
        None => 24,
        Some(text) => {
            let hours = text.parse().ok().filter(|hours| (1..=HOURS_MAX).contains(hours));
            hours.ok_or_else(|| bad_input(format!("`hours` is `{text}`; send a number from 1 to {HOURS_MAX}")))?
        }
    };
    let by = asked.by.unwrap_or_else(|| "channel".to_owned());
    if !["channel", "template", "country", "provider"].contains(&by.as_str()) {
        return Err(bad_input(format!("`by` is `{by}`; it may be channel, template, country or provider")));
    }
    let last = u64::try_from(now().0 / 3_600_000).unwrap_or_default();
    let look = app.keeper.look(move |node| {
        let Some(views) = node.views() else { return Vec::new() };
        let keyed = |(channel, template, country): &StatsKey| match by.as_str() {
            "template" => template.to_string(),
            "country" => country.to_string(),
            _ => channel.to_string(),
        };
        let counted: Vec<(String, MessageCounts)> = if by == "provider" {
            let all = views.accounts.last(last, hours).flat_map(|(_, hour)| hour);
            all.map(|((account, _), counts)| (account.to_string(), counts.clone())).collect()
        } else {
            views.stats.last(last, hours).flat_map(|(_, hour)| hour).map(|(key, counts)| (keyed(key), counts.clone())).collect()
        };
        counted
    });
    let mut sums: BTreeMap<String, MessageStats> = BTreeMap::new();
    for (key, counts) in look.await? {
        let sum = sums.entry(key.clone()).or_insert_with(|| MessageStats { key, ..MessageStats::default() });
        counts.0.iter().for_each(|(state, count)| sum.add(*state, *count));
    }
    Ok(Page::whole(sums.into_values().collect()))
}
