//! stub
use super::claim::Claim;
use crate::state::App;
use faden_channels::{Content, Outgoing};
use faden_model::MessageId;
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct E;
impl E {
    pub fn code(&self) -> &'static str {
        "x"
    }
}
pub fn render(_app: &App, message: MessageId, claimed: &Claim) -> Result<Outgoing, E> {
    let data = serde_json::json!({"user_id": claimed.row.user_id.as_str(), "email": claimed.profile.address("email")}).to_string();
    let _ = (&claimed.enrollment, &claimed.index, crate::signed::Use::Preferences);
    Ok(Outgoing {
        message,
        to: claimed.row.address.to_string(),
        content: Content::Webhook { event: claimed.row.template.to_string(), at: claimed.row.at, data },
    })
}
