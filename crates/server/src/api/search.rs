//! Finding people by the beginning of a name, an identifier or another word they are known by.
//!
//! The longest word of the question leads through the rows of words; every profile found so is looked at
//! as it is now, so that words that went find nobody. A whole identifier goes before everything else.

use super::input::Asked;
use super::page::{Page, Paging, blocking};
use super::person::{ProfileSummary, Who, profiles, summary};
use crate::access::Need;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::state::App;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use faden_engine::profile::Profile;
use faden_model::{IdentifierKind, ProfileId};
use faden_runtime::views::search::{Hit, folded, stored, words};
use serde::Deserialize;
use std::time::{Duration, Instant};
use utoipa::{IntoParams, OpenApi};

pub const ACCESS: &[(&str, &str, Need)] = &[("GET", "/api/v1/profiles", Need::Scope(Scope::ProfilesRead))];

pub fn router() -> Router<App> {
    Router::new().route("/api/v1/profiles", get(search))
}

#[derive(OpenApi)]
#[openapi(paths(search))]
pub struct Document;

/// Rows that are read at once.
const ROWS: usize = 200;
/// The same where more words than the leading one must fit, so that few of the rows may count.
const ROWS_SIFTED: usize = 500;
/// Rows that one call looks at; a question that leaves very many aside gives a short page and goes on there.
const ROWS_MAX: usize = 4_000;
/// Profiles whose words are noted in one look: whatever comes in meanwhile waits for it.
const NOTED_AT_ONCE: usize = 500;
/// Time for noting in one question; while very many come in at once, those who came last are found a little later.
const NOTING_MAX: Duration = Duration::from_millis(30);
/// Longest question, in bytes.
const QUESTION_MAX: usize = 200;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Question {
    /// Beginnings of words: of a name, an e-mail address, a user id, a city. Empty: everybody, those who came last first.
    #[serde(default)]
    q: String,
    page_token: Option<String>,
    /// 1 to 500; 50 where it is missing.
    limit: Option<u64>,
}

/// Find people by the beginning of a name or an identifier
#[utoipa::path(get, path = "/api/v1/profiles", tag = "profiles", params(Question),
    responses((status = 200, body = Page<ProfileSummary>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem)))]
pub async fn search(State(app): State<App>, Asked(question): Asked<Question>) -> Result<Json<Page<ProfileSummary>>, Problem> {
    let paging = Paging::new(question.page_token, question.limit);
    let (limit, start) = (paging.limit()?, paging.start::<(String, u64)>()?);
    let text = question.q.trim();
    if text.len() > QUESTION_MAX {
        return Err(super::input::bad_input(format!("`q` is {} bytes long; the limit is {QUESTION_MAX}", text.len())));
    }
    if text.is_empty() {
        return everybody(&app, start.map(|(_, id)| id), limit).await;
    }
    let asked: Vec<String> = text.split_whitespace().map(|word| folded(word.trim_start_matches('+'))).collect();
    let leader = asked.iter().max_by_key(|word| word.len()).cloned().unwrap_or_default();
    let mut items = Vec::new();
    if start.is_none() {
        items.extend(exact(&app, text).await?);
    }
    let known: Vec<String> = items.iter().map(|item: &ProfileSummary| item.id.clone()).collect();
    let mut after = start.map(|(word, id)| (word.as_str().into(), ProfileId(id)));
    let begun = Instant::now();
    while !app.keeper.look(|node| node.note_words(NOTED_AT_ONCE)).await? && begun.elapsed() < NOTING_MAX {}
    let count = if asked.len() > 1 { ROWS_SIFTED } else { ROWS };
    for _ in 0..ROWS_MAX / count {
        let rows = rows(&app, leader.clone(), after.clone(), count).await?;
        let more = rows.len() == count;
        let found = profiles(&app, rows.iter().map(|(_, id)| *id).collect()).await?;
        let mut found = found.into_iter().peekable();
        for hit in rows {
            after = Some(hit.clone());
            let Some(profile) = found.next_if(|profile| profile.id == hit.1) else { continue };
            if leads(&profile, &hit, &leader, &asked) && !known.contains(&profile.id.to_string()) {
                items.push(ProfileSummary { matched: Some(hit.0.to_string()), ..summary(&profile) });
            }
            if items.len() >= limit {
                let next = after.map(|(word, id)| (word.to_string(), id.0));
                return Ok(Page::new(items, next.as_ref()));
            }
        }
        if !more {
            return Ok(Page::whole(items));
        }
    }
    let next = after.map(|(word, id)| (word.to_string(), id.0));
    Ok(Page::new(items, next.as_ref()))
}

