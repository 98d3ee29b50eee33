//! What a customer may choose, as it stands by the policies, as a form, and as records when he has chosen.

use super::html::escaped;
use super::words::{LANGUAGES, Words, channel, titled};
use crate::consent::{Change, State, event};
use crate::keys::secret;
use faden_engine::Index;
use faden_engine::content::TEXT_ONLY;
use faden_engine::policy::{Consent, ConsentEntry, ConsentState, ContactTimes, EVERYTHING, OptIn, Use, check_consent};
use faden_engine::profile::Profile;
use faden_model::{Event, EventKind, Identifier, Timestamp};
use serde_json::json;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Channels that reach a person outside of a session.
const CHANNELS: [&str; 7] = ["email", "sms", "whatsapp", "rcs", "push", "web_push", "voice"];

/// Names of the two fields of the contact times, and how their trait writes the end of the day.
const FROM: &str = "contact_from";
const TO: &str = "contact_to";
const MIDNIGHT: &str = "24:00";

/// One purpose on one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub purpose: String,
    pub channel: &'static str,
    pub address: String,
    pub allowed: bool,
    /// Said yes, and the confirmation has not come.
    pub pending: bool,
}

impl Choice {
    /// As the form names it.
    fn name(&self) -> String {
        format!("{}:{}", self.purpose, self.channel)
    }
}

/// Everything that is for him to choose: purposes that need or heed consent, on channels that reach him.
pub fn choices(index: &Index, profile: &Profile, at: Timestamp) -> Vec<Choice> {
    let definitions = &index.definitions;
    let accounts: BTreeSet<&str> = definitions.channels.values().map(|account| account.kind.as_str()).collect();
    let entries: Vec<ConsentEntry> = profile.strands.iter().flat_map(|strand| strand.consents.iter().cloned()).collect();
    let effective = definitions.policies.effective(profile.country(), profile.brand());
    let mut all = Vec::new();
    for purpose in effective.purposes() {
        for channel in CHANNELS.into_iter().filter(|channel| accounts.contains(channel)) {
            let (kind, Some(address)) = (effective.opt_in(purpose, channel), profile.address(channel)) else { continue };
            if kind == OptIn::None {
                continue;
            }
            let wanted = Use { purpose, channel, address, at };
            let allowed = matches!(check_consent(&entries, kind, &wanted), Consent::Allowed(_));
            let granted = entries.iter().any(|entry| entry.state == ConsentState::Granted);
            let pending = !allowed && granted && matches!(check_consent(&entries, OptIn::OptIn, &wanted), Consent::Allowed(_));
            all.push(Choice { purpose: purpose.to_owned(), channel, address: address.to_owned(), allowed, pending });
        }
    }
    all
}

/// The page's body.
pub fn form(words: &Words, profile: &Profile, choices: &[Choice], saved: bool) -> String {
    let mut body = String::new();
    if saved {
        body.push_str(&format!("<p class=\"done\" role=\"status\">{}</p>", words.saved));
    }
    body.push_str(&format!("<p>{}</p><form method=\"post\">", if choices.is_empty() { words.nothing } else { words.intro }));
    let mut purposes: BTreeMap<&str, Vec<&Choice>> = BTreeMap::new();
    choices.iter().for_each(|choice| purposes.entry(&choice.purpose).or_default().push(choice));
    for (purpose, choices) in purposes {
        body.push_str(&format!("<fieldset><legend>{}</legend>", escaped(&titled(purpose))));
        choices.iter().for_each(|choice| body.push_str(&checkbox(words, choice)));
        body.push_str("</fieldset>");
    }
    let channels: BTreeSet<&str> = choices.iter().map(|choice| choice.channel).collect();
    let by_mail = channels.contains("email");
    let channels: Vec<(&str, String)> = channels.into_iter().map(|kind| (kind, channel(words, kind))).collect();
    body.push_str(&select(words, ("preferred_channel", words.preferred), profile.preferred_channel(), &channels));
    let languages: Vec<(&str, String)> = LANGUAGES.iter().map(|(code, name)| (*code, (*name).to_owned())).collect();
    body.push_str(&select(words, ("language", words.language), profile.language(), &languages));
    if by_mail {
        let mails = [(TEXT_ONLY, words.text_only.to_owned())];
        body.push_str(&select(words, ("accessibility", words.mails), profile.accessibility(), &mails));
    }
    if !choices.is_empty() {
        body.push_str(&times(words, profile.contact_times()));
    }
    body.push_str(&format!("<button name=\"action\" value=\"save\">{}</button></form>", words.save));
    body.push_str(&format!(
        "<p class=\"note\">{}</p><h2>{}</h2><p>{}</p><form method=\"post\"><button class=\"stop\" name=\"action\" value=\"stop\">{}</button></form>",
        words.service, words.stop, words.stop_hint, words.stop_button
    ));
    body
}

