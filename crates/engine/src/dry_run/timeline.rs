//! Decisions as people read them: when, who, what.

use crate::decision::{Cause, Decision, Kind, Message, MessageOutcome};
use faden_model::{Span, Timestamp};

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: Timestamp,
    /// Since the scenario began, such as `+1d 2h`.
    pub since: String,
    /// Empty for nobody in particular.
    pub user_id: String,
    pub text: String,
}

pub fn lines(decisions: &[Decision], start: Timestamp) -> Vec<Line> {
    let line = |decision: &Decision| Line {
        at: decision.at,
        since: since(start, decision.at),
        user_id: decision.user_id.to_string(),
        text: describe(&decision.kind),
    };
    decisions.iter().map(line).collect()
}

/// `+1d 2h 3m 4s`, parts that are zero left out; `+0s` at the start.
pub fn since(start: Timestamp, at: Timestamp) -> String {
    if at < start { format!("-{}", gap(at, start)) } else { format!("+{}", gap(start, at)) }
}

/// `1d 2h`, between two instants of which `from` is the earlier one.
pub fn gap(from: Timestamp, to: Timestamp) -> String {
    let mut rest = to.0.saturating_sub(from.0);
    let mut parts = Vec::new();
    for (unit, length) in [("d", Span::DAY.0), ("h", Span::HOUR.0), ("m", Span::MINUTE.0), ("s", Span::SECOND.0), ("ms", 1)] {
        if rest >= length {
            parts.push(format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

pub fn describe(kind: &Kind) -> String {
    match kind {
        Kind::Enrolled { journey, key, cause, .. } => {
            let key = key.as_ref().map_or(String::new(), |key| format!(" for `{key}`"));
            format!("enters {journey}{key} by {}", why(cause))
        }
        Kind::Step { journey, step, went, to, .. } => format!("{journey}.{step}: {went}, goes to {to}"),
        Kind::Message(message) => describe_message(message),
        Kind::Exposure { experiment, arm, .. } => format!("is in arm {arm} of {experiment}"),
        Kind::Goal { journey, cause, .. } => format!("reaches the goal of {journey} by {}", why(cause)),
        Kind::Ended { journey, outcome, cause, .. } => format!("ends {journey}: {} by {}", outcome.name(), why(cause)),
        Kind::Audience { audience, entered, cause } => {
            format!("{} the audience {audience} by {}", if *entered { "enters" } else { "leaves" }, why(cause))
        }
        Kind::Trait { name, value, .. } => format!("trait {name} is set to {value}"),
        Kind::Consent { purpose, channel, granted, .. } => {
            let channel = channel.as_ref().map_or(String::new(), |channel| format!(" on {channel}"));
            format!("consent for {purpose}{channel} is {}", if *granted { "granted" } else { "withdrawn" })
        }
        Kind::Emitted { event, .. } => format!("emits {event}"),
        Kind::Merged { loser, merge, identifier } => format!("takes over {loser} through {identifier}, merge {merge}"),
        Kind::Unmerged { restored, merge } => format!("gives back {restored}, merge {merge}"),
        Kind::LeftOut { identifier, reason, .. } => format!("{identifier} is left out: {reason}"),
        Kind::Moved { journey, from, to, undo, .. } => {
            format!("{journey}: {} from {from} to {to}", if *undo { "moves back" } else { "moves" })
        }
        Kind::Rejected { code, detail } => format!("refused [{code}]: {detail}"),
    }
}

pub fn describe_message(message: &Message) -> String {
    let name = &message.template;
    match &message.outcome {
        MessageOutcome::Sent => format!("`{name}` is sent on {} to {}", message.channel, message.address),
        MessageOutcome::Suppressed { rule } => format!("`{name}` is suppressed by {rule}"),
        MessageOutcome::Held { until, rule } => format!("`{name}` is held until {until} by {rule}"),
        MessageOutcome::Failed { reason } => format!("`{name}` failed: {reason}"),
    }
}

fn why(cause: &Cause) -> String {
    match cause {
        Cause::Event { name, .. } => format!("`{name}`"),
        Cause::Audience { audience, entered } => format!("{} {audience}", if *entered { "entering" } else { "leaving" }),
        Cause::Time => "time".to_owned(),
        Cause::Journey { .. } => "a journey".to_owned(),
        Cause::Broadcast { name, .. } => format!("the broadcast `{name}`"),
        Cause::Schedule => "a schedule".to_owned(),
        Cause::Operator => "an operator".to_owned(),
    }
}
