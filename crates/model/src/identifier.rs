//! Identifiers: one (kind, value) that points to one customer.
//!
//! Values are normalised at the wall: e-mail trimmed and lower case, phone E.164. Whether a value is
//! blocked or a limit is reached is for `engine::identity`.

mod countries;
mod phone;

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
/// `country` is the two-letter code that a national phone number is read under. A phone number that cannot
/// be read stays as its digits and `+`. A text that cannot be an e-mail address is none: `n/a` would glue strangers.
pub fn normalise<'a>(kind: &IdentifierKind, value: &'a str, country: &str) -> Option<Cow<'a, str>> {
    let trimmed = trimmed(value);
    if trimmed.is_empty() {
        return None;
    }
    match kind {
        IdentifierKind::Email => email(trimmed),
        IdentifierKind::Phone => phone::normalise(trimmed, country, phone::Bare::National),
        IdentifierKind::WhatsappId => phone::normalise(trimmed, country, phone::Bare::International),
        _ => Some(Cow::Borrowed(trimmed)),
    }
}

/// `text.trim()`, quick for the many that begin and end with a visible ASCII character.
pub(crate) fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// Lower case throughout: no large mail provider tells `Ada@` from `ada@`, and people type both.
fn email(text: &str) -> Option<Cow<'_, str>> {
    let (local, domain) = text.rsplit_once('@')?;
    if local.is_empty() || domain.is_empty() || text.contains(char::is_whitespace) {
        return None;
    }
    let may_change = text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii());
    Some(if may_change { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KINDS: [IdentifierKind; 5] = [
        IdentifierKind::Email,
        IdentifierKind::Phone,
        IdentifierKind::WhatsappId,
        IdentifierKind::UserId,
        IdentifierKind::Other(Text::const_new("x")),
    ];

    #[test]
    fn values_have_one_form() {
        for (kind, value, wanted) in [
            ("email", " Ada@Example.COM\n", Some("ada@example.com")),
            ("email", "ada@example.com", Some("ada@example.com")),
            ("email", "\u{c4}DA@example.com", Some("\u{e4}da@example.com")),
            ("email", "n/a", None),
            ("email", "@example.com", None),
            ("email", "ada@", None),
            ("email", "ada lovelace@example.com", None),
            ("phone", "030 123456", Some("+4930123456")),
            ("phone", "none", None),
            ("whatsapp_id", "5511912345678", Some("+5511912345678")),
            ("user_id", " U1 ", Some("U1")),
            ("user_id", "\t", None),
        ] {
            assert_eq!(normalise(&IdentifierKind::from_name(kind), value, "DE").as_deref(), wanted, "{kind} {value:?}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing_more(value in "\\PC{0,20}|[+0-9() -]{0,20}|[a-zA-Z]{1,3}@[A-Z.]{1,5}", kind in 0usize..5, country in "DE|US|IT|RU|XX|") {
            if let Some(once) = normalise(&KINDS[kind], &value, &country) {
                let twice = normalise(&KINDS[kind], &once, &country).map(Cow::into_owned);
                // What could not be read as a phone number may be read once its separators are gone; it has to stay
                // one value only when it is one already.
                if !matches!(KINDS[kind], IdentifierKind::Phone | IdentifierKind::WhatsappId) || once.starts_with('+') {
                    prop_assert_eq!(twice.as_deref(), Some(once.as_ref()));
                }
            }
        }
    }
}
