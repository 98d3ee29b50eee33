//! Decisions told to people: the chain that led to one, each line of it as a sentence.
//!
//! Reads decisions as they were written, one JSON object each: in a file, in a store, or just decided.
//! Nothing is computed again: what is told is what was written when it was decided.

use serde_json::Value;

/// Lines kept of one passage or one person.
const LINES_MAX: usize = 10_000;

/// What was found: the line the id names, if it names one, and the lines around it in their order.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub subject: Option<Value>,
    pub chain: Vec<Value>,
}

/// Takes one line.
pub type Visit<'v> = dyn FnMut(Value) + 'v;

/// Visits the lines that mention an id, in the order in which they were decided.
pub type Read<'r, E> = dyn Fn(&str, &mut Visit<'_>) -> Result<(), E> + 'r;

/// The field of a line that an id names, by the id's prefix; `None` when it is no id of a decision.
pub fn field_of(id: &str) -> Option<&'static str> {
    match id.split('_').next() {
        Some("dec") => Some("id"),
        Some("msg") => Some("message"),
        Some("enr") => Some("enrollment"),
        Some("prf") => Some("profile"),
        _ => None,
    }
}

/// The line that an id names in `field` and the passage it belongs to, up to that line.
///
/// # Errors
/// The reader's.
pub fn find<E>(id: &str, field: &str, read: &Read<'_, E>) -> Result<Found, E> {
    let mut lines = Vec::new();
    read(id, &mut |line| {
        if lines.len() < LINES_MAX && (line[field] == id || (field == "profile" && line["loser"] == id)) {
            lines.push(line);
        }
    })?;
    if matches!(field, "enrollment" | "profile") {
        return Ok(Found { subject: None, chain: lines });
    }
    // A message that was held has a line for each time it was looked at: the last one says what came of it.
    let Some(subject) = lines.pop() else { return Ok(Found { subject: None, chain: Vec::new() }) };
    let Some(enrollment) = subject["enrollment"].as_str().map(str::to_owned) else {
        return Ok(Found { chain: vec![subject.clone()], subject: Some(subject) });
    };
    let mut chain = Vec::new();
    let mut reached = false;
    read(&enrollment, &mut |line| {
        if chain.len() < LINES_MAX && !reached && line["enrollment"] == enrollment.as_str() {
            reached = line["id"] == subject["id"];
            chain.push(line);
        }
    })?;
    Ok(Found { subject: Some(subject), chain })
}

/// Where a passage stands after these lines.
pub fn state(chain: &[Value]) -> String {
    let Some(last) = chain.iter().rev().find(|line| line["kind"] != "exposure" && line["kind"] != "goal") else { return String::new() };
    let field = |name: &str| last[name].as_str().unwrap_or_default();
    match field("kind") {
        "ended" => format!("ended at {}: {}", field("at"), field("outcome")),
        "message" if field("outcome") == "held" => format!("waits at step {} until {} ({})", field("step"), field("until"), field("rule")),
        "step" if field("to") == "end" => "has reached its end".to_owned(),
        "step" => format!("at step {} since {}", field("to"), field("at")),
        "moved" => format!("at step {} since it was moved at {}", field("to"), field("at")),
        "enrolled" => format!("at its first step since {}", field("at")),
        _ => format!("at step {} since {}", field("step"), field("at")),
    }
}

/// One line in words.
pub fn sentence(line: &Value) -> String {
    let field = |name: &str| line[name].as_str().unwrap_or_default();
    match field("kind") {
        "enrolled" => {
            let key = line["key"].as_str().map(|key| format!(" for {key}")).unwrap_or_default();
            format!("entered {}{key}, {}", field("journey"), cause(line))
        }
        "step" => format!("step {}: {}, on to {}", field("step"), field("went"), field("to")),
        "message" => message(line),
        "exposure" => format!("experiment {}: arm {}", field("experiment"), field("arm")),
        "goal" => format!("reached the goal, {}", cause(line)),
        "ended" => format!("ended: {}, {}", field("outcome"), cause(line)),
        "audience" => format!("{} the audience {}, {}", field("change"), field("audience"), cause(line)),
        "trait" => format!("trait {} set to {}", field("trait"), line["value"]),
        "consent" => {
            let given = if line["granted"] == true { "granted" } else { "withdrawn" };
            let channel = line["channel"].as_str().map(|channel| format!(" on {channel}")).unwrap_or_default();
            format!("consent to {}{channel} {given}, {}", field("purpose"), cause(line))
        }
        "emitted" => format!("event {} of its own", field("event")),
        "merged" => format!(
            "{} merged into {} (merge {}, both have the same {})",
            field("loser"),
            field("profile"),
            line["merge"],
            field("identifier_kind")
        ),
        "unmerged" => format!("{} came back out of {} (merge {})", field("restored"), field("profile"), line["merge"]),
        "left_out" => format!("{} of message {} not joined: {}", field("identifier_kind"), field("message_id"), field("reason")),
        "moved" => format!("moved from step {} to {}", field("from"), field("to")),
        "rejected" => format!("refused: {} [{}]", field("detail"), field("code")),
        other => other.to_owned(),
    }
}

fn message(line: &Value) -> String {
    let field = |name: &str| line[name].as_str().unwrap_or_default();
    let address = line["email"].as_str().or(line["address"].as_str()).unwrap_or_default();
    let to = if address.is_empty() { String::new() } else { format!(" to {address}") };
    let by = line["channel"].as_str().map(|channel| format!(" by {channel}")).unwrap_or_default();
    let what = match field("outcome") {
        "suppressed" => format!("suppressed by {}", field("rule")),
        "held" => format!("held until {} by {}", field("until"), field("rule")),
        "failed" => format!("failed: {}", field("reason")),
        outcome => outcome.to_owned(),
    };
    format!("{}: {what}{to}{by}", field("template"))
}

/// What made it happen, in words.
pub fn cause(line: &Value) -> String {
    let field = |name: &str| line[name].as_str().unwrap_or_default();
    match field("cause") {
        "event" => format!("by the event {} ({})", named(field("event"), "identify"), field("message_id")),
        "broadcast" => format!("by the business event {} ({})", field("event"), field("message_id")),
        "audience_entered" => format!("by entering the audience {}", field("audience")),
        "audience_left" => format!("by leaving the audience {}", field("audience")),
        "journey" => format!("by the journey of {}", field("by")),
        "time" => "as time passed".to_owned(),
        "schedule" => "by its schedule".to_owned(),
        "operator" => "by a merge or an operator".to_owned(),
        other => other.to_owned(),
    }
}

fn named<'a>(name: &'a str, otherwise: &'a str) -> &'a str {
    if name.is_empty() { otherwise } else { name }
}
