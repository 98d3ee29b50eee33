//! Pages and addresses for customers, reached by signed links, without signing in.
//!
//! Preferences at `/p/TOKEN`, leaving a purpose at `/u/TOKEN` (also by the one POST of RFC 8058), confirming
//! at `/c/TOKEN`. A GET never changes anything: mail scanners follow links. Every change is a record with its
//! proof and holds before the answer is sent.

mod choices;
mod html;
mod words;

use crate::access::Need;
use crate::consent::{Change, State as Consent, event};
use crate::keeper::now;
use crate::keys::secret;
use crate::signed::Use;
use crate::state::App;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use choices::{Picked, choices, form, records};
use faden_engine::Index;
use faden_engine::profile::Profile;
use faden_model::{Command, Identifier, ProfileId};
use html::{escaped, page};
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::Arc;
use words::{Words, channel, titled, words};

/// What these addresses need: the signed token in the path.
pub const ACCESS: &[(&str, &str, Need)] = &[
    ("GET", "/p/{token}", Need::Open),
    ("POST", "/p/{token}", Need::Open),
    ("GET", "/u/{token}", Need::Open),
    ("POST", "/u/{token}", Need::Open),
    ("GET", "/c/{token}", Need::Open),
    ("POST", "/c/{token}", Need::Open),
];

/// The source of what customers say on these pages.
const SOURCE: &str = "customer-pages";

/// Longest form, in bytes.
const FORM_BYTES_MAX: usize = 64 << 10;

/// All addresses for customers.
pub fn router() -> Router<App> {
    Router::new()
        .route("/p/{token}", get(preferences).post(save))
        .route("/u/{token}", get(ask_to_leave).post(leave))
        .route("/c/{token}", get(ask_to_confirm).post(confirm))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

/// The customer behind a link.
struct Visitor {
    profile: Profile,
    index: Arc<Index>,
    /// What the link is about.
    detail: String,
    words: &'static Words,
    company: String,
}

impl Visitor {
    fn page(&self, title: &str, body: &str) -> Response {
        page(StatusCode::OK, self.words, &self.company, title, body)
    }

    fn busy(&self) -> Response {
        let body = format!("<p role=\"alert\">{}</p>", self.words.busy_hint);
        page(StatusCode::SERVICE_UNAVAILABLE, self.words, &self.company, self.words.busy, &body)
    }

    /// An identifier that leads to him, the strongest first.
    fn identifier(&self) -> Option<Identifier<'static>> {
        let all = self.profile.strands.iter().flat_map(|strand| &strand.identifiers);
        let known = all.min_by(|one, next| one.kind.cmp(&next.kind))?;
        Some(Identifier { kind: known.kind.clone(), value: Cow::Owned(known.value.to_string()) })
    }

    /// Purpose and channel that the link is about, for people.
    fn subject(&self) -> Option<(&str, &str, String)> {
        let (purpose, rest) = self.detail.split_once(':')?;
        let kind = rest.split(':').next()?;
        let shown = format!("<p><strong>{}</strong>, {}</p>", escaped(&titled(purpose)), escaped(&channel(self.words, kind)));
        Some((purpose, kind, shown))
    }
}

/// Finds out who follows a link; a page that says why not, otherwise.
async fn visitor(app: &App, of: Use, token: &str, headers: &HeaderMap) -> Result<Visitor, Response> {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let company = company(app);
    let wrong = || {
        let words = words(None, &accepted);
        page(StatusCode::NOT_FOUND, words, &company, words.wrong_link, &format!("<p>{}</p>", words.wrong_link_hint))
    };
    let Some((strand, detail)) = app.signer.read(of, token) else { return Err(wrong()) };
    let found = app.keeper.look(move |node| {
        let profile = node.front().identity.profile_of_strand(strand).and_then(|id: ProfileId| node.profile(id))?;
        Some((profile, node.index().clone()))
    });
    match found.await {
        Ok(Some((profile, index))) => {
            let words = words(profile.language(), &accepted);
            Ok(Visitor { profile, index, detail, words, company })
        }
        Ok(None) => Err(wrong()),
        Err(_) => {
            let words = words(None, &accepted);
            let body = format!("<p role=\"alert\">{}</p>", words.busy_hint);
            Err(page(StatusCode::SERVICE_UNAVAILABLE, words, &company, words.busy, &body))
        }
    }
}

