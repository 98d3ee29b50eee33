//! Decisions as JSON lines, written without a detour: outputs have millions of them.

use super::{Cause, Decision, Facts, Kind, Message, MessageOutcome, NOBODY};
use crate::policy::{self, Check};
use faden_model::EnrollmentId;
use faden_model::json::{write_escaped, write_text, write_value};
use std::fmt::Write;

/// The beginning of a member with a text: comma, name, colon, opening quote.
macro_rules! name {
    ($name:literal) => {
        concat!(",\"", $name, "\":\"")
    };
}

/// Appends a member with a text; `name` is what [`name!`] makes.
fn text(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    write_escaped(out, value);
    out.push('"');
}

/// The same for what `write` writes, which needs no escaping.
fn id(out: &mut String, name: &str, write: impl FnOnce(&mut String) -> std::fmt::Result) {
    out.push_str(name);
    let _ = write(out);
    out.push('"');
}

/// For values that never need escaping: ids, instants, numbers.
fn plain(out: &mut String, name: &str, value: impl std::fmt::Display) {
    let _ = write!(out, "{name}{value}\"");
}

impl Decision {
    /// Appends the decision as one JSON object, without a line end. Without `reasons` the values and
    /// checks that led to it are left out, whether they were kept or not.
    pub fn write_json(&self, out: &mut String, reasons: bool) {
        out.push_str("{\"kind\":\"");
        out.push_str(self.kind.name());
        out.push('"');
        id(out, name!("id"), |out| self.id.write_to(out));
        id(out, name!("at"), |out| self.at.write_to(out));
        if self.profile != NOBODY {
            id(out, name!("profile"), |out| self.profile.write_to(out));
        }
        if !self.user_id.is_empty() {
            text(out, name!("user_id"), &self.user_id);
        }
        self.kind.write_fields(out, reasons);
        out.push('}');
    }
}

impl Kind {
    /// The passage that this kind is about, where it is about one.
    fn enrollment(&self) -> Option<EnrollmentId> {
        match self {
            Kind::Enrolled { enrollment, .. }
            | Kind::Step { enrollment, .. }
            | Kind::Exposure { enrollment, .. }
            | Kind::Goal { enrollment, .. }
            | Kind::Ended { enrollment, .. }
            | Kind::Trait { enrollment, .. }
            | Kind::Emitted { enrollment, .. }
            | Kind::Moved { enrollment, .. } => Some(*enrollment),
            _ => None,
        }
    }

    fn write_fields(&self, out: &mut String, reasons: bool) {
        if let Some(enrollment) = self.enrollment() {
            id(out, name!("enrollment"), |out| enrollment.write_to(out));
        }
        match self {
            Kind::Enrolled { journey, version, key, cause, facts, .. } => {
                text(out, name!("journey"), journey);
                let _ = write!(out, ",\"version\":\"{version:016x}\"");
                if let Some(key) = key {
                    text(out, name!("key"), key);
                }
                cause.write_fields(out);
                if reasons {
                    write_facts(out, facts);
                }
            }
            Kind::Step { journey, step, went, to, facts, .. } => {
                text(out, name!("journey"), journey);
                text(out, name!("step"), step);
                text(out, name!("went"), went);
                text(out, name!("to"), to);
                if reasons {
                    write_facts(out, facts);
                }
            }
            Kind::Message(message) => message.write_fields(out, reasons),
            Kind::Exposure { experiment, arm, .. } => {
                text(out, name!("experiment"), experiment);
                text(out, name!("arm"), arm);
            }
            Kind::Goal { journey, cause, .. } => {
                text(out, name!("journey"), journey);
                cause.write_fields(out);
            }
            Kind::Ended { journey, outcome, step, cause, .. } => {
                text(out, name!("journey"), journey);
                plain(out, name!("outcome"), outcome.name());
                text(out, name!("step"), step);
                cause.write_fields(out);
            }
            _ => self.write_other_fields(out),
        }
    }

