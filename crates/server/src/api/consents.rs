//! The ledger of consents: who gave and withdrew what, when, and what proves it.

use super::input::Asked;
use super::page::{Page, Paging, blocking};
use super::person::person;
use crate::access::Need;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::state::App;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use faden_runtime::views::consents::{BY_STRAND, BY_TIME, ConsentRow, newest};
use faden_runtime::views::ledger::Range;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[("GET", "/api/v1/consents", Need::Scope(Scope::ProfilesRead))];

pub fn router() -> Router<App> {
    Router::new().route("/api/v1/consents", get(list))
}

#[derive(OpenApi)]
#[openapi(paths(list))]
pub struct Document;

/// Entries that one call looks at; those that a filter leaves aside count.
const LOOKED_AT_MAX: usize = 5_000;
/// Entries that are read at once.
const ROWS: usize = 500;

/// One consent that was given or withdrawn.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsentEntry {
    pub at: String,
    pub profile: String,
    pub user_id: String,
    pub purpose: String,
    pub channel: Option<String>,
    pub granted: bool,
    /// The event's name, or `journey`.
    pub cause: Option<String>,
    /// Message id of the event, or id of the passage.
    pub proof: Option<String>,
    pub decision: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// A profile's id or `kind:value`.
    profile: Option<String>,
    purpose: Option<String>,
    page_token: Option<String>,
    /// 1 to 500; 50 where it is missing.
    limit: Option<u64>,
}

/// Everything that was said about consent, newest first
#[utoipa::path(get, path = "/api/v1/consents", tag = "policies", params(Filter),
    responses((status = 200, body = Page<ConsentEntry>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn list(State(app): State<App>, Asked(filter): Asked<Filter>) -> Result<Json<Page<ConsentEntry>>, Problem> {
    let paging = Paging::new(filter.page_token, filter.limit);
    let (limit, mut start) = (paging.limit()?, paging.start::<Vec<u8>>()?);
    // The part of a key behind its prefix: instant and what was counted, in one order over all strands.
    let prefixes = match &filter.profile {
        None => vec![vec![BY_TIME]],
        Some(who) => {
            let (person, ()) = person(&app, who, |_, _| ()).await?;
            person.strands.iter().map(|strand| [[BY_STRAND].as_slice(), &strand.0.to_be_bytes()].concat()).collect()
        }
    };
    let mut items = Vec::new();
    for _ in 0..LOOKED_AT_MAX / ROWS {
        let rows = rows(&app, prefixes.clone(), start.clone()).await?;
        let last = rows.len() < ROWS;
        for (tail, row) in rows {
            start = Some(tail);
            items.extend(Some(row).filter(|row| filter.purpose.as_deref().is_none_or(|purpose| row.purpose == purpose)).map(entry));
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

/// Rows of all these prefixes together, newest first, before the key whose rest is `before`.
async fn rows(app: &App, prefixes: Vec<Vec<u8>>, before: Option<Vec<u8>>) -> Result<Vec<(Vec<u8>, ConsentRow)>, Problem> {
    let range = move |prefix: Vec<u8>| Range { before: before.as_ref().map(|rest| [prefix.as_slice(), rest].concat()), prefix };
    let ranges: Vec<Range> = prefixes.into_iter().map(range).collect();
    let asked = ranges.clone();
    let look = app.keeper.look(move |node| {
        let store = node.store().cloned();
        let rows = node.views().map(|views| asked.iter().map(|range| views.consents.unsaved(range, ROWS)).collect::<Vec<_>>());
        (rows.unwrap_or_default(), store)
    });
    let (unsaved, store) = look.await?;
    blocking(move || {
        let Some(store) = store else { return Vec::new() };
        let of = |(range, unsaved): (&Range, _)| newest(&store, unsaved, range, ROWS);
        let mut rows: Vec<(Vec<u8>, ConsentRow)> = ranges.iter().zip(unsaved).flat_map(of).collect();
        rows.sort_by(|(one, _), (next, _)| next.cmp(one));
        rows.truncate(ROWS);
        rows
    })
    .await
}

fn entry(row: ConsentRow) -> ConsentEntry {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ConsentEntry {
        at: row.at.to_string(),
        profile: row.profile.to_string(),
        user_id: row.user_id.to_string(),
        purpose: row.purpose.to_string(),
        channel: row.channel.as_deref().map(str::to_owned),
        granted: row.granted,
        cause: some(&row.cause),
        proof: some(&row.proof),
        decision: row.decision.map(|decision| decision.to_string()),
    }
}
