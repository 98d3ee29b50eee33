//! `templates/NAME/CHANNEL.LANGUAGE.{jinja,mjml,html,txt}`: what there is, whether it is well-formed, what it
//! reads, and whether it speaks with the voice that the policies want.
//!
//! Rendering is `content`'s. A file begins with front matter (`---`, YAML, `---`) where the channel needs
//! it, such as the subject of an e-mail; texts in there are templates as well. An e-mail may have two files in
//! one language: one with HTML, one of plain text.

use super::code;
use super::report::{Sheet, WHOLE_FILE};
use super::schema::{Names, Place};
use super::settings::{CHANNEL_KINDS, Settings};
use super::suggest::{hint, quoted};
use super::tags::{self, Used};
use super::voice::{self, Part, Piece, Voice};
use super::world::{Read, TemplateFacts, World};
use super::yaml::{self, Kind, Node};
use crate::content::{FILTERS, Form, Markup, Source, Variant, check_mjml, environment};
use faden_model::Text;
use faden_model::condition::{Attribute, Root, Schema};
use faden_model::diagnostic::{ByteRange, Problem, Severity};
use std::collections::{BTreeMap, BTreeSet};

/// Names that every template may use.
const ROOTS: [&str; 13] = [
    "profile",
    "event",
    "enrollment",
    "unsubscribe_url",
    "confirm_url",
    "preferences_url",
    "view_url",
    "customer_token",
    "workspace",
    "language",
    "time_zone",
    "channel",
    "now",
];
/// Functions of the template language.
const FUNCTIONS: [&str; 3] = ["range", "dict", "namespace"];
/// Statements that would need another file.
const STATEMENTS_OF_FILES: [&str; 5] = ["include", "extends", "import", "from", "block"];
/// Channels that can show HTML.
const MARKUP_CHANNELS: [&str; 3] = ["email", "in_app", "letter"];

/// What the name of a template's file says.
struct FileName<'a> {
    template: &'a str,
    channel: &'a str,
    language: &'a str,
    markup: Option<Markup>,
}

/// Reads one file and notes it in `templates`.
pub fn read(sheet: &Sheet<'_>, settings: &Settings, voices: &[Voice], templates: &mut BTreeMap<Text, TemplateFacts>) {
    let parts: Vec<&str> = sheet.file.split('/').collect();
    let [_, name, file] = parts.as_slice() else {
        let help = "write templates/NAME/CHANNEL.LANGUAGE.jinja, such as templates/welcome/email.en.jinja";
        sheet.error(WHOLE_FILE, code::TEMPLATE_FILE_NAME, "a template is a folder with a file per channel and language", help);
        return;
    };
    // Known by name also when it is wrong, so that one mistake is reported once.
    let facts = templates.entry(Text::new(name)).or_default();
    let Some(name) = file_name(sheet, settings, name, file) else { return };
    let front = front_matter(sheet);
    let start = front.as_ref().map_or(0, |front| front.body);
    let text = sheet.text.get(start..).unwrap_or("");
    let reader = Reader { sheet, voices, name: &name };
    let body =
        Source { file: Text::new(sheet.file), line: line_of(sheet.text, start), part: Text::const_new("body"), text: text.to_owned() };
    let mut reads = reader.body(text, start);
    let variant = facts.variants.entry((Text::new(name.channel), Text::new(name.language))).or_default();
    if let Some(root) = front.and_then(|front| front.root) {
        reads.extend(reader.head(&root, variant));
    }
    let twice = match name.markup {
        Some(markup) => variant.markup.replace((markup, body)).map(|(_, before)| before),
        None => variant.text.replace(body),
    };
    if let Some(before) = twice {
        let message = format!("{} says the same in the same language already", before.file);
        sheet.error(WHOLE_FILE, code::DUPLICATE_NAME, message, "keep one of them; an e-mail may have one with HTML and one of plain text");
    }
    // The link to confirm names the purpose that the entering event granted.
    facts.reads_event |= reads.keys().any(|path| matches!(path.split('.').next(), Some("event" | "confirm_url")));
    if reads.contains_key("unsubscribe_url") || reads.contains_key("preferences_url") {
        facts.can_be_left.insert((Text::new(name.channel), Text::new(name.language)));
    }
    let read =
        |(path, place): (String, ByteRange)| Read { path: path.split('.').map(Text::new).collect(), file: Text::new(sheet.file), place };
    facts.reads.extend(reads.into_iter().map(read));
}

/// What a text reads, such as `profile.traits.tier`, and where first.
type Reads = BTreeMap<String, ByteRange>;