fn checkbox(words: &Words, choice: &Choice) -> String {
    let (id, name) = (escaped(&choice.name()), escaped(&channel(words, choice.channel)));
    let checked = if choice.allowed || choice.pending { " checked" } else { "" };
    let pending = if choice.pending { format!(", {}", words.pending) } else { String::new() };
    format!(
        "<div class=\"choice\"><input type=\"checkbox\" id=\"{id}\" name=\"choice\" value=\"{id}\"{checked}>\
         <label for=\"{id}\">{name} <span class=\"note\">{}{pending}</span></label></div>",
        escaped(&masked(&choice.address))
    )
}

/// Which of the options a value is shown as: `de-AT` as `de`, what is none of them as no preference.
fn shown<'o>(value: Option<&str>, mut options: impl Iterator<Item = &'o str>) -> &'o str {
    let code = value.and_then(|value| value.split('-').next());
    options.find(|option| Some(*option) == code).unwrap_or_default()
}

fn select(words: &Words, (name, label): (&str, &str), value: Option<&str>, options: &[(&str, String)]) -> String {
    if options.is_empty() {
        return String::new();
    }
    let chosen = shown(value, options.iter().map(|(code, _)| *code));
    let option = |code: &str, label: &str| {
        format!("<option value=\"{code}\"{}>{}</option>", if code == chosen { " selected" } else { "" }, escaped(label))
    };
    let listed: String = options.iter().map(|(code, label)| option(code, label)).collect();
    let none = option("", words.no_preference);
    format!("<label class=\"field\" for=\"{name}\">{label}</label><select id=\"{name}\" name=\"{name}\">{none}{listed}</select>")
}

/// When messages may come; the end of the day is shown as an empty field.
fn times(words: &Words, chosen: Option<ContactTimes>) -> String {
    let chosen = chosen.map(|times| times.to_string()).unwrap_or_default();
    let (from, to) = chosen.split_once('-').unwrap_or_default();
    let field = |name: &str, label: &str, value: &str| {
        let value = if value == MIDNIGHT { "" } else { value };
        format!(
            "<label class=\"field\" for=\"{name}\">{label}</label>\
             <input type=\"time\" id=\"{name}\" name=\"{name}\" value=\"{value}\" aria-describedby=\"contact_note\">"
        )
    };
    format!(
        "<fieldset><legend>{}</legend>{}{}<p class=\"note\" id=\"contact_note\">{}</p></fieldset>",
        words.times,
        field(FROM, words.times_from, from),
        field(TO, words.times_to, to),
        words.times_hint
    )
}

/// Enough to know one's own address: the link may have been passed on.
fn masked(address: &str) -> String {
    let start: String = address.chars().take(1).collect();
    match address.split_once('@') {
        Some((_, domain)) => format!("{start}...@{domain}"),
        None => {
            let end: Vec<char> = address.chars().rev().take(3).collect();
            if address.starts_with('+') { format!("...{}", end.into_iter().rev().collect::<String>()) } else { String::new() }
        }
    }
}

/// What the form says.
#[derive(Debug, Default)]
pub struct Picked<'f> {
    stop: bool,
    choices: BTreeSet<&'f str>,
    preferred_channel: Option<&'f str>,
    language: Option<&'f str>,
    accessibility: Option<&'f str>,
    from: Option<&'f str>,
    to: Option<&'f str>,
}

