//! The templates of a workspace, compiled once: what there is to say, per channel and language.
//!
//! Filled by `workspace::read` after every file was checked. Holds the text of a file and where it came from,
//! so that a failure while rendering can still name the line.

use super::filters;
use faden_model::Text;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Instructions that one text may take: some hundred times what a long newsletter needs, some milliseconds.
const FUEL: u64 = 100_000;
/// Macros that call each other; bounds the stack.
const RECURSION_MAX: usize = 32;

/// A template folder: what it says, by channel and language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    pub name: Text,
    pub variants: BTreeMap<(Text, Text), Variant>,
}

/// What is said on one channel in one language: one or two files of the same name and the heads of both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// `subject`, `title`, `url`, `template`: a piece of text each.
    pub subject: Option<Source>,
    pub title: Option<Source>,
    pub url: Option<Source>,
    /// The form that the provider has approved (WhatsApp, RCS).
    pub form: Option<Form>,
    /// `.jinja` or `.txt`.
    pub text: Option<Source>,
    /// `.html` or `.mjml`.
    pub markup: Option<(Markup, Source)>,
}

/// A message form of the provider's: its name, its language there, and what goes into its gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    pub name: Source,
    /// That of the file when not written.
    pub language: Option<Text>,
    pub parameters: Vec<Source>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    Html,
    Mjml,
}

/// A piece of template text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Path in the workspace.
    pub file: Text,
    /// Where in the file: the first byte's line, from 1.
    pub line: usize,
    /// Which piece of the file: `body`, `subject`, `parameters.0`, ...
    pub part: Text,
    pub text: String,
}

impl Source {
    /// The name under which the environment knows it; values are escaped when it ends in `.html`.
    pub(super) fn key(&self, escape: bool) -> String {
        format!("{}#{}{}", self.file, self.part, if escape { ".html" } else { "" })
    }
}

/// All templates of a workspace.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    templates: BTreeMap<Text, Template>,
    pub(super) environment: Arc<Environment<'static>>,
}

impl Catalog {
    /// Compiles every piece; one that is no template is left out and fails when it is rendered.
    pub fn new(templates: BTreeMap<Text, Template>) -> Catalog {
        let mut environment = environment();
        for variant in templates.values().flat_map(|template| template.variants.values()) {
            let form = variant.form.iter().flat_map(|form| std::iter::once(&form.name).chain(&form.parameters));
            let plain = [&variant.subject, &variant.title, &variant.url, &variant.text].into_iter().flatten().chain(form);
            let pieces = plain.map(|source| (source, false)).chain(variant.markup.iter().map(|(_, source)| (source, true)));
            for (source, escape) in pieces {
                let _ = environment.add_template_owned(source.key(escape), source.text.clone());
            }
        }
        Catalog { templates, environment: Arc::new(environment) }
    }

    pub fn get(&self, name: &str) -> Option<&Template> {
        self.templates.get(name)
    }

    /// By name.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &Template> + Clone {
        self.templates.values()
    }
}

/// The template language as messages use it: the check of a workspace parses with the same one.
pub(crate) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION_MAX);
    // Names the undefined variable in the error; costs nothing while all goes well.
    environment.set_debug(true);
    environment.set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    // A line that holds only a tag leaves no empty line in a plain text.
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().expect("the delimiters are the usual ones");
    environment.set_syntax(syntax);
    environment.remove_global("debug");
    filters::add(&mut environment);
    environment
}
