//! Everything that is known of one person, and what an operator may change of it.

use super::consent_state::{Consent, consents};
use super::input::Input;
use super::lines::{Cursor, Lines};
use super::page::blocking;
use super::passage::{Passage, ended, passage};
use super::person::{Person, name, person, raw, view};
use crate::access::{Need, Who};
use crate::keeper::now;
use crate::keys::Scope;
use crate::past::Tellers;
use crate::problem::Problem;
use crate::signed::Use;
use crate::state::App;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use faden_engine::front::CONSENT;
use faden_engine::identity::LedgerEntry;
use faden_engine::profile::Profile;
use faden_model::{Command, Event, EventKind, Identifier};
use faden_storage::Position;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::collections::BTreeMap;
use utoipa::{OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[
    ("GET", "/api/v1/profiles/{id}", Need::Scope(Scope::ProfilesRead)),
    ("POST", "/api/v1/profiles/{id}/consents", Need::Scope(Scope::ProfilesWrite)),
    ("POST", "/api/v1/merges/{merge}/undo", Need::Scope(Scope::ProfilesWrite)),
];

pub fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/profiles/{id}", get(one))
        .route("/api/v1/profiles/{id}/consents", post(consent))
        .route("/api/v1/merges/{merge}/undo", post(undo_merge))
}

#[derive(OpenApi)]
#[openapi(paths(one, consent, undo_merge))]
pub struct Document;

/// Decisions among which passages that have ended are looked for.
const DECISIONS_LOOKED_AT: usize = 2_000;
/// Longest note on a change of consent.
const NOTE_BYTES_MAX: usize = 500;

