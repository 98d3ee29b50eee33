//! Reports of machines about our mail: bounces (RFC 3464), complaints (RFC 5965).
//!
//! The message that a report is about is named, in this order, by the address that the report was sent to,
//! by the envelope id that comes back (RFC 3461), by the `Message-ID` of the returned headers, and by what
//! the report says it answers.

use super::mime::{Headers, Mail};
use super::read::{Envelope, Ignored, message_in};
use super::status::{Status, address_is_gone};
use crate::{MessageId, Reference, Report};
use faden_model::{Receipt, Timestamp};

/// Of one report; a report about our mail has one recipient.
const RECIPIENTS_MAX: usize = 20;

/// Code of a report that a person marked our mail as unwanted.
const COMPLAINT: &str = "complaint";

/// Kinds of feedback that say that a person does not want our mail.
const COMPLAINTS: [&str; 5] = ["abuse", "fraud", "opt-out", "opt-out-list", "other"];

/// The reports in a mail, if it is a report at all.
pub fn read(mail: &Mail<'_>, envelope: &Envelope) -> Option<Result<Vec<Report>, Ignored>> {
    let claims = mail.headers.kind() == "multipart/report" || envelope.from.is_empty();
    let feedback = mail.part("message/feedback-report").map(|part| groups(&part.bytes()));
    let delivery =
        mail.part("message/delivery-status").or_else(|| mail.part("message/global-delivery-status")).map(|part| groups(&part.bytes()));
    let made = match (feedback, delivery) {
        (Some(groups), _) if claims => complaint(&groups),
        (_, Some(groups)) if claims => outcomes(&groups),
        _ if mail.headers.has("x-failed-recipients") => vec![undelivered(mail)],
        _ => return None,
    };
    let Some(message) = subject(mail, envelope) else { return Some(Err(Ignored::UnknownMessage)) };
    if made.is_empty() {
        return Some(Err(Ignored::NoOutcome));
    }
    let at = mail.headers.date("date").map(|seconds| Timestamp(seconds.saturating_mul(1000)));
    let whole = |outcome: Outcome| Report {
        about: Reference::Message(message),
        receipt: outcome.receipt,
        code: outcome.code,
        address_gone: outcome.gone,
        at,
    };
    Some(Ok(made.into_iter().map(whole).collect()))
}

struct Outcome {
    receipt: Receipt,
    code: Option<String>,
    gone: bool,
}

/// Somebody complains only about a mail that arrived.
fn complaint(groups: &[Headers]) -> Vec<Outcome> {
    let kind = groups.iter().find_map(|group| group.text("feedback-type")).unwrap_or_default().to_ascii_lowercase();
    let is_complaint = COMPLAINTS.contains(&kind.as_str());
    is_complaint.then(|| Outcome { receipt: Receipt::Delivered, code: Some(COMPLAINT.to_owned()), gone: true }).into_iter().collect()
}

/// A delay, and a relay to a system that does not report, are not outcomes.
fn outcomes(groups: &[Headers]) -> Vec<Outcome> {
    let recipients = groups.iter().filter(|group| group.has("action")).take(RECIPIENTS_MAX);
    let outcome = |group: &Headers| match group.text("action").unwrap_or_default().to_ascii_lowercase().as_str() {
        "delivered" => Some(Outcome { receipt: Receipt::Delivered, code: None, gone: false }),
        "failed" => {
            let diagnosis = group.text("diagnostic-code").unwrap_or_default();
            let diagnosis = diagnosis.split_once(';').map_or(diagnosis.as_str(), |(_, text)| text.trim());
            let stated = group.text("status").and_then(|text| Status::parse(&text));
            // The reporting system often knows less than the one it quotes.
            let status = match (stated, quoted(diagnosis)) {
                (Some(stated), Some(quoted)) if stated.is_general() => Some(quoted),
                (None, quoted) => quoted,
                (stated, _) => stated,
            };
            let for_good = status.is_none_or(|status| status.class == 5);
            Some(Outcome {
                receipt: Receipt::Failed,
                code: status.map(|status| status.to_string()),
                gone: for_good && address_is_gone(status, diagnosis),
            })
        }
        _ => None,
    };
    recipients.filter_map(outcome).collect()
}

/// Exim's bounces from before it wrote standard ones.
fn undelivered(mail: &Mail<'_>) -> Outcome {
    let text = mail.part("text/plain").map(|part| part.text()).unwrap_or_default();
    let status = quoted(&text);
    Outcome { receipt: Receipt::Failed, code: status.map(|status| status.to_string()), gone: address_is_gone(status, &text) }
}

/// The first permanent status in a text, such as `550 5.1.1 unknown`.
fn quoted(text: &str) -> Option<Status> {
    text.split_ascii_whitespace()
        .filter_map(|word| Status::parse(word.trim_start_matches(['#', '(', '<'])))
        .find(|status| status.class == 5)
}

fn subject(mail: &Mail<'_>, envelope: &Envelope) -> Option<MessageId> {
    let addressed = || envelope.to.iter().find_map(|to| message_in(to));
    let returned = || {
        let delivery = mail.part("message/delivery-status")?;
        groups(&delivery.bytes()).iter().find_map(|group| message_in(&group.text("original-envelope-id")?))
    };
    let quoted = || {
        let kinds = ["message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global", "message/global-headers"];
        kinds.iter().find_map(|kind| {
            let bytes = mail.part(kind)?.bytes().into_owned();
            let (headers, _) = Headers::parse(bytes.trim_ascii_start());
            headers.ids("message-id").iter().find_map(|id| message_in(id))
        })
    };
    let answered = || ["in-reply-to", "references"].iter().flat_map(|name| mail.headers.ids(name)).find_map(|id| message_in(&id));
    addressed().or_else(returned).or_else(quoted).or_else(answered)
}

/// Groups of fields with empty lines between.
fn groups(bytes: &[u8]) -> Vec<Headers> {
    let mut groups = Vec::new();
    let mut rest = bytes.trim_ascii_start();
    while !rest.is_empty() && groups.len() <= RECIPIENTS_MAX {
        let (group, after) = Headers::parse(rest);
        if after.len() == rest.len() {
            break;
        }
        groups.push(group);
        rest = after.trim_ascii_start();
    }
    groups
}
