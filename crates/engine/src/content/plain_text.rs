//! HTML -> plain text, for the part of an e-mail that people without HTML read.
//!
//! One pass, no tree: blocks become lines, a link becomes `text (address)`, list items get a dash, pictures
//! their description. What is not meant to be seen (head, styles, comments, hidden boxes) is left out.
//! Any text is accepted; the output is never longer than a few times the input.

/// Elements whose content nobody sees.
const UNSEEN: [&str; 5] = ["head", "style", "script", "title", "template"];
/// Elements that begin and end a line.
const BLOCKS: [&str; 24] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "header",
    "main",
    "nav",
    "ol",
    "pre",
    "section",
    "table",
    "tbody",
    "tr",
    "ul",
];
/// Elements with an empty line around them.
const PARAGRAPHS: [&str; 8] = ["p", "h1", "h2", "h3", "h4", "h5", "h6", "hr"];
/// Elements that have no end.
const VOID: [&str; 14] = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// What was read so far, and what may follow it.
#[derive(Default)]
struct Text {
    out: String,
    /// Line ends that the next word must have before it.
    lines: usize,
    /// Whether a space stands before the next word.
    space: bool,
}

impl Text {
    fn word(&mut self, word: &str) {
        if self.out.is_empty() {
            self.lines = 0;
        } else if self.lines > 0 {
            self.out.push_str(&"\n".repeat(self.lines.min(2)));
        } else if self.space {
            self.out.push(' ');
        }
        (self.lines, self.space) = (0, false);
        self.out.push_str(word);
    }

    fn running(&mut self, text: &str) {
        // A no-break space is part of its word.
        let blank = |c: char| c.is_ascii_whitespace();
        self.space |= text.starts_with(blank);
        for word in text.split_ascii_whitespace() {
            self.word(word);
            self.space = true;
        }
        self.space = text.ends_with(blank) || (self.space && text.chars().all(blank));
    }

    fn at_least(&mut self, lines: usize) {
        self.lines = self.lines.max(lines);
        self.space = false;
    }
}

/// The text of an HTML document.
pub fn plain_text(html: &str) -> String {
    let mut text = Text::default();
    // The address of the link that is open, and where its text begins.
    let mut link: Option<(String, usize)> = None;
    // The unseen element that is open, and how many of its name are open inside.
    let mut unseen: Option<(String, usize)> = None;
    let mut rest = html;
    while !rest.is_empty() {
        let Some(tag) = next_tag(rest) else {
            if unseen.is_none() {
                text.running(&decoded(rest));
            }
            break;
        };
        if unseen.is_none() {
            text.running(&decoded(tag.before));
        }
        rest = tag.after;
        if tag.name.is_empty() {
            continue;
        }
        if let Some((name, depth)) = &mut unseen {
            if tag.name == *name && tag.opens() {
                *depth += 1;
            } else if tag.name == *name && tag.end {
                *depth -= 1;
            }
            unseen = unseen.filter(|(_, depth)| *depth > 0);
            continue;
        }
        if tag.opens() && tag.hides() {
            unseen = Some((tag.name.clone(), 1));
            continue;
        }
        match (tag.name.as_str(), tag.end) {
            ("br", _) => text.lines = (text.lines + 1).min(2),
            ("li", false) => {
                text.at_least(1);
                text.word("-");
                text.space = true;
            }
            ("td" | "th", _) => text.space = true,
            ("img", _) => text.running(&tag.attribute("alt").unwrap_or_default()),
            ("a", false) => link = tag.attribute("href").map(|address| (address, text.out.len())),
            ("a", true) => {
                if let Some((address, start)) = link.take() {
                    close_link(&mut text, &address, start);
                }
            }
            (name, _) if PARAGRAPHS.contains(&name) => text.at_least(2),
            (name, _) if BLOCKS.contains(&name) || name == "li" => text.at_least(1),
            _ => {}
        }
    }
    text.out
}

/// Puts the address behind the text of a link, unless they are the same.
fn close_link(text: &mut Text, address: &str, start: usize) {
    let shown = text.out.get(start..).unwrap_or("").trim();
    let bare = address.strip_prefix("mailto:").or_else(|| address.strip_prefix("tel:")).unwrap_or(address);
    if bare.is_empty() || bare.starts_with('#') || shown == bare {
        return;
    }
    let (lines, space) = (text.lines, text.space);
    if shown.is_empty() {
        text.word(bare);
    } else {
        (text.lines, text.space) = (0, true);
        text.word(&format!("({bare})"));
    }
    (text.lines, text.space) = (lines, space);
}

/// A tag, or a comment without a name, and the text around it.
struct Tag<'a> {
    before: &'a str,
    /// Lower case.
    name: String,
    attributes: &'a str,
    end: bool,
    after: &'a str,
}

