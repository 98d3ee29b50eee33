//! Delivery receipts: SMPP 3.4 appendix B writes them as text, newer providers as TLVs beside it, many do both.

use faden_model::Receipt;
use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::TlvValue;

/// What a receipt says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryReceipt {
    pub id: String,
    /// `None` for a state on the way.
    pub receipt: Option<Receipt>,
    /// The network's error, else the state.
    pub code: Option<String>,
}

pub fn read(pdu: &DeliverSm, text: &str) -> Option<DeliveryReceipt> {
    let (mut id, mut state, mut error) = read_text(text);
    for tlv in pdu.tlvs() {
        match tlv.value() {
            Some(TlvValue::ReceiptedMessageId(value)) => id = Some(value.as_str().to_owned()),
            Some(TlvValue::MessageState(value)) => state = state_word(u8::from(*value)).or(state),
            Some(TlvValue::NetworkErrorCode(value)) if error.is_none() => error = Some(value.error_code.to_string()),
            _ => {}
        }
    }
    let state = state?;
    let receipt = match state {
        "DELIVRD" => Some(Receipt::Delivered),
        "EXPIRED" | "DELETED" | "UNDELIV" | "REJECTD" => Some(Receipt::Failed),
        _ => None,
    };
    let code = error.filter(|error| error.bytes().any(|byte| byte != b'0'));
    Some(DeliveryReceipt { id: id?, receipt, code: code.or_else(|| Some(state.to_owned())) })
}

const STATES: [&str; 9] = ["SCHEDLD", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"];

fn state_word(state: u8) -> Option<&'static str> {
    STATES.get(usize::from(state)).copied()
}

/// Id, state and error of `id:... sub:... dlvrd:... submit date:... done date:... stat:... err:... text:...`.
fn read_text(text: &str) -> (Option<String>, Option<&'static str>, Option<String>) {
    // What the customer was told comes last and may hold any of these words.
    let lower = text.to_ascii_lowercase();
    let end = lower.find("text:").unwrap_or(text.len());
    let field = |name: &str| {
        let start = lower[..end].match_indices(name).map(|(at, _)| at).find(|at| *at == 0 || lower.as_bytes()[at - 1] == b' ')?;
        let value = &text[start + name.len()..end];
        value.split_whitespace().next().filter(|value| !value.contains(':')).map(str::to_owned)
    };
    let state =
        field("stat:").and_then(|word| STATES.into_iter().find(|state| word.len() >= 4 && state.starts_with(&word.to_ascii_uppercase())));
    (field("id:"), state, field("err:"))
}