/// Holds what templates read against what there is, once it is known which traits are computed or set.
pub fn check_reads(sheets: &[Sheet<'_>], world: &World) {
    let (events, experiments) = (Vec::new(), BTreeSet::new());
    let names = Names { world, place: Place::Step, events: &events, experiments: &experiments };
    for read in world.templates.values().flat_map(|facts| &facts.reads) {
        let Some(sheet) = sheets.iter().find(|sheet| sheet.file == read.file) else { continue };
        let Some((root, path)) = read.path.split_first() else { continue };
        let known: &[&str] = match (root.as_str(), path) {
            ("profile", _) => {
                let attribute = Attribute { root: Root::Profile, path: path.to_vec() };
                // Without a tracking plan any trait may come, and `default` stands for those that do not.
                let planned = world.settings.traits.is_some();
                if let Some(unknown) =
                    names.attribute_type(&attribute).err().filter(|unknown| planned || unknown.code != code::UNKNOWN_TRAIT)
                {
                    let severity = if unknown.warning_only { Severity::Warning } else { Severity::Error };
                    sheet.push(Problem { code: unknown.code, severity, message: unknown.message, help: unknown.help, place: read.place });
                }
                continue;
            }
            ("event", [_, ..]) => &["properties", "name", "message_id", "timestamp"],
            ("enrollment", [_, ..]) => &["key", "journey", "id"],
            _ => continue,
        };
        if let Some(name) = path.first().filter(|name| !known.contains(&name.as_str())) {
            let help = match root.as_str() {
                "event" => format!("write `event.properties.{name}` for what the sender put in; `event` has {}", quoted(known)),
                _ => hint(name, known.iter().copied(), "`enrollment` has"),
            };
            sheet.error(read.place, code::UNKNOWN_ATTRIBUTE, format!("`{root}` has no `{name}` in a template"), help);
        }
    }
}

/// What can only be said when all files of a template are read: an e-mail's subject may stand in either of two.
pub fn check_whole(sheets: &[Sheet<'_>], templates: &BTreeMap<Text, TemplateFacts>) {
    for ((channel, _), variant) in templates.values().flat_map(|facts| &facts.variants) {
        let first = variant.markup.as_ref().map(|(_, source)| source).or(variant.text.as_ref());
        let Some(sheet) = first.and_then(|source| sheets.iter().find(|sheet| sheet.file == source.file)) else { continue };
        if channel == "email" && variant.subject.is_none() {
            let help = "begin the file with three lines: `---`, `subject: \"Your order\"`, `---`";
            let place = ByteRange { start: 0, end: sheet.text.find('\n').unwrap_or(0) };
            sheet.error(place, code::TEMPLATE_SUBJECT, "an e-mail needs a subject", help);
        }
    }
}

/// `email.en.jinja` is for `email` in `en`.
fn file_name<'a>(sheet: &Sheet<'_>, settings: &Settings, template: &'a str, file: &'a str) -> Option<FileName<'a>> {
    let wrong = |message: String, help: String| {
        sheet.error(WHOLE_FILE, code::TEMPLATE_FILE_NAME, message, help);
        None
    };
    let parts: Vec<&str> = file.split('.').collect();
    let [channel, language, ending] = parts.as_slice() else {
        let help = "name it CHANNEL.LANGUAGE.jinja, such as email.en.jinja".to_owned();
        return wrong(format!("`{file}` does not say for which channel and language it is"), help);
    };
    if !CHANNEL_KINDS.contains(channel) {
        let help = hint(channel, CHANNEL_KINDS, "channels");
        return wrong(format!("`{file}` is for the channel `{channel}`, which does not exist"), help);
    }
    let markup = match *ending {
        "jinja" | "txt" => None,
        "html" => Some(Markup::Html),
        "mjml" => Some(Markup::Mjml),
        other => return wrong(format!("`{file}` ends in `{other}`"), hint(other, ["jinja", "mjml", "html", "txt"], "endings")),
    };
    if markup.is_some() && !MARKUP_CHANNELS.contains(channel) {
        let help = format!("name it {channel}.{language}.jinja and write plain text");
        return wrong(format!("`{file}` is HTML, which `{channel}` cannot show"), help);
    }
    if !settings.languages.is_empty()
        && !settings.languages.iter().any(|known| known == language || language.starts_with(&format!("{known}-")))
    {
        let help = hint(language, settings.languages.iter().map(Text::as_str), "languages of faden.yaml");
        let message = format!("`{file}` is in `{language}`, which the workspace does not list");
        sheet.warning(WHOLE_FILE, code::TEMPLATE_FILE_NAME, message, help);
    }
    Some(FileName { template, channel, language, markup })
}

