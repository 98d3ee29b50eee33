//! YAML as a tree in which every node knows its bytes.
//!
//! The parser is `saphyr-parser`, which gives marks in characters; here they become bytes. What makes
//! definitions hard to review is refused with a reason: anchors, aliases, tags, several documents, a
//! key twice. Scalars stay text; what type they are is for the reader who knows what belongs there.

use super::code;
use faden_model::diagnostic::{ByteRange, Problem, Severity};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use std::collections::BTreeSet;

/// A definition larger than this is refused unread.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// Maps and lists within each other; the deepest sensible journey has about ten.
pub const DEPTH_MAX: usize = 32;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub place: ByteRange,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Scalar(Scalar),
    List(Vec<Node>),
    /// Keys are scalars and differ.
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub place: ByteRange,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// Without quotes, with escapes and folding done.
    pub text: String,
    pub style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Quoted,
    Block,
}

impl Node {
    /// The value under a key, when this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Map(fields) => fields.iter().find(|(name, _)| name.name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The text of a scalar that says something.
    pub fn text(&self) -> Option<&str> {
        self.scalar().filter(|scalar| !scalar.is_null()).map(|scalar| scalar.text.as_str())
    }

    pub fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    pub fn fields(&self) -> &[(Key, Node)] {
        match &self.kind {
            Kind::Map(fields) => fields,
            _ => &[],
        }
    }
}

impl Scalar {
    pub fn is_null(&self) -> bool {
        self.style == Style::Plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

/// The tree of a text, or nothing and why. A text may have problems and still a tree (a key twice).
pub fn parse(text: &str) -> (Option<Node>, Vec<Problem>) {
    let mut builder = Builder { text, bytes: Bytes::of(text), open: Vec::new(), root: None, problems: Vec::new() };
    if text.len() > FILE_BYTES_MAX {
        let place = ByteRange { start: 0, end: 0 };
        builder.problem(
            place,
            code::YAML_TOO_LARGE,
            format!("the file has {} bytes, more than the {FILE_BYTES_MAX} that are read", text.len()),
            "split it into several files",
        );
        return (None, builder.problems);
    }
    for event in Parser::new_from_str(text) {
        let goes_on = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                builder.syntax(&error);
                false
            }
        };
        if !goes_on {
            return (None, builder.problems);
        }
    }
    if builder.root.is_none() && builder.problems.is_empty() {
        let place = ByteRange { start: 0, end: 0 };
        builder.problem(place, code::EMPTY_FILE, "the file says nothing".to_owned(), "write a definition into it, or delete it");
    }
    (builder.root, builder.problems)
}

/// From marks in characters to bytes.
enum Bytes {
    Ascii(usize),
    /// Byte offset of every character, and the length.
    Table(Vec<usize>),
}

impl Bytes {
    fn of(text: &str) -> Bytes {
        if text.is_ascii() {
            return Bytes::Ascii(text.len());
        }
        Bytes::Table(text.char_indices().map(|(at, _)| at).chain([text.len()]).collect())
    }

    fn at(&self, index: usize) -> usize {
        match self {
            Bytes::Ascii(length) => index.min(*length),
            Bytes::Table(table) => table.get(index).or(table.last()).copied().unwrap_or(0),
        }
    }
}

/// A map or list whose end has not been seen.
struct Open {
    start: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Map { fields: Vec<(Key, Node)>, key: Option<Key> },
}

struct Builder<'a> {
    text: &'a str,
    bytes: Bytes,
    open: Vec<Open>,
    root: Option<Node>,
    problems: Vec<Problem>,
}

