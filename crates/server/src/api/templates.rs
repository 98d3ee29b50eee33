//! What there is to say: the templates, and how one reads for a certain customer.

use super::input::{BODY_BYTES_MAX, Input, bad_input};
use super::workspace::{found, has_errors, read};
use crate::access::Need;
use crate::keeper::now;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::signed::Use;
use crate::state::App;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use faden_engine::Index;
use faden_engine::content::{self, Links, Passage, RenderError};
use faden_engine::journey::KeptEvent;
use faden_engine::profile::Profile;
use faden_engine::workspace::Files;
use faden_model::id::Born;
use faden_model::{EnrollmentId, ProfileId, Text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::{OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[
    ("GET", "/api/v1/templates", Need::Scope(Scope::WorkspaceRead)),
    // It shows what is known of a customer.
    ("POST", "/api/v1/templates/{name}/preview", Need::Scope(Scope::ProfilesRead)),
];

pub fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/templates", get(templates))
        .route("/api/v1/templates/{name}/preview", post(preview))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

#[derive(OpenApi)]
#[openapi(paths(templates, preview))]
pub struct Document;

#[derive(Serialize, ToSchema)]
pub struct Templates {
    pub items: Vec<Template>,
    pub next_page_token: Option<String>,
}

/// A folder under `templates/`.
#[derive(Serialize, ToSchema)]
pub struct Template {
    pub template: String,
    pub variants: Vec<Variant>,
}

/// What it says on one channel in one language.
#[derive(Serialize, ToSchema)]
pub struct Variant {
    pub channel: String,
    pub language: String,
    pub file: String,
}

/// For whom and how.
#[derive(Deserialize, ToSchema)]
pub struct PreviewAsked {
    pub channel: String,
    /// The customer's own when missing.
    #[serde(default)]
    pub language: Option<String>,
    /// Id of a customer; somebody of whom nothing is known when missing.
    #[serde(default)]
    pub profile: Option<String>,
    /// What led here, for templates that speak of `event`; the newest of the customer's journeys when missing.
    #[serde(default)]
    pub event: Option<Event>,
    /// The published files when missing.
    #[serde(default)]
    pub files: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, ToSchema)]
pub struct Event {
    pub name: String,
    #[serde(default)]
    pub properties: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize, ToSchema)]
pub struct Preview {
    pub language: String,
    pub subject: Option<String>,
    pub text: String,
    pub html: Option<String>,
    /// Of a push message.
    pub title: Option<String>,
    pub url: Option<String>,
}

/// All templates, by name
#[utoipa::path(get, path = "/api/v1/templates", tag = "workspace", responses((status = 200, body = Templates), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn templates(State(app): State<App>) -> Json<Templates> {
    let published = app.published();
    let variant = |((channel, language), variant): (&(Text, Text), &content::Variant)| {
        let markup = variant.markup.as_ref().map(|(_, source)| source);
        let source = markup.or(variant.text.as_ref()).or(variant.form.as_ref().map(|form| &form.name));
        let file = source.map(|source| source.file.to_string()).unwrap_or_default();
        Variant { channel: channel.to_string(), language: language.to_string(), file }
    };
    let one = |template: &content::Template| Template {
        template: template.name.to_string(),
        variants: template.variants.iter().map(variant).collect(),
    };
    Json(Templates { items: published.definitions.templates.all().map(one).collect(), next_page_token: None })
}

/// How a template reads for a customer
#[utoipa::path(post, path = "/api/v1/templates/{name}/preview", tag = "workspace", params(("name" = String, Path)), request_body = PreviewAsked,
    responses((status = 200, body = Preview), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 413, body = Problem), (status = 422, description = "the files have errors, or the template cannot be written for this customer", body = Problem), (status = 503, body = Problem)))]
pub async fn preview(
    State(app): State<App>,
    Path(name): Path<String>,
    Input(wanted): Input<PreviewAsked>,
) -> Result<Json<Preview>, Problem> {
    let definitions = match wanted.files {
        Some(files) => {
            let (files, findings, definitions) = read(Files(files)).await?;
            Arc::new(definitions.ok_or_else(|| has_errors(&found(&files, &findings)))?)
        }
        None => app.published().definitions.clone(),
    };
    if definitions.templates.get(&name).is_none() {
        return Err(Problem::not_found("template"));
    }
    let (profile, published) = customer(&app, wanted.profile.as_deref()).await?;
    let index =
        if Arc::ptr_eq(&published.definitions, &definitions) { published } else { Arc::new(Index::new(definitions, Some(&published))) };
    let given = wanted.event.map(|event| KeptEvent {
        message_id: Text::const_new("preview"),
        name: Text::from(event.name),
        timestamp: now(),
        properties: serde_json::Value::Object(event.properties).to_string().into(),
    });
    let rendered = write(&app, &index, &profile, given.as_ref(), (&name, &wanted.channel, wanted.language.as_deref()));
    let rendered = rendered.map_err(|error| unwritable(&error))?;
    Ok(Json(Preview {
        language: rendered.language.to_string(),
        subject: rendered.subject,
        text: rendered.text,
        html: rendered.html,
        title: rendered.title,
        url: rendered.url,
    }))
}

/// The customer of this id, with the definitions that the node works by.
async fn customer(app: &App, id: Option<&str>) -> Result<(Profile, Arc<Index>), Problem> {
    let wanted = id.map(ProfileId::parse).transpose().map_err(|_| bad_input("`profile` is not the id of a customer, such as `prf_2a`"))?;
    let looked = app.keeper.look(move |node| {
        let profile = match wanted {
            Some(id) => node.front().identity.profile_of_strand(id).and_then(|id| node.profile(id)),
            None => Some(Profile::new(ProfileId(0), node.front().clock())),
        };
        profile.map(|profile| (profile, node.index().clone()))
    });
    looked.await?.ok_or_else(|| Problem::not_found("customer"))
}

fn write(
    app: &App,
    index: &Index,
    profile: &Profile,
    given: Option<&KeptEvent>,
    (name, channel, language): (&str, &str, Option<&str>),
) -> Result<content::Rendered, RenderError> {
    let newest = profile.enrollments.iter().filter(|enrollment| enrollment.event.is_some()).max_by_key(|enrollment| enrollment.entered_at);
    let passage = match (given, newest) {
        (Some(event), _) => {
            let id = EnrollmentId(Born { under: profile.id, count: 0 });
            Some(Passage { id, journey: "preview", key: None, event: Some(event) })
        }
        (None, newest) => newest.map(|enrollment| Passage::of(index, enrollment)),
    };
    let link = |page: &str, of: Use| format!("{}/{page}/{}", app.base_url, app.signer.sign(of, profile.id, ""));
    let (unsubscribe, preferences) = (link("u", Use::Unsubscribe), link("p", Use::Preferences));
    let confirm = format!("{}/c/preview", app.base_url);
    let links = Links { unsubscribe: &unsubscribe, preferences: &preferences, view: &preferences, confirm: &confirm, token: "preview" };
    let variables = content::variables(index, profile, passage.as_ref(), &links, now());
    content::render(&index.definitions, name, channel, language.or(profile.language()), &variables)
}

fn unwritable(error: &RenderError) -> Problem {
    let hint = "choose a customer of whom it is known, or write what to say without it";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.code(), error.to_string(), hint)
}
