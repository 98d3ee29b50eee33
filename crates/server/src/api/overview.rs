//! What flows now: rates, numbers by channel, what needs a person.

use crate::access::Need;
use crate::channels::{AccountHealth, AccountState};
use crate::keeper::{Refusal, now};
use crate::live::Second;
use crate::problem::Problem;
use crate::said::{Code, Said, SettingFault, Wording};
use crate::state::App;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use faden_model::{ProfileId, Timestamp};
use faden_runtime::views::MessageState;
use faden_runtime::views::guarded::GuardedRow;
use serde::Serialize;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use utoipa::{OpenApi, ToSchema};

use crate::keys::Scope;

pub const ACCESS: &[(&str, &str, Need)] = &[("GET", "/api/v1/overview", Need::Scope(Scope::WorkspaceRead))];

pub fn router() -> Router<App> {
    Router::new().route("/api/v1/overview", get(overview))
}

#[derive(OpenApi)]
#[openapi(paths(overview), components(schemas(SettingFault)))]
pub struct Document;

/// What flows now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Overview {
    pub now: String,
    /// The engine's clock.
    pub clock: String,
    pub events_per_second: u64,
    pub decisions_per_second: u64,
    /// Events of the whole record, each once however often it was sent.
    pub events_total: u64,
    /// People that there are now; who was merged into another does not count.
    pub profiles: u64,
    pub enrollments_running: u64,
    pub decisions_total: u64,
    /// Records in the log.
    pub position: u64,
    /// The last two minutes, oldest first.
    pub rates: Vec<Rate>,
    pub messages: Vec<ChannelCounts>,
    pub attention: Vec<Attention>,
}

/// One second.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Rate {
    pub at: String,
    pub events: u64,
    pub decisions: u64,
}

/// So long a profile at the guard is spoken of, and so many of them.
const GUARDED_FOR_MS: i64 = 24 * 3_600_000;
const GUARDED_MAX: usize = 5;

/// How many messages of a channel are in each state.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ChannelCounts {
    pub channel: String,
    pub queued: u64,
    pub sent: u64,
    pub delivered: u64,
    pub read: u64,
    pub failed: u64,
    pub suppressed: u64,
    pub held: u64,
}

/// What needs a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttentionKind {
    NotReady,
    Clock,
    ChannelDown,
    ChannelUnconfigured,
    SourceSilent,
    SourceJump,
    IdentityGuarded,
    DeadLetters,
}

/// Something that needs a person.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Attention {
    pub kind: AttentionKind,
    pub subject: String,
    pub detail: String,
    /// What `detail` says, for clients that say it themselves.
    pub wording: Option<Wording>,
    pub since: Option<String>,
    pub hint: String,
    /// Where in the console it can be looked at.
    pub href: String,
}

/// What flows now, and what needs a person
#[utoipa::path(get, path = "/api/v1/overview", tag = "overview", responses((status = 200, body = Overview), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub async fn overview(State(app): State<App>) -> Result<Json<Overview>, Problem> {
    Ok(Json(look(&app).await?))
}

async fn look(app: &App) -> Result<Overview, Refusal> {
    let numbers = app.keeper.look(|node| {
        let (clock, position) = (node.front().clock(), node.position().0);
        let profiles = node.front().identity.profiles() as u64;
        let lately = Timestamp(clock.0 - GUARDED_FOR_MS);
        let (counts, guarded) = node.views().map(|views| (views.counts.clone(), views.guarded.since(lately))).unwrap_or_default();
        (clock, position, profiles, counts, guarded)
    });
    let (clock, position, profiles, counts, guarded) = match numbers.await {
        Ok(numbers) => numbers,
        Err(refusal) => return stopped(app).ok_or(refusal),
    };
    let seconds = app.live.seconds();
    // A burst of one second is no rate: the mean of the last five.
    let last: Vec<&Second> = seconds.iter().rev().take(5).collect();
    let mean = |of: fn(&Second) -> u64| last.iter().map(|second| of(second)).sum::<u64>() / (last.len().max(1) as u64);
    let messages = counts.messages.iter().map(|(channel, counts)| ChannelCounts {
        channel: channel.to_string(),
        queued: counts.of(MessageState::Queued),
        sent: counts.of(MessageState::Sent),
        delivered: counts.of(MessageState::Delivered),
        read: counts.of(MessageState::Read),
        failed: counts.of(MessageState::Failed),
        suppressed: counts.of(MessageState::Suppressed),
        held: counts.of(MessageState::Held),
    });
    let overview = Overview {
        now: now().to_string(),
        clock: clock.to_string(),
        events_per_second: mean(|second| second.events),
        decisions_per_second: mean(|second| second.decisions),
        events_total: counts.events,
        profiles,
        enrollments_running: counts.journeys.values().map(faden_runtime::views::JourneyCounts::running).sum(),
        decisions_total: counts.decisions,
        position,
        rates: seconds.iter().map(rate).collect(),
        messages: messages.collect(),
        attention: attention(app, &guarded),
    };
    *lock(&app.overview) = Some(overview.clone());
    Ok(overview)
}

/// While the node is down: what was last seen of it, nothing that flows, and what is wrong.
fn stopped(app: &App) -> Option<Overview> {
    app.keeper.health().trouble.as_ref()?;
    let last = lock(&app.overview).clone()?;
    Some(Overview { now: now().to_string(), events_per_second: 0, decisions_per_second: 0, attention: attention(app, &[]), ..last })
}