impl Builder<'_> {
    fn problem(&mut self, place: ByteRange, code: &'static str, message: String, help: &str) {
        self.problems.push(Problem { code, severity: Severity::Error, message, help: help.to_owned(), place });
    }

    /// Whether reading goes on.
    fn take(&mut self, event: Event<'_>, span: Span) -> bool {
        let place = self.place(span);
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                let help = "keep one definition per file; put what follows `---` into a file of its own";
                self.problem(place, code::YAML_DOCUMENTS, "a second document begins here".to_owned(), help);
                return false;
            }
            Event::Alias(_) => self.refuse_alias(place),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_extras(place, anchor != 0, tag.is_some());
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let place = ByteRange { start: place.start, end: self.scalar_end(place, style) };
                self.add(Node { place, kind: Kind::Scalar(Scalar { text: text.into_owned(), style }) });
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_extras(place, anchor != 0, tag.is_some());
                return self.begin(place, OpenKind::List(Vec::new()));
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_extras(place, anchor != 0, tag.is_some());
                return self.begin(place, OpenKind::Map { fields: Vec::new(), key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(place),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
        true
    }

    fn place(&self, span: Span) -> ByteRange {
        let start = self.bytes.at(span.start.index());
        ByteRange { start, end: self.bytes.at(span.end.index()).max(start) }
    }

    /// Without white space behind it; of a quoted one the parser's mark may lie behind a comment.
    fn scalar_end(&self, place: ByteRange, style: Style) -> usize {
        let source = self.text.get(place.start..place.end).unwrap_or("");
        let quote = source.bytes().next().unwrap_or(b'"');
        let length = if style == Style::Quoted { closing_quote(source, quote) } else { source.trim_end().len() };
        place.start + length
    }

    fn refuse_alias(&mut self, place: ByteRange) {
        let help = "write the value out at each place; definitions are read by people who review them";
        self.problem(place, code::YAML_ALIAS, "aliases (`*name`) are not read".to_owned(), help);
        self.add(Node { place, kind: Kind::Scalar(Scalar { text: String::new(), style: Style::Plain }) });
    }

    fn refuse_extras(&mut self, place: ByteRange, anchor: bool, tag: bool) {
        if anchor {
            let help = "remove it and write the value out at each place; definitions are read by people who review them";
            self.problem(place, code::YAML_ALIAS, "anchors (`&name`) are not read".to_owned(), help);
        }
        if tag {
            let help = "remove it; what type a value has follows from its key";
            self.problem(place, code::YAML_TAG, "tags (`!name`) are not read".to_owned(), help);
        }
    }

    fn begin(&mut self, place: ByteRange, kind: OpenKind) -> bool {
        if self.open.len() == DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} maps and lists within each other");
            self.problem(place, code::YAML_TOO_DEEP, message, "no definition needs this; look for a bracket that never closes");
            return false;
        }
        self.open.push(Open { start: place.start, kind });
        true
    }

    fn end(&mut self, place: ByteRange) {
        let Some(open) = self.open.pop() else { return };
        let (kind, last) = match open.kind {
            OpenKind::List(items) => {
                let last = items.last().map(|item| item.place.end);
                (Kind::List(items), last)
            }
            OpenKind::Map { fields, .. } => {
                let last = fields.last().map(|(key, value)| value.place.end.max(key.place.end));
                (Kind::Map(fields), last)
            }
        };
        // A block has no closing bracket: it ends with its last part.
        let end = if place.end > place.start { place.end } else { last.unwrap_or(open.start) };
        self.add(Node { place: ByteRange { start: open.start, end: end.max(open.start) }, kind });
    }

    fn add(&mut self, node: Node) {
        let mut refused = None;
        let place = node.place;
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => {
                // A file of comments alone is one empty scalar.
                let empty = matches!(&node.kind, Kind::Scalar(scalar) if scalar.is_null());
                self.root = (!empty).then_some(node);
            }
            Some(OpenKind::List(items)) => items.push(node),
            Some(OpenKind::Map { fields, key }) => match key.take() {
                Some(key) => {
                    if !key.name.is_empty() {
                        fields.push((key, node));
                    }
                }
                None => {
                    let seen: BTreeSet<&str> = fields.iter().map(|(key, _)| key.name.as_str()).collect();
                    let name = match node.kind {
                        Kind::Scalar(scalar) if !scalar.text.is_empty() => scalar.text,
                        _ => String::new(),
                    };
                    if name.is_empty() {
                        refused = Some((code::YAML_KEY, "a key must be a text".to_owned(), KEY_HELP));
                    } else if seen.contains(name.as_str()) {
                        let message = format!("the key `{name}` stands here a second time");
                        refused = Some((code::YAML_DUPLICATE_KEY, message, "keep one of the two"));
                    }
                    *key = Some(Key { place, name: if refused.is_some() { String::new() } else { name } });
                }
            },
        }
        if let Some((code, message, help)) = refused {
            self.problem(place, code, message, help);
        }
    }

    fn syntax(&mut self, error: &ScanError) {
        let start = self.bytes.at(error.marker().index());
        let rest = self.text.get(start..).unwrap_or("");
        let end = start + rest.chars().next().filter(|first| *first != '\n').map_or(0, char::len_utf8);
        let what = error.info().trim_start_matches("while ");
        self.problem(ByteRange { start, end }, code::YAML_SYNTAX, format!("not YAML: {what}"), syntax_help(what));
    }
}

/// Length of a quoted text with both quotes.
fn closing_quote(source: &str, quote: u8) -> usize {
    let bytes = source.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        let doubled = quote == b'\'' && bytes[at] == quote && bytes.get(at + 1) == Some(&quote);
        let escaped = quote == b'"' && bytes[at] == b'\\';
        if doubled || escaped {
            at += 2;
        } else if bytes[at] == quote {
            return at + 1;
        } else {
            at += 1;
        }
    }
    source.trim_end().len()
}

const KEY_HELP: &str = "put a text that begins with `{` or `[`, such as `\"{{ name }}\"`, in quotes";

