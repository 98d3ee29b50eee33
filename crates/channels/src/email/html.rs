//! The text of an HTML mail, as a person would read it aloud: blocks as lines, quotations marked with `>`.
//!
//! Not a renderer: unknown tags are nothing, and what is invisible (scripts, styles, the head) is left out.
//! One pass; the time is linear in the length, whatever the bytes.

use mail_parser::decoders::html::add_html_token;

/// Elements that begin and end a line.
const BLOCKS: [&str; 26] = [
    "address",
    "article",
    "blockquote",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tr",
    "ul",
];

/// Elements whose content nobody sees.
const INVISIBLE: [&str; 5] = ["head", "script", "style", "template", "title"];

/// The longest entity name is `&CounterClockwiseContourIntegral;`.
const ENTITY_LENGTH_MAX: usize = 33;

pub fn to_text(html: &str) -> String {
    let mut out = Text::default();
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        out.add(&rest[..open]);
        rest = &rest[open..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        if !rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
            out.add("<");
            rest = &rest[1..];
            continue;
        }
        let Some(close) = rest.find('>') else { break };
        let tag = &rest[1..close];
        rest = &rest[close + 1..];
        let (is_end, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let name = tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
        if INVISIBLE.contains(&name.as_str()) && !is_end {
            rest = after_end_of(rest, &name);
        }
        out.meet(&name, is_end);
    }
    out.add(rest);
    out.finish()
}

/// Behind `</name`; the `>` goes with the next text and is skipped there.
fn after_end_of<'x>(html: &'x str, name: &str) -> &'x str {
    let mut rest = html;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        if rest.get(..name.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(name)) {
            return rest.find('>').map_or("", |end| &rest[end + 1..]);
        }
    }
    ""
}

#[derive(Default)]
struct Text {
    out: String,
    /// Inside how many quotations.
    quoted: usize,
    /// White space stood here; it counts when more text comes on the line.
    space: bool,
}

impl Text {
    fn meet(&mut self, name: &str, is_end: bool) {
        match name {
            "blockquote" => {
                self.end_line();
                self.quoted = if is_end { self.quoted.saturating_sub(1) } else { self.quoted + 1 };
            }
            "br" => {
                self.out.push('\n');
                self.space = false;
            }
            "p" => {
                self.end_line();
                // Paragraphs stand apart, but not from nothing.
                if is_end && !self.out.is_empty() {
                    self.out.push('\n');
                }
            }
            "td" | "th" => self.space = true,
            name if BLOCKS.contains(&name) => self.end_line(),
            _ => {}
        }
    }

    fn end_line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.space = false;
    }

    fn add(&mut self, text: &str) {
        self.space |= text.starts_with(|c: char| c.is_ascii_whitespace());
        for word in text.split_ascii_whitespace() {
            if self.out.is_empty() || self.out.ends_with('\n') {
                self.out.push_str(if self.quoted > 0 { "> " } else { "" });
            } else if self.space {
                self.out.push(' ');
            }
            self.add_word(word);
            self.space = true;
        }
        if !text.is_empty() {
            self.space &= text.ends_with(|c: char| c.is_ascii_whitespace()) || text.trim().is_empty();
        }
    }

    fn add_word(&mut self, word: &str) {
        let mut rest = word;
        while let Some(at) = rest.find('&') {
            self.out.push_str(&rest[..at]);
            rest = &rest[at..];
            let end = rest.bytes().take(ENTITY_LENGTH_MAX).position(|byte| byte == b';').map_or(1, |end| end + 1);
            match &rest[..end] {
                "&nbsp;" => self.out.push(' '),
                entity => add_html_token(&mut self.out, entity.as_bytes(), false),
            }
            rest = &rest[end..];
        }
        self.out.push_str(rest);
    }

    fn finish(self) -> String {
        self.out.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_the_text_that_people_see() {
        for (html, text) in [
            ("Hello <b>Ada</b>,<br>how are you?", "Hello Ada,\nhow are you?"),
            ("<div>one</div><div>two</div>", "one\ntwo"),
            ("<p>one</p>\n\n<p>two\n  three</p>", "one\n\ntwo three"),
            ("<html><head><title>no</title><style>p{}</style></head><body>yes</body>", "yes"),
            ("a<script>if (1 < 2) {}</script>b", "ab"),
            ("a<!-- <p>hidden --> b", "a b"),
            ("1 &lt; 2 &amp; &#252;&#xFC;&uuml; &nothing; &", "1 < 2 & üüü &nothing; &"),
            ("a&nbsp;b", "a b"),
            ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3"),
            (
                "yes<blockquote>they said<br>this<blockquote>and that</blockquote></blockquote>no",
                "yes\n> they said\n> this\n> and that\nno",
            ),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            ("a < b", "a < b"),
            ("<", "<"),
            ("<b", "<b"),
            ("<script>never ended", ""),
            ("wo<b>rd</b>s", "words"),
            ("<b>one</b> <i>two</i>", "one two"),
            ("", ""),
        ] {
            assert_eq!(to_text(html), text, "{html}");
        }
    }

    #[test]
    fn hostile_html_takes_linear_time() {
        for piece in ["<", "<!--", "<script>", "</", "&", "<blockquote>", "<a ", "<p>", ">"] {
            let html = piece.repeat(1_000_000 / piece.len());
            for end in ["", ">", "-->"] {
                let _ = to_text(&format!("{html}{end}"));
            }
        }
    }
}
