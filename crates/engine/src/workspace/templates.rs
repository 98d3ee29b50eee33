//! `templates/NAME/CHANNEL.LANGUAGE.{jinja,mjml,txt}`: what there is, whether it is well-formed, what it reads.
//!
//! Rendering is elsewhere. A file begins with front matter (`---`, YAML, `---`) where the channel needs
//! it, such as the subject of an e-mail; texts in there are templates as well.

use super::code;
use super::report::{Sheet, WHOLE_FILE};
use super::settings::{CHANNEL_KINDS, Settings};
use super::suggest::{hint, quoted};
use super::world::TemplateFacts;
use super::yaml::{self, Kind, Node};
use faden_model::Text;
use faden_model::diagnostic::{ByteRange, Problem};
use minijinja::Environment;
use std::collections::{BTreeMap, BTreeSet};

const ENDINGS: [&str; 3] = ["jinja", "mjml", "txt"];
/// Names that every template may use.
const ROOTS: [&str; 10] =
    ["profile", "event", "enrollment", "unsubscribe_url", "preferences_url", "view_url", "workspace", "language", "channel", "now"];
/// Functions of the template language.
const FUNCTIONS: [&str; 4] = ["range", "dict", "namespace", "debug"];

/// Reads one file and notes it in `templates`.
pub fn read(sheet: &Sheet<'_>, settings: &Settings, templates: &mut BTreeMap<Text, TemplateFacts>) {
    let parts: Vec<&str> = sheet.file.split('/').collect();
    let [_, name, file] = parts.as_slice() else {
        let help = "write templates/NAME/CHANNEL.LANGUAGE.jinja, such as templates/welcome/email.en.jinja";
        sheet.error(WHOLE_FILE, code::TEMPLATE_FILE_NAME, "a template is a folder with a file per channel and language", help);
        return;
    };
    // Known by name also when it is wrong, so that one mistake is reported once.
    let facts = templates.entry(Text::new(name)).or_default();
    let Some((channel, language)) = variant(sheet, settings, file) else { return };
    let front = front_matter(sheet);
    let body = front.as_ref().map_or(0, |front| front.body);
    let text = sheet.text.get(body..).unwrap_or("");
    if text.trim().is_empty() {
        sheet.error(WHOLE_FILE, code::TEMPLATE_EMPTY, "the template says nothing", "write the message under the front matter");
    }
    let mut roots = check_text(sheet, text, |range| ByteRange { start: body + range.start, end: body + range.end });
    let root = front.and_then(|front| front.root);
    for (node, text) in root.iter().flat_map(scalars) {
        roots.extend(check_text(sheet, text, |range| yaml::place_within(sheet.text, node, range)));
    }
    if channel == "email" && root.as_ref().is_none_or(|root| root.get("subject").and_then(Node::text).is_none()) {
        let help = "begin the file with three lines: `---`, `subject: \"Your order\"`, `---`";
        sheet.error(
            ByteRange { start: 0, end: sheet.text.find('\n').unwrap_or(0) },
            code::TEMPLATE_SUBJECT,
            "an e-mail needs a subject",
            help,
        );
    }
    facts.reads_event |= roots.contains("event");
    facts.variants.insert((channel, language));
}

/// `email.en.jinja` is (`email`, `en`).
fn variant(sheet: &Sheet<'_>, settings: &Settings, file: &str) -> Option<(Text, Text)> {
    let parts: Vec<&str> = file.split('.').collect();
    let [channel, language, ending] = parts.as_slice() else {
        let help = "name it CHANNEL.LANGUAGE.jinja, such as email.en.jinja";
        sheet.error(WHOLE_FILE, code::TEMPLATE_FILE_NAME, format!("`{file}` does not say for which channel and language it is"), help);
        return None;
    };
    if !CHANNEL_KINDS.contains(channel) {
        let help = hint(channel, CHANNEL_KINDS, "channels");
        sheet.error(WHOLE_FILE, code::TEMPLATE_FILE_NAME, format!("`{file}` is for the channel `{channel}`, which does not exist"), help);
        return None;
    }
    if !ENDINGS.contains(ending) {
        let help = hint(ending, ENDINGS, "endings");
        sheet.error(WHOLE_FILE, code::TEMPLATE_FILE_NAME, format!("`{file}` ends in `{ending}`"), help);
        return None;
    }
    if !settings.languages.is_empty() && !settings.languages.iter().any(|known| known == language) {
        let help = hint(language, settings.languages.iter().map(Text::as_str), "languages of faden.yaml");
        sheet.warning(
            WHOLE_FILE,
            code::TEMPLATE_FILE_NAME,
            format!("`{file}` is in `{language}`, which the workspace does not list"),
            help,
        );
    }
    Some((Text::new(channel), Text::new(language)))
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

/// Every text in a tree.
fn scalars(node: &Node) -> Vec<(&Node, &str)> {
    match &node.kind {
        Kind::Scalar(scalar) => vec![(node, scalar.text.as_str())],
        Kind::List(items) => items.iter().flat_map(scalars).collect(),
        Kind::Map(fields) => fields.iter().flat_map(|(_, value)| scalars(value)).collect(),
    }
}

/// Parses a text as a template; the names it reads. `place` maps a range of the text to the file.
fn check_text(sheet: &Sheet<'_>, text: &str, place: impl Fn(ByteRange) -> ByteRange) -> BTreeSet<String> {
    let environment = Environment::empty();
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
            return BTreeSet::new();
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
    roots
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