/// The workspace as people call it.
fn company(app: &App) -> String {
    let published = app.published();
    let title = published.files.0.get("faden.yaml").and_then(|text| faden_engine::workspace::about(text).remove("title"));
    title.unwrap_or_else(|| titled(&published.definitions.workspace))
}

#[derive(Deserialize)]
struct Shown {
    saved: Option<String>,
}

async fn preferences(
    State(app): State<App>,
    Path(token): Path<String>,
    Query(shown): Query<Shown>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let visitor = visitor(&app, Use::Preferences, &token, &headers).await?;
    let choices = choices(&visitor.index, &visitor.profile, now());
    let body = form(visitor.words, &visitor.profile, &choices, shown.saved.is_some());
    Ok(visitor.page(visitor.words.preferences, &body))
}

async fn save(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Response> {
    let visitor = visitor(&app, Use::Preferences, &token, &headers).await?;
    let Some(identifier) = visitor.identifier() else { return Err(visitor.busy()) };
    let at = now();
    let choices = choices(&visitor.index, &visitor.profile, at);
    let events = records(&identifier, &visitor.profile, &choices, &Picked::read(&fields), at);
    if crate::inbound::append(&app.keeper, events.into_iter().map(|event| Command::told(SOURCE, event))).await.is_err() {
        return Err(visitor.busy());
    }
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, format!("/p/{token}?saved=1"))]).into_response())
}

async fn ask_to_leave(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap) -> Result<Response, Response> {
    let visitor = visitor(&app, Use::Unsubscribe, &token, &headers).await?;
    let words = visitor.words;
    let about = visitor.subject().map_or_else(String::new, |(.., about)| about);
    Ok(visitor.page(words.unsubscribe, &asked(words.unsubscribe_ask, &about, words.unsubscribe_button)))
}

/// RFC 8058: a POST without cookies or questions, answered with 200. A person's button is the same.
async fn leave(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap) -> Result<Response, Response> {
    let visitor = visitor(&app, Use::Unsubscribe, &token, &headers).await?;
    let (Some((purpose, kind, _)), Some(identifier)) = (visitor.subject(), visitor.identifier()) else { return Err(visitor.busy()) };
    let proof = secret("unsubscribe:");
    let change = Change { purpose, channel: Some(kind), address: None, state: Consent::Withdrawn, proof: &proof };
    write(&app, &visitor, &change, identifier).await?;
    let preferences = app.signer.sign(Use::Preferences, visitor.profile.id, "");
    let words = visitor.words;
    let body = format!(
        "<p class=\"done\" role=\"status\">{}</p><p><a href=\"/p/{preferences}\">{}</a></p>",
        words.unsubscribed, words.all_choices
    );
    Ok(visitor.page(words.unsubscribe, &body))
}

async fn ask_to_confirm(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap) -> Result<Response, Response> {
    let visitor = visitor(&app, Use::Confirm, &token, &headers).await?;
    let words = visitor.words;
    let about = visitor.subject().map_or_else(String::new, |(.., about)| about);
    Ok(visitor.page(words.confirm, &asked(words.confirm_ask, &about, words.confirm_button)))
}

/// Confirms for the very address that the link was sent to.
async fn confirm(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap) -> Result<Response, Response> {
    let visitor = visitor(&app, Use::Confirm, &token, &headers).await?;
    let address = visitor.detail.rsplit(':').next().and_then(crate::signed::unhexed);
    let (Some((purpose, kind, _)), Some(address), Some(identifier)) = (visitor.subject(), address, visitor.identifier()) else {
        return Err(visitor.busy());
    };
    let proof = secret("confirm:");
    let change = Change { purpose, channel: Some(kind), address: Some(&address), state: Consent::Confirmed, proof: &proof };
    write(&app, &visitor, &change, identifier).await?;
    Ok(visitor.page(visitor.words.confirm, &format!("<p class=\"done\" role=\"status\">{}</p>", visitor.words.confirmed)))
}

async fn write(app: &App, visitor: &Visitor, change: &Change<'_>, identifier: Identifier<'static>) -> Result<(), Response> {
    let command = Command::told(SOURCE, event(identifier, change, now()));
    crate::inbound::append(&app.keeper, std::iter::once(command)).await.map_err(|_| visitor.busy())
}

/// One question, one button.
fn asked(question: &str, about: &str, button: &str) -> String {
    format!("<p>{question}</p>{about}<form method=\"post\"><button>{button}</button></form>")
}
