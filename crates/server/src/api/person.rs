//! One customer as the API finds him: by id or by identifier, with the strands that make him up.

use super::page::blocking;
use crate::problem::Problem;
use crate::state::App;
use faden_engine::Index;
use faden_engine::profile::Profile;
use faden_engine::view::View;
use faden_model::identifier::normalise;
use faden_model::{Identifier, IdentifierKind, ProfileId, Timestamp, Value};
use faden_runtime::{Node, SharedStore};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;
use utoipa::ToSchema;

/// How a call names somebody.
#[derive(Clone, Debug)]
pub enum Who {
    /// The profile, or one that was merged into another since.
    Id(ProfileId),
    Identifier(IdentifierKind, String),
}

impl Who {
    /// `prf_7b`, or `email:ada@example.com`; national phone numbers are of `country`.
    pub fn read(text: &str, country: &str) -> Option<Who> {
        if text.starts_with("prf_") {
            return ProfileId::parse(text).ok().map(Who::Id);
        }
        let (kind, value) = text.split_once(':')?;
        let kind = IdentifierKind::from_name(kind);
        let value = normalise(&kind, value, country)?.into_owned();
        Some(Who::Identifier(kind, value))
    }

    /// The profile that he is in now.
    pub fn find(&self, node: &Node) -> Option<ProfileId> {
        let identity = &node.front().identity;
        match self {
            Who::Id(id) => identity.profile_of_strand(*id),
            Who::Identifier(kind, value) => identity.find(&Identifier { kind: kind.clone(), value: Cow::Borrowed(value) }),
        }
    }
}

/// Somebody at one instant; what has to be read from the store is not yet.
#[derive(Clone)]
pub struct Person {
    pub id: ProfileId,
    /// His own first, then those that were merged into him.
    pub strands: Vec<ProfileId>,
    pub index: Arc<Index>,
    pub now: Timestamp,
    pub store: SharedStore,
    warm: Option<Profile>,
}

impl Person {
    fn of(node: &Node, id: ProfileId) -> Option<Person> {
        Some(Person {
            id,
            strands: node.front().identity.strands(id),
            index: node.index().clone(),
            now: node.front().clock(),
            store: node.store()?.clone(),
            warm: node.warm(id).cloned(),
        })
    }

    /// His profile, from memory or from the store.
    pub fn profile(&self) -> Option<Profile> {
        self.warm.clone().or_else(|| self.store.profile(self.id))
    }
}

/// Finds somebody, and looks at something else in the same instant.
///
/// # Errors
/// `not-found` when nobody is called so.
pub async fn person<T: Send + 'static>(
    app: &App,
    who: &str,
    look: impl FnOnce(&mut Node, &Person) -> T + Send + 'static,
) -> Result<(Person, T), Problem> {
    let country = app.published().definitions.country.clone();
    let Some(who) = Who::read(who, &country) else { return Err(Problem::not_found("profile")) };
    let found = app.keeper.look(move |node| {
        let person = Person::of(node, who.find(node)?)?;
        let seen = look(node, &person);
        Some((person, seen))
    });
    found.await?.ok_or_else(|| Problem::not_found("profile"))
}

/// Profiles by their ids, in the order of `ids`; those that are gone are left out. What is in memory counts.
///
/// # Errors
/// [`Problem`] while the server has no state.
pub async fn profiles(app: &App, ids: Vec<ProfileId>) -> Result<Vec<Profile>, Problem> {
    let look = app.keeper.look(move |node| {
        let found: Vec<(ProfileId, Option<Profile>)> = ids.iter().map(|id| (*id, node.warm(*id).cloned())).collect();
        (found, node.store().cloned())
    });
    let (mut found, store) = look.await?;
    blocking(move || {
        let mut missing: Vec<ProfileId> = found.iter().filter(|(_, warm)| warm.is_none()).map(|(id, _)| *id).collect();
        missing.sort_unstable();
        missing.dedup();
        let mut stored = Vec::new();
        if let Some(store) = store {
            store.profiles(&missing, |profile| stored.push(profile));
        }
        for (id, place) in found.iter_mut().filter(|(_, warm)| warm.is_none()) {
            *place = stored.binary_search_by_key(id, |profile| profile.id).ok().map(|at| stored[at].clone());
        }
        found.into_iter().filter_map(|(_, profile)| profile).collect()
    })
    .await
}

/// One identifier of somebody.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IdentifierValue {
    pub kind: String,
    pub value: String,
}

/// Somebody in a line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProfileSummary {
    pub id: String,
    pub name: Option<String>,
    pub identifiers: Vec<IdentifierValue>,
    pub country: Option<String>,
    pub language: Option<String>,
    pub last_seen_at: String,
    pub created_at: String,
    /// The word by which he was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<String>,
    /// Since when he is in the audience that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// Identifiers that a line shows.
const SHOWN_MAX: usize = 12;

pub fn summary(profile: &Profile) -> ProfileSummary {
    let identifiers = profile.strands.iter().flat_map(|strand| &strand.identifiers);
    let shown =
        identifiers.take(SHOWN_MAX).map(|known| IdentifierValue { kind: known.kind.name().to_owned(), value: known.value.to_string() });
    ProfileSummary {
        id: profile.id.to_string(),
        name: name(profile),
        identifiers: shown.collect(),
        country: profile.country().map(str::to_owned),
        language: profile.language().map(str::to_owned),
        last_seen_at: profile.last_seen_at.to_string(),
        created_at: profile.created_at.to_string(),
        matched: None,
        since: None,
    }
}

/// What he is called, as sources told it.
pub fn name(profile: &Profile) -> Option<String> {
    let whole = profile.told_text("name").or_else(|| profile.told_text("full_name"));
    let part = |names: [&str; 2]| names.into_iter().find_map(|name| profile.told_text(name));
    whole.map(str::to_owned).or_else(|| {
        let parts = [part(["first_name", "firstName"]), part(["last_name", "lastName"])];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    })
}

/// The name under which lists speak of him; empty when there is none.
pub fn user_id(profile: &Profile) -> String {
    profile.user_id().unwrap_or_default().to_owned()
}

pub fn view<'v>(index: &'v Index, profile: &'v Profile, now: Timestamp) -> View<'v> {
    View { index, profile, event: None, enrollment: None, now }
}

/// A value with its numbers as they were written.
pub fn raw(value: &Value) -> Box<RawValue> {
    raw_text(value.to_string())
}

/// JSON as it stands; null where it is none.
pub fn raw_text(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
