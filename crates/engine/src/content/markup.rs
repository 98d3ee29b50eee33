//! MJML -> HTML, and whether a text is MJML at all.
//!
//! Nothing is loaded from elsewhere: `mj-include` is refused, and no font is fetched from a third party unless
//! the template says so with `mj-font`.

use super::{Markup, Place, RenderError, Source};
use mrml::prelude::parser::Error;
use mrml::prelude::render::RenderOptions;
use std::ops::Range;

/// Elements inside each other; the parser calls itself for each, so this bounds the stack.
const DEPTH_MAX: usize = 100;

/// Elements that have no end.
const VOID: [&str; 6] = ["br", "col", "hr", "img", "input", "wbr"];

/// What is wrong with a text that should be MJML, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub what: String,
    pub place: Range<usize>,
    /// Rendered all the same.
    pub harmless: bool,
}

/// The HTML of a rendered body.
pub(super) fn html(kind: Markup, source: &Source, text: String) -> Result<String, RenderError> {
    if kind == Markup::Html {
        return Ok(text);
    }
    let failed = |what: String| RenderError::Mjml { place: Place { file: source.file.clone(), line: source.line }, what };
    misnested(&text).map_or(Ok(()), |misfit| Err(failed(misfit.what)))?;
    let parsed = mrml::parse(&text).map_err(|error| failed(what(&error).to_owned()))?;
    let options = RenderOptions { fonts: Default::default(), ..RenderOptions::default() };
    parsed.element.render(&options).map_err(|error| failed(error.to_string()))
}

/// Everything that is wrong with a text as MJML; tags of the template language must have been blanked out.
pub(crate) fn check_mjml(text: &str) -> Vec<Misfit> {
    if let Some(misfit) = misnested(text) {
        return vec![misfit];
    }
    match mrml::parse(text) {
        Err(error) => vec![Misfit { what: what(&error).to_owned(), place: place(&error, text), harmless: false }],
        Ok(parsed) => {
            let warnings = parsed.warnings.iter();
            let at = |span: &mrml::prelude::parser::Span| span.start..span.end.min(text.len());
            warnings.map(|warning| Misfit { what: warning.kind.to_string(), place: at(&warning.span), harmless: true }).collect()
        }
    }
}

fn what(error: &Error) -> &'static str {
    match error {
        Error::UnexpectedElement { .. } => "this element cannot stand here",
        Error::UnexpectedToken { .. } => "this cannot stand here; every element needs its end",
        Error::MissingAttribute { .. } => "this element lacks an attribute that it must have",
        Error::InvalidAttribute { .. } => "this attribute has a value that it cannot have",
        Error::InvalidFormat { .. } => "this cannot be read",
        Error::EndOfStream { .. } => "it ends before every element has its end",
        Error::SizeLimit { .. } => "it is too long",
        Error::ParserError { .. } => "it cannot be parsed here",
        Error::NoRootNode => "there is no `<mjml>` element",
        Error::IncludeLoaderError { .. } => "`mj-include` cannot be used; write the part here",
    }
}

fn place(error: &Error, text: &str) -> Range<usize> {
    let spanned = match error {
        Error::UnexpectedElement { position, .. }
        | Error::UnexpectedToken { position, .. }
        | Error::MissingAttribute { position, .. }
        | Error::InvalidAttribute { position, .. }
        | Error::InvalidFormat { position, .. }
        | Error::IncludeLoaderError { position, .. } => position.start..position.end,
        Error::ParserError { source, .. } => {
            let (row, column) = (source.pos().row as usize, source.pos().col as usize);
            let line: usize = text.split_inclusive('\n').take(row.saturating_sub(1)).map(str::len).sum();
            let in_line: usize = text[line.min(text.len())..].chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
            line + in_line..line + in_line + 1
        }
        Error::EndOfStream { .. } => text.trim_end().len().saturating_sub(1)..text.trim_end().len(),
        Error::SizeLimit { .. } | Error::NoRootNode => 0..text.find('\n').unwrap_or(text.len()),
    };
    let boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    boundary(spanned.start)..boundary(spanned.end.max(spanned.start))
}

/// What the parser would not mind or could not bear: an end that ends something else, and elements that lie
/// deeper in each other than any mail needs.
fn misnested(text: &str) -> Option<Misfit> {
    let mut open: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find('<')).map(|next| at + next) {
        let tail = &text[start + 1..];
        if let Some(comment) = tail.strip_prefix("!--") {
            at = comment.find("-->").map_or(text.len(), |end| start + 4 + end + 3);
            continue;
        }
        let tag = &tail[..tail.find('>').unwrap_or(tail.len())];
        at = start + 1 + tag.len();
        let (end, named) = tag.strip_prefix('/').map_or((false, tag), |rest| (true, rest));
        let name = named.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or("");
        let misfit = |what: String| Some(Misfit { what, place: start..(at + 1).min(text.len()), harmless: false });
        if name.is_empty() || VOID.contains(&name) || tag.ends_with('/') {
            continue;
        }
        if !end {
            open.push(name);
            if open.len() > DEPTH_MAX {
                return misfit(format!("elements lie more than {DEPTH_MAX} deep in each other"));
            }
            continue;
        }
        match open.pop() {
            Some(begun) if begun == name => {}
            Some(begun) => return misfit(format!("`</{name}>` stands where `<{begun}>` must end first")),
            None => return misfit(format!("`</{name}>` ends what has not begun")),
        }
    }
    None
}
