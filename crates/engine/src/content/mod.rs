//! What a message says: a template, a language and the facts of a customer in; subject, text and HTML out.
//!
//! Pure: the same in, the same out, on every machine. Sends nothing and decides nothing. Jinja runs first, with
//! values escaped where the text is HTML or MJML; then MJML becomes HTML, and HTML a plain text where none was
//! written. Every text ends: it has a number of instructions (fuel) and a length. What a template prints but
//! nobody knows is an error, never an empty place in a message.
//! In: [`Catalog`] (of a checked workspace), [`Variables`]. Out: [`Rendered`]. `docs/templates.md` is for writers.

mod catalog;
mod filters;
mod locale;
mod markup;
mod plain_text;
#[cfg(test)]
mod tests;
mod variables;

pub(crate) use catalog::environment;
pub use catalog::{Catalog, Form, Markup, Source, Template, Variant};
pub(crate) use filters::FILTERS;
pub(crate) use markup::check_mjml;
pub use plain_text::plain_text;
pub use variables::{Links, Passage, TEXT_ONLY, Variables, variables};

use crate::definitions::Definitions;
use faden_model::Text;
use minijinja::ErrorKind;
use std::io;

/// Longest piece that is rendered, in bytes.
const BYTES_MAX: usize = 512 * 1024;

/// Longest piece of a template that an error cites.
const EXPRESSION_CHARS_MAX: usize = 120;

/// A message, ready for its channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The language that was found, which may not be the one that was wanted.
    pub language: Text,
    pub subject: Option<String>,
    /// For an e-mail the plain part, else the message itself; of a webhook its JSON.
    pub text: String,
    /// Not for a customer who wants plain text alone.
    pub html: Option<String>,
    /// Of a push message.
    pub title: Option<String>,
    pub url: Option<String>,
    pub provider_template: Option<ProviderTemplate>,
}

/// A message form that the provider has approved, with what goes into its gaps, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderTemplate {
    pub name: String,
    pub language: String,
    pub parameters: Vec<String>,
}

/// Why there is no message. Says where in the workspace; never what is known of the customer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    #[error("there is no template `{template}`; it may have been removed while somebody was still in a journey that uses it")]
    UnknownTemplate { template: Text },
    #[error("the template `{template}` has no text for `{channel}`; add templates/{template}/{channel}.LANGUAGE.jinja")]
    NoText { template: Text, channel: Text },
    #[error("{place}: `{what}` is not known of this customer; write `| default(\"...\")` behind it, or ask with `{{% if %}}`")]
    Undefined { place: Place, what: String },
    #[error("{place}: {what} in `{expression}`; try it with a preview of this customer")]
    Failed { place: Place, what: &'static str, expression: String },
    #[error("{place}: the template takes too many steps; make its loops shorter, such as `{{% for item in items[:20] %}}`")]
    OutOfFuel { place: Place },
    #[error("{place}: the text is longer than {BYTES_MAX} bytes; print less of a list")]
    TooLong { place: Place },
    #[error("{place}: what the template gives is not MJML: {what}")]
    Mjml { place: Place, what: String },
}

impl RenderError {
    /// Stable; `docs/errors/<code>.md` explains it.
    pub fn code(&self) -> &'static str {
        match self {
            RenderError::UnknownTemplate { .. } => "render-unknown-template",
            RenderError::NoText { .. } => "render-no-text",
            RenderError::Undefined { .. } => "render-undefined",
            RenderError::Failed { .. } => "render-failed",
            RenderError::OutOfFuel { .. } => "render-out-of-fuel",
            RenderError::TooLong { .. } => "render-too-long",
            RenderError::Mjml { .. } => "render-mjml",
        }
    }
}

/// A line of a file of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: Text,
    /// From 1.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Writes the message of a template for a channel, in the wanted language or the one that comes closest.
///
/// # Errors
/// [`RenderError`] when there is nothing to say on this channel, or the template fails with these facts.
pub fn render(
    definitions: &Definitions,
    template: &str,
    channel: &str,
    wanted_language: Option<&str>,
    variables: &Variables,
) -> Result<Rendered, RenderError> {
    let catalog = &definitions.templates;
    let Some(found) = catalog.get(template) else {
        return Err(RenderError::UnknownTemplate { template: Text::new(template) });
    };
    let Some((language, variant)) = choose(found, channel, wanted_language, &definitions.languages) else {
        return Err(RenderError::NoText { template: Text::new(template), channel: Text::new(channel) });
    };
    let context = variables.context(channel, language);
    let piece = |source: &Source| rendered(catalog, source, false, &context);
    let line = |source: &Option<Source>| source.as_ref().map(|source| piece(source).map(|text| one_line(&text))).transpose();
    let html = match &variant.markup {
        Some((kind, source)) => Some(markup::html(*kind, source, rendered(catalog, source, true, &context)?)?),
        None => None,
    };
    let text = match (&variant.text, &html) {
        (Some(source), _) => piece(source)?,
        (None, Some(html)) => plain_text(html),
        (None, None) => String::new(),
    };
    let provider_template = variant.form.as_ref().map(|form| {
        let parameters = form.parameters.iter().map(|source| piece(source).map(|text| one_line(&text))).collect::<Result<_, _>>()?;
        let own = form.language.as_ref().map_or_else(|| language.replace('-', "_"), Text::to_string);
        Ok(ProviderTemplate { name: one_line(&piece(&form.name)?), language: own, parameters })
    });
    Ok(Rendered {
        language: language.clone(),
        subject: line(&variant.subject)?,
        text: text.trim().to_owned(),
        html: html.filter(|_| !variables.wants_text_only()),
        title: line(&variant.title)?,
        url: line(&variant.url)?,
        provider_template: provider_template.transpose()?,
    })
}