/// Reads the pieces of one file.
struct Reader<'a> {
    sheet: &'a Sheet<'a>,
    voices: &'a [Voice],
    name: &'a FileName<'a>,
}

impl Reader<'_> {
    /// Checks the message itself, which begins at `start`; what it reads.
    fn body(&self, text: &str, start: usize) -> Reads {
        let place = |range: ByteRange| ByteRange { start: start + range.start, end: start + range.end };
        if text.trim().is_empty() {
            self.sheet.error(WHOLE_FILE, code::TEMPLATE_EMPTY, "the template says nothing", "write the message under the front matter");
        }
        let reads = check_text(self.sheet, text, place);
        if self.name.markup == Some(Markup::Mjml) && reads.is_some() && !text.trim().is_empty() {
            for misfit in check_mjml(&tags::without_tags(text)) {
                let range = place(ByteRange { start: misfit.place.start, end: misfit.place.end });
                let help = "the elements and attributes of MJML are described at https://documentation.mjml.io";
                if misfit.harmless {
                    self.sheet.warning(range, code::TEMPLATE_MJML, format!("not MJML: {}", misfit.what), help);
                } else {
                    self.sheet.error(range, code::TEMPLATE_MJML, format!("not MJML: {}", misfit.what), help);
                }
            }
        }
        self.hear(if self.name.markup.is_some() { Part::Markup } else { Part::Body }, text, place);
        reads.unwrap_or_default()
    }

    fn hear(&self, part: Part, text: &str, place: impl Fn(ByteRange) -> ByteRange) {
        let FileName { template, channel, language, .. } = *self.name;
        voice::report(self.sheet, self.voices, &Piece { template, channel, language, part, text }, place);
    }

    /// Reads the head into `variant`; what its texts read.
    fn head(&self, root: &Node, variant: &mut Variant) -> Reads {
        let keys: &[&str] = match self.name.channel {
            "email" | "letter" => &["subject"],
            "push" | "web_push" | "in_app" => &["title", "url"],
            "whatsapp" | "rcs" => &["template", "template_language", "parameters"],
            _ => &[],
        };
        let mut reads = Reads::new();
        let Some(map) = self.sheet.map(root, "the head of this template", keys) else { return reads };
        let mut line = |key: &str, part: Part| Some(self.piece(map.get(key)?, key, part, &mut reads));
        variant.subject = line("subject", Part::Subject).flatten().or(variant.subject.take());
        variant.title = line("title", Part::Line).flatten().or(variant.title.take());
        variant.url = line("url", Part::Line).flatten().or(variant.url.take());
        let form = line("template", Part::Line).flatten();
        let mut parameters = Vec::new();
        for (at, node) in map.get("parameters").and_then(|node| self.sheet.list(node, "parameters")).unwrap_or_default().iter().enumerate()
        {
            parameters.extend(self.piece(node, &format!("parameters.{at}"), Part::Line, &mut reads));
        }
        let language = map.get("template_language").and_then(|node| self.sheet.text(node, "template_language"));
        if let Some(name) = form {
            variant.form = Some(Form { name, language, parameters });
        } else if map.has("parameters") || map.has("template_language") {
            map.require("template", "template: order_update");
        }
        reads
    }

    fn piece(&self, node: &Node, key: &str, part: Part, reads: &mut Reads) -> Option<Source> {
        self.sheet.text(node, key)?;
        let text = node.text()?;
        let place = |range| yaml::place_within(self.sheet.text, node, range);
        reads.extend(check_text(self.sheet, text, place).unwrap_or_default());
        self.hear(part, text, place);
        let line = line_of(self.sheet.text, node.place.start);
        Some(Source { file: Text::new(self.sheet.file), line, part: Text::new(key), text: text.to_owned() })
    }
}

fn line_of(text: &str, byte: usize) -> usize {
    text[..byte.min(text.len())].matches('\n').count() + 1
}

struct Front {
    root: Option<Node>,
    /// Where the message begins.
    body: usize,
}

/// Everything between a first line `---` and the next such line.
fn front_matter(sheet: &Sheet<'_>) -> Option<Front> {
    let text = sheet.text;
    let start = ["---\n", "---\r\n"].into_iter().find(|line| text.starts_with(line))?.len();
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        if line.trim_end() == "---" {
            let (root, problems) = yaml::parse(&text[start..at]);
            for problem in problems.into_iter().filter(|problem| problem.code != code::EMPTY_FILE) {
                sheet.push(Problem { place: moved(problem.place, start), ..problem });
            }
            return Some(Front { root: root.map(|root| shifted(root, start)), body: at + line.len() });
        }
        at += line.len();
    }
    let place = ByteRange { start: 0, end: 3 };
    sheet.error(place, code::TEMPLATE_SYNTAX, "the front matter has no end", "put a line with `---` after it");
    Some(Front { root: None, body: start })
}

