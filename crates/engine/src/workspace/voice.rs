//! `voice:` of a policy: how a brand speaks, held against every template that its customers can get.
//!
//! Voices only add up: a region's or brand's rules come on top of the global ones. What variables put into a
//! text is not known here; a length counts the text that is there in any case.

use super::code;
use super::fields::Map;
use super::report::Sheet;
use super::settings::check_channel;
use super::tags;
use super::yaml::{Kind, Node};
use crate::policy::Level;
use faden_model::Text;
use faden_model::diagnostic::ByteRange;
use regex::Regex;

const KEYS: [&str; 9] =
    ["languages", "templates", "channels", "formal", "forbidden", "required", "max_length", "exclamation_marks_max", "subject_max"];

/// Words of familiar address, by language. German `ihr` is left out: it is also "her" and "their".
const FAMILIAR: [(&str, &[&str], &str); 4] = [
    (
        "de",
        &[
            "du", "dich", "dir", "dein", "deine", "deinem", "deinen", "deiner", "deines", "euch", "euer", "eure", "eurem", "euren",
            "eurer", "eures",
        ],
        "`Sie`, `Ihnen` or `Ihr`",
    ),
    ("fr", &["tu", "te", "toi", "ton", "ta", "tes"], "`vous` or `votre`"),
    ("es", &["tú", "tu", "tus", "ti", "contigo"], "`usted` or `su`"),
    ("pt", &["tu", "te", "ti", "teu", "tua", "teus", "tuas", "contigo"], "`o senhor`, `a senhora` or `seu`"),
];

/// How one policy wants to speak.
#[derive(Clone, Debug, Default)]
pub struct Voice {
    policy: Text,
    /// Everywhere when empty.
    countries: Vec<Text>,
    /// All when empty, as the two below.
    languages: Vec<Text>,
    /// Names, or beginnings of names with `*`.
    templates: Vec<Text>,
    channels: Vec<Text>,
    /// Familiar words, by language, and what to write instead; empty when it need not be formal.
    familiar: Vec<(&'static str, Regex, &'static str)>,
    forbidden: Vec<Regex>,
    required: Vec<Text>,
    /// By channel.
    max_length: Vec<(Text, usize)>,
    exclamation_marks_max: Option<usize>,
    subject_max: Option<usize>,
}

/// A text of a template, as a reader meets it.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    pub template: &'a str,
    pub channel: &'a str,
    pub language: &'a str,
    pub part: Part,
    pub text: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Subject,
    /// A title or a parameter.
    Line,
    Body,
    /// A body with tags.
    Markup,
}

/// What a voice has against a text.
pub struct Objection {
    pub place: ByteRange,
    pub message: String,
    pub help: String,
}

/// `voice: {...}` or a list of such.
pub fn read(sheet: &Sheet<'_>, map: &Map<'_>, policy: &Text, level: &Level) -> Vec<Voice> {
    let Some(node) = map.get("voice") else { return Vec::new() };
    let items: Vec<&Node> = if matches!(node.kind, Kind::List(_)) { node.items().iter().collect() } else { vec![node] };
    let countries = match level {
        Level::Region { countries, .. } => countries.clone(),
        Level::Global | Level::Brand { .. } => Vec::new(),
    };
    let known = items.into_iter().filter_map(|item| one(sheet, item));
    known.map(|voice| Voice { policy: policy.clone(), countries: countries.clone(), ..voice }).collect()
}

fn one(sheet: &Sheet<'_>, node: &Node) -> Option<Voice> {
    let map = sheet.map(node, "`voice`", &KEYS)?;
    let texts = |key: &str| map.get(key).and_then(|node| sheet.texts(node, key)).unwrap_or_default();
    let plain = |key: &str| texts(key).into_iter().map(|(text, _)| text).collect();
    let formal = map.get("formal").and_then(|node| sheet.boolean(node, "formal")).unwrap_or(false);
    let familiar = FAMILIAR.iter().filter(|_| formal);
    let mut max_length = Vec::new();
    for (key, node) in map.get("max_length").and_then(|node| sheet.open_map(node, "`max_length`")).map_or(&[][..], |map| map.fields()) {
        let place = Node { place: key.place, kind: Kind::List(Vec::new()) };
        if check_channel(sheet, &place, &key.name)
            && let Some(length) = count(sheet, node, &key.name, 1)
        {
            max_length.push((Text::new(&key.name), length));
        }
    }
    Some(Voice {
        languages: map.get("languages").map(|node| super::settings::languages(sheet, node, "languages")).unwrap_or_default(),
        templates: plain("templates"),
        channels: texts("channels").into_iter().filter(|(text, node)| check_channel(sheet, node, text)).map(|(text, _)| text).collect(),
        familiar: familiar.filter_map(|(language, words, instead)| Some((*language, any_of(words)?, *instead))).collect(),
        forbidden: texts("forbidden").into_iter().filter_map(|(text, _)| phrase(&text)).collect(),
        required: plain("required"),
        max_length,
        exclamation_marks_max: map.get("exclamation_marks_max").and_then(|node| count(sheet, node, "exclamation_marks_max", 0)),
        subject_max: map.get("subject_max").and_then(|node| count(sheet, node, "subject_max", 1)),
        ..Voice::default()
    })
}

fn count(sheet: &Sheet<'_>, node: &Node, name: &str, low: i64) -> Option<usize> {
    usize::try_from(sheet.integer(node, name, (low, 1_000_000))?).ok()
}

