//! A message as its channel says it: template, customer and links in, content out.

use super::claim::Claim;
use crate::keeper::now;
use crate::signed::{Use, hexed};
use crate::state::App;
use faden_channels::{Content, Email, Outgoing};
use faden_engine::content::{self, Links, Passage, Rendered};
use faden_engine::front::CONSENT;
use faden_model::{MessageId, Text, json};
use serde_json::Value;

/// Renders a claimed message.
///
/// # Errors
/// The template's; it says where, and nothing of the customer.
pub fn render(app: &App, message: MessageId, claimed: &Claim) -> Result<Outgoing, content::RenderError> {
    let (row, index) = (&claimed.row, &claimed.index);
    let strand = message.0.under;
    let detail = format!("{}:{}", row.purpose, row.channel);
    let unsubscribe = format!("{}/u/{}", app.base_url, app.signer.sign(Use::Unsubscribe, strand, &detail));
    let preferences = format!("{}/p/{}", app.base_url, app.signer.sign(Use::Preferences, strand, ""));
    let confirm = format!("{}/c/{}", app.base_url, app.signer.sign(Use::Confirm, strand, &confirmed(claimed)));
    let token = app.signer.sign(Use::Recognition, strand, &message.to_string());
    let links = Links { unsubscribe: &unsubscribe, preferences: &preferences, view: &preferences, confirm: &confirm, token: &token };
    let passage = claimed.enrollment.as_ref().map(|enrollment| Passage::of(index, enrollment));
    let variables = content::variables(index, &claimed.profile, passage.as_ref(), &links, now());
    let rendered = content::render(&index.definitions, &row.template, &row.channel, claimed.profile.language(), &variables)?;
    let content = match row.channel.as_str() {
        "webhook" => Content::Webhook { event: row.template.to_string(), at: row.at, data: webhook_data(message, claimed, &rendered) },
        _ => said(rendered, &unsubscribe),
    };
    Ok(Outgoing { message, to: row.address.to_string(), content })
}

/// What the link to confirm is about: the purpose whose grant led here, else the message's own; the address that it goes to.
fn confirmed(claimed: &Claim) -> String {
    let row = &claimed.row;
    let event = claimed.enrollment.as_ref().and_then(|enrollment| enrollment.event.as_deref()).filter(|event| event.name == CONSENT);
    let granted = event.map(|event| json::lookup(&event.properties, &[Text::const_new("purpose")]));
    let purpose = granted.as_ref().and_then(faden_model::Value::as_text).unwrap_or(&row.purpose);
    format!("{purpose}:{}:{}", row.channel, hexed(&row.address))
}

/// What a channel for people says.
fn said(rendered: Rendered, unsubscribe: &str) -> Content {
    if let Some(form) = rendered.provider_template {
        return Content::Template { name: form.name, language: form.language, parameters: form.parameters };
    }
    if let Some(subject) = rendered.subject {
        return Content::Email(Email {
            subject,
            text: rendered.text,
            html: rendered.html,
            unsubscribe_url: Some(unsubscribe.to_owned()),
            in_reply_to: None,
        });
    }
    match rendered.title {
        Some(title) => Content::Push { title, body: rendered.text, url: rendered.url },
        None => Content::Text(rendered.text),
    }
}

/// The data of a webhook: the template's JSON, and who and why beside it.
fn webhook_data(message: MessageId, claimed: &Claim, rendered: &Rendered) -> String {
    let row = &claimed.row;
    let body: Value = serde_json::from_str(&rendered.text).unwrap_or_else(|_| Value::from(rendered.text.as_str()));
    serde_json::json!({
        "message": message.to_string(),
        "profile": claimed.profile.id.to_string(),
        "user_id": row.user_id.as_str(),
        "journey": row.journey.as_str(),
        "step": row.step.as_str(),
        "template": row.template.as_str(),
        "content": body,
    })
    .to_string()
}
