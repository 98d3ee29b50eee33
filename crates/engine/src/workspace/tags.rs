//! The tags of a template text: where they are, what stands in them, and the text without them.
//!
//! Only as much as checks need: the template language itself parses elsewhere. Texts without tags keep their
//! length, so that a place in them is a place in the file.

use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// `{{ ... }}`
    Print,
    /// `{% ... %}`
    Statement,
    /// `{# ... #}`
    Comment,
}

/// Every tag of a text with its place; one that has no end reaches to the end of the text.
pub fn tags(text: &str) -> Vec<(Tag, Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('{').map(|next| at + next) {
        let (tag, close) = match text.as_bytes().get(start + 1) {
            Some(b'{') => (Tag::Print, "}}"),
            Some(b'%') => (Tag::Statement, "%}"),
            Some(b'#') => (Tag::Comment, "#}"),
            _ => {
                at = start + 1;
                continue;
            }
        };
        let end = end_of(&text[start + 2..], tag, close).map_or(text.len(), |end| start + 2 + end);
        found.push((tag, start..end));
        at = end;
    }
    found
}

/// Behind the closing mark; inside quotes it closes nothing.
fn end_of(inner: &str, tag: Tag, close: &str) -> Option<usize> {
    if tag == Tag::Comment {
        return inner.find(close).map(|at| at + close.len());
    }
    let outside = unquoted(inner);
    outside.find(close).map(|at| at + close.len())
}

/// The text with every character inside quotes replaced by spaces of the same length.
fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quote, mut escaped) = (None, false);
    for c in text.chars() {
        let blank = match quote {
            None => {
                quote = Some(c).filter(|c| matches!(c, '"' | '\''));
                false
            }
            Some(open) => {
                let ends = c == open && !escaped;
                escaped = c == '\\' && !escaped;
                quote = quote.filter(|_| !ends);
                !ends
            }
        };
        if blank { out.push_str(&" ".repeat(c.len_utf8())) } else { out.push(c) }
    }
    out
}

/// A name inside a tag and what it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Used<'a> {
    Filter(&'a str),
    /// The first word of a statement.
    Statement(&'a str),
}

/// The filters and statements that a text uses, with their places.
pub fn used(text: &str) -> Vec<(Used<'_>, Range<usize>)> {
    let mut found = Vec::new();
    for (tag, place) in tags(text).into_iter().filter(|(tag, _)| *tag != Tag::Comment) {
        let outside = unquoted(&text[place.clone()]);
        let name_at = |at: usize| {
            let tail = &outside[at..];
            let start = at + (tail.len() - tail.trim_start().len());
            let length = outside[start..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(outside.len() - start);
            place.start + start..place.start + start + length
        };
        if tag == Tag::Statement {
            let name = name_at(if outside[2..].starts_with(['-', '+']) { 3 } else { 2 });
            found.push((Used::Statement(&text[name.clone()]), name));
        }
        for (bar, _) in outside.match_indices('|') {
            let name = name_at(bar + 1);
            if !name.is_empty() {
                found.push((Used::Filter(&text[name.clone()]), name));
            }
        }
    }
    found
}

/// The text with its tags blanked out: as MJML or a reader would see it.
///
/// What is printed inside a markup tag becomes letters, so that an attribute has a value; all else spaces.
/// The body of a macro goes too, as it stands elsewhere in the message.
pub fn without_tags(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let mut macro_start = None;
    for (tag, place) in tags(text) {
        let in_markup = text[..place.start].rfind('<') > text[..place.start].rfind('>');
        blank(&mut out[place.clone()], if tag == Tag::Print && in_markup { b'x' } else { b' ' });
        let word = text[place.clone()].trim_start_matches(['{', '%', '-', '+']).split_whitespace().next();
        match (tag, word) {
            (Tag::Statement, Some("macro")) => macro_start = Some(place.end),
            (Tag::Statement, Some("endmacro")) => {
                if let Some(start) = macro_start.take() {
                    blank(&mut out[start..place.start], b' ');
                }
            }
            _ => {}
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The text with markup blanked out too: tags, comments, styles.
pub fn without_markup(text: &str) -> String {
    const STYLED: [&str; 4] = ["style", "mj-style", "mj-attributes", "title"];
    let mut out = text.as_bytes().to_vec();
    let mut at = 0;
    while let Some(start) = text[at..].find('<').map(|next| at + next) {
        let tail = &text[start..];
        let name = tail[1..].split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or("");
        let close = if tail.starts_with("<!--") {
            tail.find("-->").map(|end| end + 3)
        } else if STYLED.contains(&name) {
            tail.find(&format!("</{name}>")).map(|end| end + name.len() + 3)
        } else {
            tail.find('>').map(|end| end + 1)
        };
        let end = close.map_or(text.len(), |close| start + close);
        blank(&mut out[start..end], b' ');
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Lines stay lines.
fn blank(bytes: &mut [u8], with: u8) {
    bytes.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = with);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_end_where_no_quotes_are_open() {
        for (text, expected) in [
            ("a {{ b }} c", "a         c"),
            ("{{ \"}}\" }}x", "          x"),
            ("{# it's }} #}x{% if a == '%}' %}", "             x                  "),
            ("{ a } {{ ä", "{ a }      "),
            ("<a href=\"{{ u }}\">{{ t }}</a>", "<a href=\"xxxxxxx\">       </a>"),
            ("{% macro m(x) %}<b>{{ x }}</b>{% endmacro %}y", "                                            y"),
        ] {
            assert_eq!(without_tags(text), expected, "{text}");
        }
    }

    #[test]
    fn filters_and_statements_are_found_with_their_places() {
        let text = "{{ a | default('b | c') |upper }} | d {%- include \"x\" %}{# |e #}";
        let found: Vec<(Used<'_>, &str)> = used(text).into_iter().map(|(used, place)| (used, &text[place])).collect();
        let expected = [(Used::Filter("default"), "default"), (Used::Filter("upper"), "upper"), (Used::Statement("include"), "include")];
        assert_eq!(found, expected);
    }

    #[test]
    fn markup_is_blanked_with_its_styles_and_comments() {
        for (text, expected) in
            [("<b>du</b>", "   du    "), ("<!-- du -->x<style>du</style>y", "           x                 y"), ("a < b", "a    ")]
        {
            assert_eq!(without_markup(text), expected, "{text}");
        }
    }
}