/// Any of these words by itself, in any letter case.
fn any_of(words: &[&str]) -> Option<Regex> {
    Regex::new(&format!(r"(?i)\b(?:{})\b", words.join("|"))).ok()
}

/// A word or phrase by itself, in any letter case, with any white space between its words.
fn phrase(text: &str) -> Option<Regex> {
    let words: Vec<String> = text.split_whitespace().map(regex::escape).collect();
    let edge = |c: Option<char>| if c.is_some_and(|c| c.is_alphanumeric() || c == '_') { r"\b" } else { "" };
    Regex::new(&format!("(?i){}{}{}", edge(text.chars().next()), words.join(r"\s+"), edge(text.chars().last()))).ok()
}

impl Voice {
    /// Whether its rules hold for this text.
    fn hears(&self, piece: &Piece<'_>) -> bool {
        let (main, region) = piece.language.split_once('-').unwrap_or((piece.language, ""));
        let named = |wanted: &Text| match wanted.strip_suffix('*') {
            Some(beginning) => piece.template.starts_with(beginning),
            None => piece.template == wanted,
        };
        // `de` may go to every country, `de-AT` to one.
        (self.countries.is_empty() || region.is_empty() || self.countries.iter().any(|country| country.eq_ignore_ascii_case(region)))
            && (self.languages.is_empty() || self.languages.iter().any(|language| language == main || language == piece.language))
            && (self.channels.is_empty() || self.channels.iter().any(|channel| channel == piece.channel))
            && (self.templates.is_empty() || self.templates.iter().any(named))
    }
}

/// Everything that the voices have against a text; places are in it.
pub fn check(voices: &[Voice], piece: &Piece<'_>) -> Vec<Objection> {
    let mut found = Vec::new();
    let shown = tags::without_tags(piece.text);
    let shown = if piece.part == Part::Markup { tags::without_markup(&shown) } else { shown };
    for voice in voices.iter().filter(|voice| voice.hears(piece)) {
        words(voice, piece, &shown, &mut found);
        lengths(voice, piece, &shown, &mut found);
        let body = matches!(piece.part, Part::Body | Part::Markup);
        for text in voice.required.iter().filter(|text| body && !contains(piece.text, text)) {
            let message = format!("`{text}` is missing, which the policy `{}` requires", voice.policy);
            found.push(Objection { place: first_line(piece.text), message, help: format!("write `{text}` into the text") });
        }
    }
    found
}

fn words(voice: &Voice, piece: &Piece<'_>, shown: &str, found: &mut Vec<Objection>) {
    let main = piece.language.split('-').next().unwrap_or("");
    for (_, words, instead) in voice.familiar.iter().filter(|(language, ..)| *language == main) {
        for word in words.find_iter(shown).map(|found| found.range()) {
            let message = format!("`{}` is familiar, and the policy `{}` speaks formally", &shown[word.clone()], voice.policy);
            found.push(Objection { place: range(word), message, help: format!("write {instead}") });
        }
    }
    for words in &voice.forbidden {
        for word in words.find_iter(shown).map(|found| found.range()) {
            let said = shown[word.clone()].split_whitespace().collect::<Vec<_>>().join(" ");
            let message = format!("the policy `{}` does not say `{said}`", voice.policy);
            found.push(Objection { place: range(word), message, help: "say it in other words".to_owned() });
        }
    }
}

fn lengths(voice: &Voice, piece: &Piece<'_>, shown: &str, found: &mut Vec<Objection>) {
    let marks: Vec<usize> = shown.match_indices('!').map(|(at, _)| at).collect();
    if let Some(max) = voice.exclamation_marks_max
        && let Some(at) = marks.get(max)
    {
        let message = format!("{} exclamation marks, and the policy `{}` allows {max}", marks.len(), voice.policy);
        found.push(Objection {
            place: ByteRange { start: *at, end: at + 1 },
            message,
            help: "end the sentence with a full stop".to_owned(),
        });
    }
    let of_channel = voice.max_length.iter().find(|(channel, _)| channel == piece.channel).map(|(_, max)| *max);
    let max = match piece.part {
        Part::Subject => voice.subject_max,
        Part::Body | Part::Markup => of_channel,
        Part::Line => None,
    };
    let words: Vec<&str> = shown.split_whitespace().collect();
    let length = words.iter().map(|word| word.chars().count()).sum::<usize>() + words.len().saturating_sub(1);
    if let Some(max) = max.filter(|max| length > *max) {
        let message = format!("{length} characters, even without what variables add, and the policy `{}` allows {max}", voice.policy);
        found.push(Objection { place: first_line(piece.text), message, help: "shorten it".to_owned() });
    }
}

fn contains(text: &str, wanted: &str) -> bool {
    text.to_lowercase().contains(&wanted.to_lowercase())
}

fn range(place: std::ops::Range<usize>) -> ByteRange {
    ByteRange { start: place.start, end: place.end }
}

/// The first line that says something.
fn first_line(text: &str) -> ByteRange {
    let start = text.len() - text.trim_start().len();
    let line = text[start..].lines().next().unwrap_or("");
    ByteRange { start, end: start + line.trim_end().len() }
}

/// Reports what the voices have against a text; `place` maps a range of the text to the file.
pub fn report(sheet: &Sheet<'_>, voices: &[Voice], piece: &Piece<'_>, place: impl Fn(ByteRange) -> ByteRange) {
    for objection in check(voices, piece) {
        sheet.error(place(objection.place), code::TEMPLATE_VOICE, objection.message, objection.help);
    }
}