/// Everybody, those who came last first.
async fn everybody(app: &App, before: Option<u64>, limit: usize) -> Result<Json<Page<ProfileSummary>>, Problem> {
    let born = app.keeper.look(|node| node.front().identity.counts().0 as u64).await?;
    let mut next = before.unwrap_or(born).min(born);
    let mut items = Vec::new();
    for _ in 0..ROWS_MAX / ROWS {
        let from = next.saturating_sub(ROWS as u64);
        for profile in profiles(app, (from..next).rev().map(ProfileId).collect()).await? {
            items.push(summary(&profile));
            if items.len() >= limit {
                return Ok(Page::new(items, Some(&("", profile.id.0)).filter(|(_, id)| *id > 0)));
            }
        }
        next = from;
        if next == 0 {
            return Ok(Page::whole(items));
        }
    }
    Ok(Page::new(items, Some(&("", next))))
}

/// Whether this is the first of the profile's words that the leading word finds, and all asked ones find some.
fn leads(profile: &Profile, hit: &Hit, leader: &str, asked: &[String]) -> bool {
    let words = words(profile);
    let first = words.iter().find(|word| word.starts_with(leader));
    first == Some(&hit.0) && asked.iter().all(|asked| words.iter().any(|word| word.starts_with(asked.as_str())))
}

/// Rows from memory and store, in one order.
async fn rows(app: &App, prefix: String, after: Option<Hit>, count: usize) -> Result<Vec<Hit>, Problem> {
    let (asked, behind) = (prefix.clone(), after.clone());
    let look = app.keeper.look(move |node| {
        // A checkpoint may have been cut since the last look.
        node.note_words(NOTED_AT_ONCE);
        (node.fresh_words(&asked, behind.as_ref(), count), node.store().cloned())
    });
    let (mut rows, store) = look.await?;
    blocking(move || {
        rows.extend(store.map(|store| stored(&store, &prefix, after.as_ref(), count)).unwrap_or_default());
        rows.sort_unstable();
        rows.dedup();
        rows.truncate(count);
        rows
    })
    .await
}

/// Whoever has this text as a whole identifier, or as his id.
async fn exact(app: &App, text: &str) -> Result<Vec<ProfileSummary>, Problem> {
    const KINDS: [&str; 7] = ["user_id", "email", "phone", "anonymous_id", "device_id", "whatsapp_id", "crm_id"];
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let definitions = app.published().definitions.clone();
    let named = Who::read(text, &definitions.country).into_iter();
    let kinds = KINDS.iter().filter_map(|kind| Who::read(&format!("{kind}:{text}"), &definitions.country));
    let asked: Vec<Who> = named.chain(kinds).collect();
    let found = app.keeper.look(move |node| asked.iter().filter_map(|who| Some((who.find(node)?, who.clone()))).collect::<Vec<_>>());
    let mut found = found.await?;
    let mut seen = Vec::new();
    found.retain(|(id, _)| {
        !seen.contains(id) && {
            seen.push(*id);
            true
        }
    });
    let matched = |id: &str| {
        let how = found.iter().find(|(known, _)| known.to_string() == id);
        how.map(|(_, who)| match who {
            Who::Id(id) => id.to_string(),
            Who::Identifier(IdentifierKind::Other(name), value) => format!("{name}:{value}"),
            Who::Identifier(_, value) => value.clone(),
        })
    };
    let found = profiles(app, seen).await?;
    Ok(found.iter().map(summary).map(|item| ProfileSummary { matched: matched(&item.id), ..item }).collect())
}