/// What people mostly did when the parser says this.
fn syntax_help(what: &str) -> &'static str {
    if what.contains("mapping values are not allowed") || what.contains("illegal placement of ':'") {
        "check the indentation of this line and the one above; put a text that contains `: ` in quotes"
    } else if what.contains("flow mapping") || what.contains("flow sequence") {
        "close the bracket; inside `{ }` and `[ ]` put a text or condition that contains `,` `[` `]` `{` `}` in quotes"
    } else if what.contains("block collection") || what.contains("block mapping") {
        "align this line with the others of the same map or list"
    } else if what.contains("quoted scalar") {
        "close the quote; lines within quotes must be indented"
    } else if what.contains("block scalar") {
        "put a text that begins with `>` or `|` in quotes"
    } else if what.contains("character") {
        "put a text that begins with this character in quotes"
    } else {
        "see the line above as well: an open quote or bracket is often the cause"
    }
}

/// Where a range of a scalar's text stands in the file.
///
/// Exact unless the scalar has escapes; then the whole scalar. Folding and indentation only add or
/// take white space, so the n-th other character of the text is the n-th of the file.
pub fn place_within(file: &str, node: &Node, range: ByteRange) -> ByteRange {
    let (Some(scalar), Some(source)) = (node.scalar(), file.get(node.place.start..node.place.end)) else { return node.place };
    if let Some(at) = verbatim(&scalar.text, source, scalar.style) {
        let length = scalar.text.len();
        return ByteRange { start: node.place.start + at + range.start.min(length), end: node.place.start + at + range.end.min(length) };
    }
    let inner = if scalar.style == Style::Quoted { source.get(1..source.len().saturating_sub(1)).unwrap_or("") } else { source };
    let offset = node.place.start + usize::from(scalar.style == Style::Quoted);
    let solid = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    if solid(&scalar.text) != solid(inner) {
        return node.place;
    }
    let (before, within) = (count_solid(&scalar.text, 0, range.start), count_solid(&scalar.text, range.start, range.end));
    let mut places = inner.char_indices().filter(|(_, c)| !c.is_whitespace());
    let Some((start, first)) = places.nth(before) else { return ByteRange { start: node.place.end, end: node.place.end } };
    let end = match within {
        0 => start,
        1 => start + first.len_utf8(),
        more => places.nth(more - 2).map_or(start, |(at, last)| at + last.len_utf8()),
    };
    ByteRange { start: offset + start, end: offset + end }
}

/// Where the text stands unchanged in its source.
fn verbatim(text: &str, source: &str, style: Style) -> Option<usize> {
    match style {
        Style::Quoted => (source.get(1..source.len().checked_sub(1)?)? == text).then_some(1),
        Style::Plain | Style::Block => (source == text || source == text.trim_end()).then_some(0),
    }
}

fn count_solid(text: &str, from: usize, to: usize) -> usize {
    text.char_indices().filter(|(at, c)| *at >= from && *at < to && !c.is_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slice<'a>(text: &'a str, node: &Node) -> &'a str {
        &text[node.place.start..node.place.end]
    }

    #[test]
    fn nodes_know_their_bytes_also_after_non_ascii_text() {
        let text = "# größe\nname: \"Zürich\" # ä\nlist: [ü, {k: v}]\nmap:\n  a: 1\n  b: |\n    zwei ö\n    drei\nend: x\n";
        let root = parse(text).0.unwrap();
        for (key, written) in [("name", "\"Zürich\""), ("list", "[ü, {k: v}]"), ("map", "a: 1\n  b: |\n    zwei ö\n    drei"), ("end", "x")]
        {
            assert_eq!(slice(text, root.get(key).unwrap()), written, "{key}");
        }
        assert_eq!(root.get("map").unwrap().get("b").unwrap().text(), Some("zwei ö\ndrei\n"));
    }

    #[test]
    fn a_place_in_a_text_maps_to_the_file_in_every_style() {
        for (text, word, found) in [
            ("a: größe == wahr", "wahr", "wahr"),
            ("a: \"größe == wahr\"", "wahr", "wahr"),
            ("a: 'größe == wahr'", "wahr", "wahr"),
            ("a: größe ==\n  wahr && mehr", "wahr", "wahr"),
            ("a: >-\n  größe ==\n  wahr\n", "wahr", "wahr"),
            ("a: |\n  größe ==\n    wahr\n", "wahr", "wahr"),
            ("a: 'it''s wahr'", "wahr", "'it''s wahr'"),
            ("a: \"\\u00e4 wahr\"", "wahr", "\"\\u00e4 wahr\""),
        ] {
            let root = parse(text).0.unwrap();
            let node = root.get("a").unwrap();
            let start = node.text().unwrap().find(word).unwrap();
            let place = place_within(text, node, ByteRange { start, end: start + word.len() });
            assert_eq!(&text[place.start..place.end], found, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_places_are_inside(text in "[ -~\\nä]{0,80}") {
            let (root, problems) = parse(&text);
            prop_assert!(root.is_some() || !problems.is_empty());
            for problem in problems {
                prop_assert!(text.get(problem.place.start..problem.place.end).is_some());
            }
            if let Some(root) = root {
                prop_assert!(text.get(root.place.start..root.place.end).is_some());
            }
        }
    }
}