fn lock(overview: &Mutex<Option<Overview>>) -> MutexGuard<'_, Option<Overview>> {
    overview.lock().expect("no holder of this lock panics")
}

fn rate(second: &Second) -> Rate {
    Rate { at: faden_model::Timestamp(second.at).to_string(), events: second.events, decisions: second.decisions }
}

fn attention(app: &App, guarded: &[(ProfileId, GuardedRow)]) -> Vec<Attention> {
    let mut found = Vec::new();
    let health = app.keeper.health();
    if let Some((code, cause)) = health.trouble {
        let hint = format!("{}{}{code} says how to repair it", app.base_url, crate::problem::PAGES);
        let said = Said::new(Code::NodeDown, [("problem", code.into()), ("cause", cause.as_str().into())], cause);
        found.push(attend(AttentionKind::NotReady, code, Some(said), &hint, "/settings"));
    }
    if health.clock_behind_ms > 0 {
        let seconds = health.clock_behind_ms.unsigned_abs() / 1000;
        let text = format!("the system's clock is {seconds} s behind the log; timers wait until it has caught up");
        let said = Said::new(Code::ClockBehind, [("seconds", seconds.into())], text);
        found.push(attend(AttentionKind::Clock, "clock", Some(said), "set the clock by NTP", "/settings"));
    }
    found.extend(app.channels.health().into_iter().filter_map(of_account));
    found.extend(app.live.sources.watched(now().0).into_iter().map(of_source));
    found.extend(guarded.iter().take(GUARDED_MAX).map(of_guarded));
    let (waiting, dropped) = app.dead_letters.counts();
    if waiting > 0 {
        let gone = if dropped > 0 { format!(", {dropped} older ones were dropped") } else { String::new() };
        let code = if dropped > 0 { Code::CallsDropped } else { Code::CallsRefused };
        let text = format!("{waiting} calls could not be taken{gone}");
        let said = Said::new(code, [("waiting", waiting.into()), ("dropped", dropped.into())], text);
        let hint = "look at them, mend the source, send them again";
        found.push(attend(AttentionKind::DeadLetters, "intake", Some(said), hint, "/sources?view=dead_letters"));
    }
    found
}

fn attend(kind: AttentionKind, subject: &str, said: Option<Said>, hint: &str, href: &str) -> Attention {
    let (detail, wording) = said.map(|said| (said.text, said.wording)).unzip();
    Attention {
        kind,
        subject: subject.to_owned(),
        detail: detail.unwrap_or_default(),
        wording,
        since: None,
        hint: hint.to_owned(),
        href: href.to_owned(),
    }
}

/// An account that cannot be used.
fn of_account(account: AccountHealth) -> Option<Attention> {
    let (kind, hint) = match account.state {
        AccountState::Up => return None,
        AccountState::Unconfigured => (AttentionKind::ChannelUnconfigured, "set what is missing and publish again"),
        AccountState::Down => (AttentionKind::ChannelDown, "messages wait; look at the provider and at the account's settings"),
    };
    let said = account.last_error.zip(account.last_error_wording).map(|(text, wording)| Said { text, wording });
    let attention = attend(kind, &account.name, said, hint, "/sources?view=channels");
    Some(Attention { since: Some(account.since), ..attention })
}

/// A profile that would have grown beyond the guard.
fn of_guarded((profile, row): &(ProfileId, GuardedRow)) -> Attention {
    let text = format!("{} identifiers were not joined, because the profile would grow beyond the guard", row.times);
    let said = Said::new(Code::IdentityGuarded, [("times", row.times.into())], text);
    let hint = "look whether a shared device or a made-up value joins many people; block the value in identity.yaml, or raise the guard";
    let attention =
        attend(AttentionKind::IdentityGuarded, &profile.to_string(), Some(said), hint, &format!("/people/{profile}?tab=identity"));
    Attention { since: Some(row.last.to_string()), ..attention }
}

/// A source that does not behave as in its own last hours.
fn of_source((source, finding): (String, crate::watch::Finding)) -> Attention {
    let (kind, hint) = match finding.what {
        crate::watch::What::Silent => {
            (AttentionKind::SourceSilent, "look whether the source still runs and whether its key is still the right one")
        }
        crate::watch::What::Jump => (AttentionKind::SourceJump, "look at what changed in the source: a release, a campaign, a loop"),
    };
    let attention = attend(kind, &source, Some(finding.said), hint, "/sources");
    Attention { since: Some(finding.since.to_string()), ..attention }
}

/// Counts the rates of each second, and tells those who listen.
pub async fn every_second(app: App) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut events, mut decisions) = (0, None);
    loop {
        ticks.tick().await;
        let total = app.live.events.load(Ordering::Relaxed);
        let decided = app.keeper.look(|node| node.views().map(|views| views.counts.decisions)).await;
        if let Ok(Some(decided)) = decided {
            // Decisions are counted since ever: the first second has nothing to compare with.
            let before = decisions.replace(decided).unwrap_or(decided);
            app.live.second(Second { at: now().0, events: total - events, decisions: decided.saturating_sub(before) });
            events = total;
        }
        if app.live.listeners() == 0 {
            continue;
        }
        if let Ok(text) = look(&app).await.map(|overview| serde_json::to_string(&overview).unwrap_or_default()) {
            app.live.tell("overview", text);
        }
    }
}
