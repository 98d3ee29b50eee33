//! What is said to people, with what a client needs to say it in another language.

use faden_channels::SendError;
use faden_channels::settings::{Fault, SettingsError};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A stable code, and the values that its words are about. A client that does not know the code shows the text beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Wording {
    pub code: Code,
    pub values: BTreeMap<String, SaidValue>,
}

/// What can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WordingCode)]
pub enum Code {
    SecretMissing,
    /// `key` and a [`SettingFault`].
    SettingWrong,
    SettingUnknown,
    SettingMissing,
    SettingsWrong,
    WayMissing,
    AccountNotSetUp,
    ProviderRefused,
    ProviderAddressGone,
    ProviderLater,
    ProviderThrottled,
    ProviderUnavailable,
    ProviderNoAnswer,
    ProviderAccount,
    SourceSilent,
    SourceJump,
    CallsRefused,
    CallsDropped,
    IdentityGuarded,
    ClockBehind,
    /// `problem` is the name of a page of error codes.
    NodeDown,
}

/// What is wrong with a setting: [`Fault`] in the OpenAPI document.
pub struct SettingFault;

impl PartialSchema for SettingFault {
    fn schema() -> RefOr<Schema> {
        let names = Fault::ALL.iter().map(|fault| fault.name());
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl ToSchema for SettingFault {}

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
    pub fn new<const N: usize>(code: Code, values: [(&str, SaidValue); N], text: String) -> Said {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Said { text, wording: Wording { code, values } }
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
            SendError::Refused { .. } => Code::ProviderRefused,
            SendError::AddressGone { .. } => Code::ProviderAddressGone,
            SendError::Later { .. } => Code::ProviderLater,
            SendError::Throttled { .. } => Code::ProviderThrottled,
            SendError::Unavailable { .. } => Code::ProviderUnavailable,
            SendError::NoAnswer { .. } => Code::ProviderNoAnswer,
            SendError::Account { .. } => Code::ProviderAccount,
        };
        Said::new(code, [("code", code_of(error).into())], error.to_string())
    }
}

impl From<SettingsError> for Said {
    fn from(error: SettingsError) -> Said {
        Said::new(Code::SettingWrong, [("key", error.key.into()), ("fault", error.fault.name().into())], error.to_string())
    }
}

/// Settings of the wrong shape. What serde says of an unknown or a missing key begins the same way for all types.
impl From<serde_json::Error> for Said {
    fn from(error: serde_json::Error) -> Said {
        let reason = error.to_string();
        let text = format!("the settings of this account cannot be used: {reason}");
        let key = |begin: &str| Some(reason.strip_prefix(begin)?.split_once('`')?.0);
        if let Some(key) = key("unknown field `") {
            return Said::new(Code::SettingUnknown, [("key", key.into())], text);
        }
        match key("missing field `") {
            Some(key) => Said::new(Code::SettingMissing, [("key", key.into())], text),
            None => Said::new(Code::SettingsWrong, [("reason", reason.as_str().into())], text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::{Value, json};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Settings {
        from: String,
        port: u16,
    }

    #[test]
    fn what_is_wrong_with_settings_is_said_by_code() {
        let table: [(Value, Value); 4] = [
            (json!({"from": "a", "port": 1, "prot": 2}), json!({"code": "setting_unknown", "values": {"key": "prot"}})),
            (json!({"from": "a"}), json!({"code": "setting_missing", "values": {"key": "port"}})),
            (
                json!({"from": "a", "port": true}),
                json!({"code": "settings_wrong", "values": {"reason": "invalid type: boolean `true`, expected u16"}}),
            ),
            (
                json!({"from": "a", "port": 70_000}),
                json!({"code": "settings_wrong", "values": {"reason": "invalid value: integer `70000`, expected u16"}}),
            ),
        ];
        for (settings, wording) in table {
            let said: Said = Settings::deserialize(&settings).expect_err("wrong settings").into();
            assert_eq!(serde_json::to_value(said.wording).unwrap(), wording, "{settings}");
        }
        let said = Said::from(SettingsError { key: "from", fault: Fault::NoSender });
        assert_eq!(
            serde_json::to_value(said.wording).unwrap(),
            json!({"code": "setting_wrong", "values": {"key": "from", "fault": "no_sender"}})
        );
    }

    #[test]
    fn each_fault_has_a_name_and_words_of_its_own() {
        for of in [Fault::name, Fault::words] {
            let said: std::collections::BTreeSet<&str> = Fault::ALL.iter().map(|fault| of(*fault)).collect();
            assert_eq!(said.len(), Fault::ALL.len());
        }
    }
}
