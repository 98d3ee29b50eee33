//! What the command status of an answer lets the caller do next.

use crate::SendError;
use rusmpp::CommandStatus;
use std::time::Duration;

/// How long nothing is sent after the provider said that it is too much.
pub const PAUSE: Duration = Duration::from_secs(1);

/// The name in SMPP 3.4, such as `ESME_RTHROTTLED`, or the number of a provider's own.
pub fn name(status: CommandStatus) -> String {
    match status {
        CommandStatus::Other(number) => format!("0x{number:08x}"),
        CommandStatus::EsmeRxTAppn => "ESME_RX_T_APPN".to_owned(),
        CommandStatus::EsmeRxPAppn => "ESME_RX_P_APPN".to_owned(),
        CommandStatus::EsmeRxRAppn => "ESME_RX_R_APPN".to_owned(),
        known => format!("{known:?}").replacen("Esme", "ESME_", 1).to_ascii_uppercase(),
    }
}

/// Of an answer to `bind_transceiver`.
pub fn bind_error(status: CommandStatus) -> SendError {
    let code = name(status);
    match status {
        CommandStatus::EsmeRinvpaswd
        | CommandStatus::EsmeRinvsysid
        | CommandStatus::EsmeRbindfail
        | CommandStatus::EsmeRinvsystyp
        | CommandStatus::EsmeRprohibited => SendError::Account { code },
        _ => SendError::Unavailable { code },
    }
}

/// Of an answer to `submit_sm`.
pub fn submit_error(status: CommandStatus) -> SendError {
    let code = name(status);
    match status {
        CommandStatus::EsmeRthrottled | CommandStatus::EsmeRmsgqful => SendError::Throttled { code, after: Some(PAUSE) },
        CommandStatus::EsmeRsyserr | CommandStatus::EsmeRxTAppn | CommandStatus::EsmeRsubmitfail | CommandStatus::EsmeRunknownerr => {
            SendError::Later { code, after: None }
        }
        CommandStatus::EsmeRinvbndsts | CommandStatus::EsmeRsertypunavail => SendError::Unavailable { code },
        CommandStatus::EsmeRinvsystyp
        | CommandStatus::EsmeRinvsertyp
        | CommandStatus::EsmeRprohibited
        | CommandStatus::EsmeRsertypunauth
        | CommandStatus::EsmeRsertypdenied => SendError::Account { code },
        _ => SendError::Refused { code },
    }
}