    fn write_other_fields(&self, out: &mut String) {
        match self {
            Kind::Audience { audience, entered, cause } => {
                text(out, name!("audience"), audience);
                plain(out, name!("change"), if *entered { "entered" } else { "left" });
                cause.write_fields(out);
            }
            Kind::Trait { name, value, .. } => {
                text(out, name!("trait"), name);
                out.push_str(",\"value\":");
                write_value(out, value);
            }
            Kind::Consent { purpose, channel, granted, cause } => {
                text(out, name!("purpose"), purpose);
                if let Some(channel) = channel {
                    text(out, name!("channel"), channel);
                }
                let _ = write!(out, ",\"granted\":{granted}");
                cause.write_fields(out);
            }
            Kind::Emitted { event, .. } => {
                text(out, name!("event"), event);
            }
            Kind::Merged { loser, merge, identifier } => {
                plain(out, name!("loser"), loser);
                let _ = write!(out, ",\"merge\":{merge}");
                text(out, name!("identifier_kind"), identifier.name());
            }
            Kind::Unmerged { restored, merge } => {
                plain(out, name!("restored"), restored);
                let _ = write!(out, ",\"merge\":{merge}");
            }
            Kind::LeftOut { identifier, reason, message_id } => {
                text(out, name!("identifier_kind"), identifier.name());
                text(out, name!("reason"), reason);
                text(out, name!("message_id"), message_id);
            }
            Kind::Moved { journey, from, to, undo, .. } => {
                text(out, name!("journey"), journey);
                text(out, name!("from"), from);
                text(out, name!("to"), to);
                let _ = write!(out, ",\"undo\":{undo}");
            }
            Kind::Rejected { code, detail } => {
                text(out, name!("code"), code);
                text(out, name!("detail"), detail);
            }
            Kind::Enrolled { .. }
            | Kind::Step { .. }
            | Kind::Message(_)
            | Kind::Exposure { .. }
            | Kind::Goal { .. }
            | Kind::Ended { .. } => {}
        }
    }
}

impl Message {
    fn write_fields(&self, out: &mut String, reasons: bool) {
        id(out, name!("message"), |out| self.id.write_to(out));
        id(out, name!("enrollment"), |out| self.enrollment.write_to(out));
        text(out, name!("journey"), &self.journey);
        text(out, name!("step"), &self.step);
        text(out, name!("template"), &self.template);
        text(out, name!("purpose"), &self.purpose);
        if !self.channel.is_empty() {
            text(out, name!("channel"), &self.channel);
        }
        if !self.address.is_empty() {
            // The field is called after the channel's address kind where people look for it.
            text(out, if self.channel == "email" { name!("email") } else { name!("address") }, &self.address);
        }
        match &self.outcome {
            MessageOutcome::Sent => out.push_str(",\"outcome\":\"sent\""),
            MessageOutcome::Suppressed { rule } => {
                out.push_str(",\"outcome\":\"suppressed\"");
                text(out, name!("rule"), rule);
            }
            MessageOutcome::Held { until, rule } => {
                out.push_str(",\"outcome\":\"held\"");
                plain(out, name!("until"), until);
                text(out, name!("rule"), rule);
            }
            MessageOutcome::Failed { reason } => {
                out.push_str(",\"outcome\":\"failed\"");
                text(out, name!("reason"), reason);
            }
        }
        if reasons && !self.checks.is_empty() {
            out.push_str(",\"checks\":[");
            for (index, check) in self.checks.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_check(out, check);
            }
            out.push(']');
        }
    }
}

impl Cause {
    fn write_fields(&self, out: &mut String) {
        match self {
            Cause::Event { message_id, name } => {
                out.push_str(",\"cause\":\"event\"");
                text(out, name!("message_id"), message_id);
                text(out, name!("event"), name);
            }
            Cause::Audience { audience, entered } => {
                plain(out, name!("cause"), if *entered { "audience_entered" } else { "audience_left" });
                text(out, name!("audience"), audience);
            }
            Cause::Time => out.push_str(",\"cause\":\"time\""),
            Cause::Journey { enrollment } => {
                out.push_str(",\"cause\":\"journey\"");
                plain(out, name!("by"), enrollment);
            }
            Cause::Broadcast { message_id, name } => {
                out.push_str(",\"cause\":\"broadcast\"");
                text(out, name!("message_id"), message_id);
                text(out, name!("event"), name);
            }
            Cause::Schedule => out.push_str(",\"cause\":\"schedule\""),
            Cause::Operator => out.push_str(",\"cause\":\"operator\""),
        }
    }
}

fn write_facts(out: &mut String, facts: &Facts) {
    if facts.is_empty() {
        return;
    }
    out.push_str(",\"facts\":{");
    for (index, (name, value)) in facts.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(out, name);
        out.push(':');
        write_value(out, value);
    }
    out.push('}');
}

fn write_check(out: &mut String, check: &Check) {
    let outcome = match check.outcome {
        policy::Outcome::Passed => "passed",
        policy::Outcome::Held => "held",
        policy::Outcome::Stopped => "stopped",
    };
    out.push_str("{\"outcome\":\"");
    out.push_str(outcome);
    out.push('"');
    text(out, name!("rule"), &check.rule.code);
    for (name, value) in [(name!("policy"), &check.rule.policy), (name!("channel"), &check.channel)] {
        if !value.is_empty() {
            text(out, name, value);
        }
    }
    text(out, name!("facts"), &check.facts);
    out.push('}');
}
