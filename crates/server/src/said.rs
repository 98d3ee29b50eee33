//! What is said to people, with what a client needs to say it in another language.

use faden_channels::SendError;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A stable code, and the values that its words are about. A client that does not know the code shows the text beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Wording {
    pub code: String,
    pub values: BTreeMap<String, SaidValue>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum SaidValue {
    Number(u64),
    Text(String),
}

impl From<u64> for SaidValue {
    fn from(number: u64) -> SaidValue {
        SaidValue::Number(number)
    }
}

impl From<&str> for SaidValue {
    fn from(text: &str) -> SaidValue {
        SaidValue::Text(text.to_owned())
    }
}

/// A sentence in English, and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    pub wording: Wording,
}

impl Said {
    pub fn new<const N: usize>(code: &str, values: [(&str, SaidValue); N], text: String) -> Said {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Said { text, wording: Wording { code: code.to_owned(), values } }
    }
}

/// The provider's or the protocol's code.
pub fn code_of(error: &SendError) -> &str {
    match error {
        SendError::Refused { code }
        | SendError::AddressGone { code }
        | SendError::Later { code, .. }
        | SendError::Throttled { code, .. }
        | SendError::Unavailable { code }
        | SendError::NoAnswer { code }
        | SendError::Account { code } => code,
    }
}

impl From<&SendError> for Said {
    fn from(error: &SendError) -> Said {
        let code = match error {
            SendError::Refused { .. } => "provider_refused",
            SendError::AddressGone { .. } => "provider_address_gone",
            SendError::Later { .. } => "provider_later",
            SendError::Throttled { .. } => "provider_throttled",
            SendError::Unavailable { .. } => "provider_unavailable",
            SendError::NoAnswer { .. } => "provider_no_answer",
            SendError::Account { .. } => "provider_account",
        };
        Said::new(code, [("code", code_of(error).into())], error.to_string())
    }
}