/// `de-AT`, then `de`, then any other `de-..`, then the same for each language of the workspace, then any.
fn choose<'a>(template: &'a Template, channel: &str, wanted: Option<&str>, languages: &[Text]) -> Option<(&'a Text, &'a Variant)> {
    let of_channel = || template.variants.iter().filter(|((of, _), _)| of == channel).map(|((_, language), variant)| (language, variant));
    // Systems write `de_AT` and `de-AT.UTF-8` as well.
    let wanted = wanted.map(|wanted| wanted.split(['.', '@']).next().unwrap_or("").replace('_', "-"));
    let candidates = wanted.iter().map(String::as_str).chain(languages.iter().map(Text::as_str));
    for candidate in candidates {
        let main = candidate.split('-').next().unwrap_or("");
        let exact = of_channel().find(|(language, _)| language.eq_ignore_ascii_case(candidate));
        let plain = || of_channel().find(|(language, _)| language.eq_ignore_ascii_case(main));
        let kin = || of_channel().find(|(language, _)| language.split('-').next().is_some_and(|own| own.eq_ignore_ascii_case(main)));
        if let Some(found) = exact.or_else(plain).or_else(kin) {
            return Some(found);
        }
    }
    of_channel().next()
}

/// Subjects, titles, addresses and parameters have no line ends, whatever the customer's data holds.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn rendered(catalog: &Catalog, source: &Source, escape: bool, context: &minijinja::Value) -> Result<String, RenderError> {
    let mut out = Bounded { text: Vec::with_capacity(source.text.len() * 2), full: false };
    let done = catalog
        .environment
        .get_template(&source.key(escape))
        .and_then(|template| template.render_captured_to(context.clone(), &mut out).map(drop));
    let place = |line: usize| Place { file: source.file.clone(), line: source.line + line.saturating_sub(1) };
    if out.full {
        return Err(RenderError::TooLong { place: place(1) });
    }
    match done {
        // Only whole texts are written, so it is UTF-8.
        Ok(()) => Ok(String::from_utf8_lossy(&out.text).into_owned()),
        Err(error) => Err(failure(&error, place(error.line().unwrap_or(1)), &source.text)),
    }
}

/// Output with an end.
struct Bounded {
    text: Vec<u8>,
    full: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.text.len() + bytes.len() > BYTES_MAX {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The template language's error in our words. Its details may cite values of the customer, so they stay out;
/// the expression is the author's own text.
fn failure(error: &minijinja::Error, place: Place, text: &str) -> RenderError {
    let expression = error.range().map(|range| tag_around(text, range.start)).unwrap_or_default();
    match error.kind() {
        ErrorKind::OutOfFuel => RenderError::OutOfFuel { place },
        ErrorKind::UndefinedError => {
            // The detail names what is undefined in backticks: a piece of the author's text, not a value.
            let named = error.detail().and_then(|detail| detail.split('`').nth(1)).filter(|name| text.contains(name));
            let own = named.filter(|_| !error.detail().is_some_and(|detail| filters::WANTS.contains(&detail)));
            RenderError::Undefined { place, what: own.unwrap_or(&expression).to_owned() }
        }
        kind => {
            let wants = filters::WANTS.into_iter().find(|wants| error.detail() == Some(*wants));
            RenderError::Failed { place, what: wants.unwrap_or_else(|| what_failed(kind)), expression }
        }
    }
}

/// What stands in the tag around a place.
fn tag_around(text: &str, at: usize) -> String {
    let (before, after) = (text.get(..at).unwrap_or(""), text.get(at..).unwrap_or(""));
    let start = ["{{", "{%"].into_iter().filter_map(|open| before.rfind(open)).max().map_or(at, |open| open + 2);
    let end = ["}}", "%}"].into_iter().filter_map(|close| after.find(close)).min().map_or(text.len(), |close| at + close);
    let tag = text.get(start..end).unwrap_or("").trim_matches(|c: char| c.is_whitespace() || c == '-' || c == '+');
    tag.chars().take(EXPRESSION_CHARS_MAX).collect()
}

fn what_failed(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::UnknownFilter => "there is no such filter",
        ErrorKind::UnknownTest => "there is no such test",
        ErrorKind::UnknownFunction | ErrorKind::UnknownMethod => "there is no such function",
        ErrorKind::MissingArgument => "an argument is missing",
        ErrorKind::TooManyArguments => "there are too many arguments",
        ErrorKind::SyntaxError | ErrorKind::TemplateNotFound => "the template could not be read",
        _ => "a value of another kind than expected",
    }
}
