//! One passage of somebody through a journey, as lists show it.

use super::lines::Line;
use super::person::user_id;
use faden_engine::Index;
use faden_engine::journey::{Change, Enrollment, JourneyVersion, StepKind, Token, TokenState};
use faden_engine::profile::Profile;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A passage.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Passage {
    pub id: String,
    pub profile: String,
    pub user_id: String,
    pub journey: String,
    pub title: String,
    pub version: String,
    /// Where it stands; null when it has ended.
    pub step: Option<String>,
    pub state: PassageState,
    /// What it waits for, in words.
    pub waiting_for: Option<String>,
    /// When it goes on by itself.
    pub until: Option<String>,
    pub entered_at: String,
    /// The instance it is about, such as an order.
    pub key: Option<String>,
    /// `completed`, `exit`, `goal` or `merged`, when it has ended.
    pub outcome: Option<String>,
    pub ended_at: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PassageState {
    Waiting,
    /// A message of it is held back until a time.
    Held,
    /// A twin of the same journey runs, since a merge.
    Parked,
    Ended,
}

/// A version as people name it.
pub fn version_text(version: u64) -> String {
    format!("{version:016x}")
}

/// A running passage; `at` names the step where it was found, when it stands at several.
pub fn passage(index: &Index, profile: &Profile, enrollment: &Enrollment, at: Option<u16>) -> Passage {
    let version = index.version(enrollment.journey, enrollment.version);
    let token = enrollment.tokens.iter().find(|token| at.is_none_or(|at| token.step == at));
    let state = match token.map(|token| &token.state) {
        _ if enrollment.parked => PassageState::Parked,
        Some(TokenState::Held { .. }) => PassageState::Held,
        _ => PassageState::Waiting,
    };
    Passage {
        id: enrollment.id.to_string(),
        profile: profile.id.to_string(),
        user_id: user_id(profile),
        journey: version.map(|version| version.name.to_string()).unwrap_or_default(),
        title: version.map(|version| version.title.to_string()).unwrap_or_default(),
        version: version_text(enrollment.version),
        step: version.zip(token).map(|(version, token)| version.step_name(token.step).to_string()),
        state,
        waiting_for: version.zip(token).map(|(version, token)| waits_for(index, version, token)),
        until: token.and_then(|token| token.state.due()).map(|(due, _)| due.to_string()),
        entered_at: enrollment.entered_at.to_string(),
        key: enrollment.key.as_ref().map(ToString::to_string),
        outcome: None,
        ended_at: None,
    }
}

fn waits_for(index: &Index, version: &JourneyVersion, token: &Token) -> String {
    match (&token.state, version.steps.get(usize::from(token.step)).map(|step| &step.kind)) {
        (TokenState::Held { .. }, _) => "the end of quiet hours".to_owned(),
        (TokenState::Receipt { message, .. }, _) => format!("a receipt of {message}"),
        (TokenState::Child { enrollment }, _) => format!("the end of {enrollment}"),
        (_, Some(StepKind::WaitEvent { event, .. })) => format!("the event {event}"),
        (_, Some(StepKind::WaitAudience { audience, change, .. })) => {
            let verb = if *change == Change::Entered { "entering" } else { "leaving" };
            format!("{verb} the audience {}", index.audience_name(*audience).unwrap_or_default())
        }
        _ => "a time".to_owned(),
    }
}

/// Passages that have ended, newest first, from decisions that come newest first.
pub fn ended(index: &Index, profile: &Profile, lines: &[Line]) -> Vec<Passage> {
    let mut entered: BTreeMap<String, Value> = BTreeMap::new();
    let mut ends = Vec::new();
    for line in lines {
        let end = line.text.starts_with("{\"kind\":\"ended\"");
        if !end && !line.text.starts_with("{\"kind\":\"enrolled\"") {
            continue;
        }
        let Ok(read) = serde_json::from_str::<Value>(&line.text) else { continue };
        match read["enrollment"].as_str().map(str::to_owned) {
            Some(id) if end => ends.push((id, read)),
            Some(id) => drop(entered.insert(id, read)),
            None => {}
        }
    }
    let whole = |(id, end): (String, Value)| {
        let begin = entered.get(&id)?;
        let text = |line: &Value, name: &str| line[name].as_str().map(str::to_owned);
        let journey = text(&end, "journey")?;
        let title = index.current(faden_engine::audience::key_of(&journey)).map(|version| version.title.to_string());
        Some(Passage {
            id,
            profile: profile.id.to_string(),
            user_id: user_id(profile),
            title: title.unwrap_or_else(|| journey.clone()),
            journey,
            version: text(begin, "version")?,
            step: None,
            state: PassageState::Ended,
            waiting_for: None,
            until: None,
            entered_at: text(begin, "at")?,
            key: text(begin, "key"),
            outcome: text(&end, "outcome"),
            ended_at: text(&end, "at"),
        })
    };
    ends.into_iter().filter_map(whole).collect()
}