impl<'f> Picked<'f> {
    pub fn read(fields: &'f [(String, String)]) -> Picked<'f> {
        let mut picked = Picked::default();
        for (name, value) in fields {
            match name.as_str() {
                "action" => picked.stop = value == "stop",
                "choice" => drop(picked.choices.insert(value)),
                "preferred_channel" => {
                    picked.preferred_channel =
                        Some(value).filter(|value| value.is_empty() || CHANNELS.contains(&value.as_str())).map(String::as_str)
                }
                "language" => {
                    picked.language = Some(value).filter(|value| LANGUAGES.iter().any(|(code, _)| code == value)).map(String::as_str)
                }
                "accessibility" => {
                    picked.accessibility = Some(value).filter(|value| value.is_empty() || *value == TEXT_ONLY).map(String::as_str)
                }
                FROM => picked.from = Some(value),
                TO => picked.to = Some(value),
                _ => {}
            }
        }
        picked
    }

    /// The trait that the two times make, empty for any time; `None` where they are not asked or cannot be read.
    fn contact_times(&self) -> Option<String> {
        let (from, to) = (self.from?, self.to?);
        if from == to {
            return Some(String::new());
        }
        let or = |text: &'f str, other| if text.is_empty() { other } else { text };
        ContactTimes::parse(&format!("{}-{}", or(from, "00:00"), or(to, MIDNIGHT))).map(|times| times.to_string())
    }
}

/// One record per change; nothing for what stays as it is.
pub fn records(
    identifier: &Identifier<'static>,
    profile: &Profile,
    choices: &[Choice],
    picked: &Picked<'_>,
    at: Timestamp,
) -> Vec<Event<'static>> {
    let proof = secret("preferences:");
    if picked.stop {
        let change = Change { purpose: EVERYTHING, channel: None, address: None, state: State::Withdrawn, proof: &proof };
        return vec![event(identifier.clone(), &change, at)];
    }
    let mut events = Vec::new();
    for (number, choice) in choices.iter().enumerate() {
        let wanted = picked.choices.contains(choice.name().as_str());
        if wanted == (choice.allowed || choice.pending) {
            continue;
        }
        let state = if wanted { State::Granted } else { State::Withdrawn };
        let proof = format!("{proof}:{number}");
        let (channel, address) = (Some(choice.channel), Some(choice.address.as_str()));
        events.push(event(identifier.clone(), &Change { purpose: &choice.purpose, channel, address, state, proof: &proof }, at));
    }
    let mut traits = serde_json::Map::new();
    let (new_times, old_times) = (picked.contact_times(), profile.contact_times().map(|times| times.to_string()));
    // What a page cannot show, such as a language that it does not speak, is not taken back by saving the rest.
    let channels = choices.iter().map(|choice| choice.channel);
    let told = [
        ("preferred_channel", picked.preferred_channel, shown(profile.preferred_channel(), channels)),
        ("language", picked.language, shown(profile.language(), LANGUAGES.iter().map(|(code, _)| *code))),
        ("accessibility", picked.accessibility, shown(profile.accessibility(), [TEXT_ONLY].into_iter())),
        ("contact_times", new_times.as_deref(), old_times.as_deref().unwrap_or_default()),
    ];
    for (name, new, old) in told {
        if let Some(new) = new.filter(|new| *new != old) {
            // An empty choice takes back an earlier one.
            traits.insert(name.to_owned(), if new.is_empty() { json!(null) } else { json!(new) });
        }
    }
    if !traits.is_empty() {
        events.push(Event {
            kind: EventKind::Identify,
            message_id: Cow::Owned(format!("{proof}:traits")),
            name: Cow::Borrowed(""),
            timestamp: Some(at),
            identifiers: vec![identifier.clone()],
            properties: Cow::Borrowed("{}"),
            traits: Cow::Owned(serde_json::Value::Object(traits).to_string()),
            context: Cow::Borrowed("{}"),
            consents: Default::default(),
        });
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_no_more_than_its_owner_needs() {
        for (address, shown) in [("ada@example.com", "a...@example.com"), ("+491701234567", "...567"), ("{\"endpoint\":1}", "")] {
            assert_eq!(masked(address), shown);
        }
    }
}