fn moved(place: ByteRange, by: usize) -> ByteRange {
    ByteRange { start: place.start + by, end: place.end + by }
}

fn shifted(node: Node, by: usize) -> Node {
    let kind = match node.kind {
        Kind::Scalar(scalar) => Kind::Scalar(scalar),
        Kind::List(items) => Kind::List(items.into_iter().map(|item| shifted(item, by)).collect()),
        Kind::Map(fields) => Kind::Map(
            fields.into_iter().map(|(key, value)| (yaml::Key { place: moved(key.place, by), ..key }, shifted(value, by))).collect(),
        ),
    };
    Node { place: moved(node.place, by), kind }
}

/// Parses a text as a template; what it reads, `None` when it is none. `place` maps a range of the text to the
/// file.
fn check_text(sheet: &Sheet<'_>, text: &str, place: impl Fn(ByteRange) -> ByteRange) -> Option<Reads> {
    let environment = environment();
    check_used(sheet, text, &place);
    let template = match environment.template_from_str(text) {
        Ok(template) => template,
        Err(error) => {
            let range = error.range().map(|range| ByteRange { start: range.start, end: range.end.min(text.len()) });
            let line = error.line().and_then(|line| text.split_inclusive('\n').nth(line.saturating_sub(1)).map(|text| (line, text)));
            let range = range.or_else(|| line.map(|(line, shown)| line_range(text, line, shown))).unwrap_or_default();
            let what = error.detail().unwrap_or("it cannot be parsed");
            let help =
                "close every `{{ ... }}` and `{% ... %}`; each `{% if %}` and `{% for %}` needs its `{% endif %}` and `{% endfor %}`";
            sheet.error(place(range), code::TEMPLATE_SYNTAX, format!("not a template: {what}"), help);
            return None;
        }
    };
    let roots: BTreeSet<String> = template.undeclared_variables(false).into_iter().collect();
    for root in roots.iter().filter(|root| !ROOTS.contains(&root.as_str()) && !FUNCTIONS.contains(&root.as_str())) {
        let help = match hint(root, ROOTS, "known").as_str() {
            known if known.starts_with("did you mean") => known.to_owned(),
            _ => format!("for what is known of the customer write `profile.traits.{root}`; a template knows {}", quoted(&ROOTS)),
        };
        sheet.error(place(word(text, root)), code::TEMPLATE_VARIABLE, format!("there is no `{root}` in a template"), help);
    }
    let paths = template.undeclared_variables(true);
    Some(paths.into_iter().map(|path| (place(word(text, &path)), path)).map(|(place, path)| (path, place)).collect())
}

/// Filters that do not exist, and statements that would read another file.
fn check_used(sheet: &Sheet<'_>, text: &str, place: &impl Fn(ByteRange) -> ByteRange) {
    for (used, range) in tags::used(text) {
        let range = place(ByteRange { start: range.start, end: range.end });
        match used {
            Used::Filter(name) if !FILTERS.contains(&name) => {
                let help = match hint(name, FILTERS, "filters").as_str() {
                    known if known.starts_with("did you mean") => known.to_owned(),
                    _ => "docs/templates.md lists the filters".to_owned(),
                };
                sheet.error(range, code::TEMPLATE_FILTER, format!("there is no filter `{name}`"), help);
            }
            Used::Statement(name) if STATEMENTS_OF_FILES.contains(&name) => {
                let help = "write the part here, or give it a name in this file with `{% macro %}`";
                sheet.error(range, code::TEMPLATE_SYNTAX, format!("`{name}` cannot be used: a template stands by itself"), help);
            }
            Used::Filter(_) | Used::Statement(_) => {}
        }
    }
}

fn line_range(text: &str, line: usize, shown: &str) -> ByteRange {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    ByteRange { start, end: start + shown.trim_end().len() }
}

/// The first place where a name stands as a word of its own inside a tag.
fn word(text: &str, name: &str) -> ByteRange {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let alone = |at: usize| !text[..at].ends_with(part) && !text[at + name.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let in_tag = |at: usize| {
        let open = ["{{", "{%"].into_iter().filter_map(|tag| text[..at].rfind(tag)).max();
        let close = ["}}", "%}"].into_iter().filter_map(|tag| text[..at].rfind(tag)).max();
        open.is_some_and(|open| close.is_none_or(|close| close < open))
    };
    let start = text.match_indices(name).map(|(at, _)| at).find(|at| alone(*at) && in_tag(*at)).unwrap_or(0);
    ByteRange { start, end: (start + name.len()).min(text.len()) }
}
