//! Identifiers: one (kind, value) that points to one customer.
//!
//! Values are normalised at the wall: e-mail trimmed and lower case, phone E.164. Whether a value is
//! blocked or a limit is reached is for `engine::identity`.

use crate::Text;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// What sort of identifier; a workspace may declare more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum IdentifierKind {
    UserId,
    AnonymousId,
    Email,
    Phone,
    DeviceId,
    WhatsappId,
    CrmId,
    Other(Text),
}

/// One identifier as an event carries it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identifier<'a> {
    pub kind: IdentifierKind,
    #[serde(borrow)]
    pub value: Cow<'a, str>,
}

impl IdentifierKind {
    pub fn name(&self) -> &str {
        match self {
            IdentifierKind::UserId => "user_id",
            IdentifierKind::AnonymousId => "anonymous_id",
            IdentifierKind::Email => "email",
            IdentifierKind::Phone => "phone",
            IdentifierKind::DeviceId => "device_id",
            IdentifierKind::WhatsappId => "whatsapp_id",
            IdentifierKind::CrmId => "crm_id",
            IdentifierKind::Other(name) => name,
        }
    }

    pub fn from_name(name: &str) -> IdentifierKind {
        match name {
            "user_id" => IdentifierKind::UserId,
            "anonymous_id" => IdentifierKind::AnonymousId,
            "email" => IdentifierKind::Email,
            "phone" => IdentifierKind::Phone,
            "device_id" => IdentifierKind::DeviceId,
            "whatsapp_id" => IdentifierKind::WhatsappId,
            "crm_id" => IdentifierKind::CrmId,
            other => IdentifierKind::Other(Text::new(other)),
        }
    }
}

impl fmt::Display for IdentifierKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Brings a value into the one form under which it is known, or `None` when nothing is left of it.
///
/// E-mail and WhatsApp, phone: see the module's head. `country` is the two-letter code that a national
/// phone number is read under. A phone number that cannot be read stays as its digits and `+`.
pub fn normalise<'a>(kind: &IdentifierKind, value: &'a str, country: &str) -> Option<Cow<'a, str>> {
    let trimmed = value.trim();
    if trimmed.is_empty() {
        return None;
    }
    match kind {
        IdentifierKind::Email => Some(lower(trimmed)),
        IdentifierKind::Phone | IdentifierKind::WhatsappId => phone(trimmed, country),
        _ => Some(Cow::Borrowed(trimmed)),
    }
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_uppercase) { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
}

fn phone<'a>(text: &'a str, _country: &str) -> Option<Cow<'a, str>> {
    Some(Cow::Borrowed(text))
}