fn next_tag(html: &str) -> Option<Tag<'_>> {
    let mut from = 0;
    loop {
        let start = from + html.get(from..)?.find('<')?;
        let (before, inner) = (&html[..start], &html[start + 1..]);
        let empty = |after| Tag { before, name: String::new(), attributes: "", end: false, after };
        if let Some(comment) = inner.strip_prefix("!--") {
            return Some(empty(comment.split_once("-->").map_or("", |(_, after)| after)));
        }
        if inner.starts_with(['!', '?']) {
            return Some(empty(inner.split_once('>').map_or("", |(_, after)| after)));
        }
        let (end, named) = inner.strip_prefix('/').map_or((false, inner), |rest| (true, rest));
        if !named.starts_with(|first: char| first.is_ascii_alphabetic()) {
            // A `<` that opens nothing is a character like any other.
            from = start + 1;
            continue;
        }
        let length = named.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != ':').unwrap_or(named.len());
        let (name, tail) = named.split_at(length);
        let close = end_of_tag(tail);
        let after = tail.get(close + 1..).unwrap_or("");
        return Some(Tag { before, name: name.to_ascii_lowercase(), attributes: &tail[..close], end, after });
    }
}

/// Where the `>` is that stands in no quotes.
fn end_of_tag(tail: &str) -> usize {
    let mut quote = None;
    for (at, byte) in tail.bytes().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None, b'>') => return at,
            _ => {}
        }
    }
    tail.len()
}

impl Tag<'_> {
    fn opens(&self) -> bool {
        !self.end && !self.attributes.ends_with('/') && !VOID.contains(&self.name.as_str())
    }

    fn hides(&self) -> bool {
        let hidden = |style: String| style.split_whitespace().collect::<String>().to_ascii_lowercase().contains("display:none");
        UNSEEN.contains(&self.name.as_str()) || self.attribute("style").is_some_and(hidden)
    }

    fn attribute(&self, wanted: &str) -> Option<String> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/' || c == '=');
            let length = rest.find(|c: char| c.is_whitespace() || c == '=' || c == '/').unwrap_or(rest.len());
            let (name, tail) = rest.split_at(length);
            if name.is_empty() {
                return None;
            }
            let value = tail.trim_start().strip_prefix('=').map(str::trim_start);
            let (value, after) = match value {
                None => ("", tail),
                Some(value) => match value.chars().next().filter(|first| matches!(first, '"' | '\'')) {
                    Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
                    None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
                },
            };
            if name.eq_ignore_ascii_case(wanted) {
                return Some(decoded(value).trim().to_owned());
            }
            rest = after;
        }
    }
}

/// Character references resolved: all numeric ones and the named ones that mails are written with.
fn decoded(text: &str) -> String {
    const NAMED: [(&str, &str); 34] = [
        ("amp", "&"),
        ("lt", "<"),
        ("gt", ">"),
        ("quot", "\""),
        ("apos", "'"),
        ("nbsp", "\u{a0}"),
        ("shy", ""),
        ("zwnj", ""),
        ("auml", "ä"),
        ("ouml", "ö"),
        ("uuml", "ü"),
        ("Auml", "Ä"),
        ("Ouml", "Ö"),
        ("Uuml", "Ü"),
        ("szlig", "ß"),
        ("eacute", "é"),
        ("aacute", "á"),
        ("atilde", "ã"),
        ("ccedil", "ç"),
        ("oacute", "ó"),
        ("euro", "€"),
        ("copy", "©"),
        ("reg", "®"),
        ("trade", "™"),
        ("mdash", "—"),
        ("ndash", "–"),
        ("hellip", "…"),
        ("bull", "•"),
        ("middot", "·"),
        ("laquo", "«"),
        ("raquo", "»"),
        ("bdquo", "„"),
        ("ldquo", "“"),
        ("rdquo", "”"),
    ];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (plain, reference) = rest.split_at(at);
        out.push_str(plain);
        let name = reference[1..].split_once(';').map(|(name, _)| name).filter(|name| name.len() <= 10);
        let number = name.and_then(|name| name.strip_prefix('#')).and_then(|digits| match digits.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => digits.parse().ok(),
        });
        let named = name.and_then(|name| NAMED.iter().find(|(known, _)| *known == name));
        match (number.and_then(char::from_u32), named, name) {
            (Some(c), _, Some(name)) => {
                if !c.is_control() {
                    out.push(c);
                }
                rest = &reference[name.len() + 2..];
            }
            (None, Some((_, resolved)), Some(name)) => {
                out.push_str(resolved);
                rest = &reference[name.len() + 2..];
            }
            _ => {
                out.push('&');
                rest = &reference[1..];
            }
        }
    }
    out.push_str(rest);
    out
}