/// Everything that is known of one person.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProfileDetail {
    pub id: String,
    pub name: Option<String>,
    pub created_at: String,
    pub last_seen_at: String,
    pub country: Option<String>,
    pub language: Option<String>,
    pub time_zone: Option<String>,
    pub preferred_channel: Option<String>,
    pub identifiers: Vec<KnownIdentifier>,
    /// The latest value that a source told for each.
    #[schema(value_type = BTreeMap<String, Value>)]
    pub traits: BTreeMap<String, Box<RawValue>>,
    /// Every telling, by the strand it came from.
    pub trait_details: Vec<TraitDetail>,
    #[schema(value_type = BTreeMap<String, Value>)]
    pub computed_traits: BTreeMap<String, Box<RawValue>>,
    pub consents: Vec<Consent>,
    pub audiences: Vec<Membership>,
    /// Running ones first, then those that have ended, newest first.
    pub enrollments: Vec<Passage>,
    pub merges: Vec<Merge>,
    pub preferences_url: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct KnownIdentifier {
    pub kind: String,
    pub value: String,
    pub first_seen_at: String,
    /// The source that told it first, where one is known.
    pub source: Option<String>,
    /// The profile under which it was learned.
    pub strand: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TraitDetail {
    pub name: String,
    #[schema(value_type = Value)]
    pub value: Box<RawValue>,
    pub at: String,
    pub strand: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Membership {
    pub audience: String,
    pub title: String,
    pub since: String,
}

/// Two profiles became one.
#[derive(Debug, Serialize, ToSchema)]
pub struct Merge {
    pub merge: u32,
    pub winner: String,
    pub loser: String,
    pub at: String,
    pub identifier_kind: String,
    pub undone: bool,
}

/// Everything that is known of one person
#[utoipa::path(get, path = "/api/v1/profiles/{id}", tag = "profiles", params(("id" = String, Path, description = "a profile's id or kind:value")),
    responses((status = 200, body = ProfileDetail), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Json<ProfileDetail>, Problem> {
    let look = person(&app, &id, |node, person| {
        let unsaved = node.views().map(|views| views.timeline.unsaved(&person.strands, Position(u64::MAX))).unwrap_or_default();
        (node.unwritten_of(&person.strands), unsaved, node.front().identity.ledger(person.id))
    });
    let (person, (unwritten, unsaved, ledger)) = look.await?;
    let log = app.log.read().expect("no holder of this lock panics").clone();
    let strand = person.strands.first().copied().unwrap_or(person.id);
    let preferences = format!("{}/p/{}", app.base_url, app.signer.sign(Use::Preferences, strand, ""));
    let found = blocking(move || {
        let profile = person.profile()?;
        let lines = Lines::new(&person, &unwritten).newest(&Cursor::new(), DECISIONS_LOOKED_AT, |_| true);
        let mut passages: Vec<Passage> =
            profile.enrollments.iter().map(|running| passage(&person.index, &profile, running, None)).collect();
        passages.extend(ended(&person.index, &profile, &lines));
        let tellers = Tellers::new(log, &person.store, &person.strands, &unsaved);
        Some((detail(&person, &profile, &tellers), passages))
    });
    let (detail, enrollments) = found.await?.ok_or_else(|| Problem::not_found("profile"))?;
    let files = &app.published().files;
    let titled = |membership: Membership| {
        let file = files.defining("audiences", "audience", &membership.audience);
        let title = file.and_then(|(_, text)| faden_engine::workspace::about(text).remove("title"));
        Membership { title: title.unwrap_or_else(|| membership.audience.clone()), ..membership }
    };
    let audiences = detail.audiences.into_iter().map(titled).collect();
    let merges = ledger.iter().rev().map(merge).collect();
    Ok(Json(ProfileDetail { audiences, enrollments, merges, preferences_url: preferences, ..detail }))
}

/// The source that told an identifier. A log that cannot be read keeps nobody from his profile.
fn teller(tellers: &Tellers, known: &faden_engine::profile::KnownIdentifier) -> Option<String> {
    let identifier = Identifier { kind: known.kind.clone(), value: Cow::Borrowed(known.value.as_str()) };
    tellers.of(&identifier, known.first_seen_at).unwrap_or_else(|error| {
        tracing::warn!(%error, "it cannot be read who told an identifier");
        None
    })
}

/// What stands in the profile itself, and who told it.
fn detail(person: &Person, profile: &Profile, tellers: &Tellers) -> ProfileDetail {
    let (index, view) = (&person.index, view(&person.index, profile, person.now));
    let text = |text: Option<&str>| text.map(str::to_owned);
    let strands = || profile.strands.iter();
    let identifiers = strands().flat_map(|strand| {
        strand.identifiers.iter().map(|known| KnownIdentifier {
            kind: known.kind.name().to_owned(),
            value: known.value.to_string(),
            first_seen_at: known.first_seen_at.to_string(),
            source: teller(tellers, known),
            strand: strand.origin.to_string(),
        })
    });
    let told = strands().flat_map(|strand| {
        strand.traits.iter().map(|told| TraitDetail {
            name: told.name.to_string(),
            value: raw(&told.value),
            at: told.at.to_string(),
            strand: strand.origin.to_string(),
        })
    });
    let names = strands().flat_map(|strand| &strand.traits).map(|told| told.name.as_str());
    let traits = names.map(|name| (name, profile.told(name))).filter(|(_, value)| !value.is_null());
    let computed = index.definitions.traits.iter().map(|plan| (plan.name.to_string(), raw(&view.trait_value(&plan.name))));
    let audiences = profile.memberships.iter().filter_map(|membership| {
        let audience = index.audience_name(membership.key)?.to_owned();
        Some(Membership { title: String::new(), audience, since: membership.since.to_string() })
    });
    ProfileDetail {
        id: profile.id.to_string(),
        name: name(profile),
        created_at: profile.created_at.to_string(),
        last_seen_at: profile.last_seen_at.to_string(),
        country: text(profile.country()),
        language: text(profile.language()),
        time_zone: text(profile.time_zone()),
        preferred_channel: text(profile.preferred_channel()),
        identifiers: identifiers.collect(),
        traits: traits.map(|(name, value)| (name.to_owned(), raw(value))).collect(),
        trait_details: told.collect(),
        computed_traits: computed.collect(),
        consents: consents(index, profile),
        audiences: audiences.collect(),
        enrollments: Vec::new(),
        merges: Vec::new(),
        preferences_url: String::new(),
    }
}

fn merge(entry: &LedgerEntry) -> Merge {
    Merge {
        merge: entry.id.0,
        winner: entry.winner.to_string(),
        loser: entry.loser.to_string(),
        at: entry.at.to_string(),
        identifier_kind: entry.cause.name().to_owned(),
        undone: entry.undone.is_some(),
    }
}

/// A consent that an operator notes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentChange {
    pub purpose: String,
    /// A channel kind; all where it is missing.
    #[serde(default)]
    pub channel: Option<String>,
    pub granted: bool,
    /// Why; kept as proof.
    #[serde(default)]
    pub note: Option<String>,
}

/// The record that was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct Written {
    pub message_id: String,
}

/// Note that somebody gave or withdrew a consent
///
/// `Idempotency-Key` makes a repeat of the call the same record, for ever.
#[utoipa::path(post, path = "/api/v1/profiles/{id}/consents", tag = "profiles", request_body = ConsentChange,
    params(("id" = String, Path, description = "a profile's id or kind:value")),
    responses((status = 202, body = Written), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
pub async fn consent(
    State(app): State<App>,
    Path(id): Path<String>,
    Who(caller): Who,
    headers: HeaderMap,
    Input(change): Input<ConsentChange>,
) -> Result<(StatusCode, Json<Written>), Problem> {
    let wrong = |detail: &str| Problem::bad_request("bad-input", detail, "name a purpose such as `marketing`; notes are short");
    if change.purpose.trim().is_empty() || change.purpose.len() > 100 {
        return Err(wrong("`purpose` is empty or too long"));
    }
    if change.note.as_ref().is_some_and(|note| note.len() > NOTE_BYTES_MAX) {
        return Err(wrong("`note` is longer than 500 bytes"));
    }
    let (person, ()) = person(&app, &id, |_, _| ()).await?;
    let profile = blocking(move || person.profile()).await?.ok_or_else(|| Problem::not_found("profile"))?;
    let Some(known) = profile.strands.iter().flat_map(|strand| &strand.identifiers).min_by(|one, next| one.kind.cmp(&next.kind)) else {
        return Err(Problem::not_found("profile"));
    };
    let message_id = match headers.get("idempotency-key").map(|key| key.as_bytes()) {
        Some(key) => format!("api-{}", &blake3::hash(&[caller.name.as_bytes(), &[0], key].concat()).to_hex()[..32]),
        None => crate::keys::secret("api-"),
    };
    let state = if change.granted { "granted" } else { "withdrawn" };
    let mut properties = json!({"purpose": change.purpose, "state": state, "by": caller.name});
    for (name, value) in [("channel", &change.channel), ("note", &change.note)] {
        if let Some(value) = value {
            properties[name] = json!(value);
        }
    }
    let event = Event {
        kind: EventKind::Track,
        message_id: Cow::Borrowed(&message_id),
        name: Cow::Borrowed(CONSENT),
        timestamp: None,
        identifiers: vec![Identifier { kind: known.kind.clone(), value: Cow::Borrowed(known.value.as_str()) }],
        properties: Cow::Owned(properties.to_string()),
        traits: Cow::Borrowed("{}"),
        context: Cow::Borrowed("{}"),
        consents: SmallVec::new(),
    };
    audit(&app, &caller.name, &format!("consent.{state}"), &profile.id.to_string(), &change.purpose)?;
    app.keeper.record(Command::told(&caller.name, event)).await?;
    Ok((StatusCode::ACCEPTED, Json(Written { message_id })))
}

/// Writes down who does what, before it is done.
pub fn audit(app: &App, who: &str, action: &str, subject: &str, detail: &str) -> Result<(), Problem> {
    app.audit.write(&now().to_string(), who, action, subject, detail).map_err(|error| {
        tracing::error!(%error, "the audit log cannot be written");
        let hint = "look at the disk under the data directory; nothing was changed";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "audit-not-written", "the change could not be written to the audit log", hint)
    })
}

/// Take a merge back
///
/// What the two learned since stays with the strand that learned it.
#[utoipa::path(post, path = "/api/v1/merges/{merge}/undo", tag = "profiles", params(("merge" = String, Path, description = "its number")),
    responses((status = 202, description = "taken back"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
pub async fn undo_merge(State(app): State<App>, Path(merge): Path<String>, Who(caller): Who) -> Result<StatusCode, Problem> {
    let Ok(number) = merge.parse::<u32>() else { return Err(Problem::not_found("merge")) };
    let refusal = app.keeper.look(move |node| node.front().identity.refuses_unmerge(faden_engine::identity::MergeId(number))).await?;
    match refusal {
        None => {}
        Some(faden_engine::identity::UnmergeRefusal::NoSuchMerge(_)) => return Err(Problem::not_found("merge")),
        Some(refusal) => {
            let hint = "look at the merges of the profile; later ones are taken back first";
            return Err(Problem::new(StatusCode::CONFLICT, refusal.code(), refusal.to_string(), hint));
        }
    }
    audit(&app, &caller.name, "merge.undone", &merge, "")?;
    app.keeper.record(Command::Unmerge { merge: number }).await?;
    Ok(StatusCode::ACCEPTED)
}
