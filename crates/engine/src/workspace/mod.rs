//! A workspace's text files -> checked [`Definitions`], or everything that is wrong with them.
//!
//! Pure: the files come as texts, the caller reads the directory. Everything is checked in one run and
//! every finding has its place. What the rest of the engine gets cannot be wrong any more: steps that
//! exist, expressions with types, audiences in the order in which they depend on each other.
//!
//! The surface is described in `docs/` (workspace directory); each file kind has its reader here.

mod about;
mod audiences;
pub mod code;
mod conditions;
mod events;
mod fields;
mod flat;
mod identity;
mod journey;
mod policies;
mod render;
mod report;
pub mod scenario;
mod schema;
mod settings;
mod suggest;
mod tags;
mod templates;
mod voice;
mod world;
mod yaml;

#[cfg(test)]
mod tests;

pub use about::about;
pub use flat::{Shape, read_flat};
pub use render::{Colours, line_column, render};
pub use scenario::read_scenarios;

use crate::audience::key_of;
use crate::content::{Catalog, Template};
use crate::definitions::Definitions;
use crate::journey::JourneyVersion;
use crate::policy::OptIn;
use faden_model::Text;
use faden_model::diagnostic::{ByteRange, Problem, Severity};
use report::{Report, Sheet, WHOLE_FILE};
use std::collections::BTreeMap;
use std::sync::Arc;
use world::World;
use yaml::Node;

/// Relative path (with `/`) to text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(pub BTreeMap<String, String>);

/// Something to mend, or to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub file: String,
    /// Its place is a range of bytes in that file; `0..0` stands for the file as a whole.
    pub problem: Problem,
}

/// What a workspace says and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// `None` when any finding is an error.
    pub definitions: Option<Definitions>,
    /// By file and place.
    pub findings: Vec<Finding>,
}

/// Folders that later versions read.
const FOLDERS_LATER: [&str; 5] = ["cases", "desk", "offers", "metrics", "connectors"];
const FOLDERS: [&str; 10] =
    ["policies", "audiences", "journeys", "templates", "scenarios", "cases", "desk", "offers", "metrics", "connectors"];

/// Reads a workspace. Never panics, whatever the texts are.
pub fn read(files: &Files) -> Outcome {
    let report = Report::default();
    let definitions = read_into(files, &report);
    let findings = report.finish();
    let wrong = findings.iter().any(|finding| finding.problem.severity == Severity::Error);
    Outcome { definitions: definitions.filter(|_| !wrong), findings }
}

/// A file that was parsed.
struct Parsed<'a> {
    sheet: Sheet<'a>,
    root: Node,
}

/// The parsed files by kind; templates are not YAML.
#[derive(Default)]
struct Sorted<'a> {
    settings: Option<Parsed<'a>>,
    identity: Option<Parsed<'a>>,
    policies: Vec<Parsed<'a>>,
    audiences: Vec<Parsed<'a>>,
    journeys: Vec<Parsed<'a>>,
    scenarios: Vec<Parsed<'a>>,
    templates: Vec<Sheet<'a>>,
}

fn read_into(files: &Files, report: &Report) -> Option<Definitions> {
    let sorted = sort(files, report);
    let mut world = World::default();
    match &sorted.settings {
        Some(parsed) => world.settings = settings::read(&parsed.sheet, &parsed.root),
        None if files.0.contains_key("faden.yaml") => {}
        None => {
            let help = "write one with `workspace`, `country`, `time_zone` and `languages`; paths are from the workspace directory";
            Sheet::new("faden.yaml", "", report).error(WHOLE_FILE, code::MISSING_FILE, "the workspace has no faden.yaml", help);
        }
    }
    let identity = identity::read(sorted.identity.as_ref().map(|parsed| (&parsed.sheet, &parsed.root)), &mut world);
    let policies: Vec<policies::Read<'_>> =
        sorted.policies.iter().filter_map(|parsed| policies::read(&parsed.sheet, &parsed.root)).collect();
    let policy_names: Vec<(&Sheet<'_>, &Node)> = sorted.policies.iter().map(|parsed| (&parsed.sheet, &parsed.root)).collect();
    refuse_duplicates(&policy_names, "policy");
    world.purposes = policies.iter().flat_map(|read| &read.file.consent).map(|rule| rule.purpose.clone()).collect();
    let merged = policies::build(&policies, &world.settings);
    if let Some(policies) = &merged {
        let asks = |purpose: &&Text| policies.effective(None, None).opt_in(purpose, "email") != OptIn::None;
        world.consent_purposes = world.purposes.iter().filter(asks).cloned().collect();
    }
    let voices: Vec<voice::Voice> = policies.iter().flat_map(|read| read.voices.iter().cloned()).collect();
    for sheet in &sorted.templates {
        templates::read(sheet, &world.settings, &voices, &mut world.templates);
    }
    templates::check_whole(&sorted.templates, &world.templates);
    note_names(&sorted, &mut world);
    let audience_files: Vec<audiences::File<'_>> =
        sorted.audiences.iter().map(|parsed| audiences::File { sheet: &parsed.sheet, root: &parsed.root }).collect();
    let traits = audiences::traits(&audience_files, &mut world);
    templates::check_reads(&sorted.templates, &world);
    let audiences = audiences::audiences(&audience_files, &world);
    let (journeys, experiments) = read_journeys(&sorted.journeys, &world);
    // Without faden.yaml it is not known which events are declared.
    if sorted.settings.is_some() {
        let listeners = sorted.journeys.iter().chain(&sorted.audiences);
        events::check(listeners.map(|parsed| (&parsed.sheet, &parsed.root)), &world);
    }
    collisions(&sorted, &world);
    Some(Definitions {
        workspace: world.settings.workspace.clone(),
        country: world.settings.country.clone(),
        time_zone: world.settings.time_zone.clone(),
        languages: world.settings.languages.clone(),
        channels: world.settings.channels.clone(),
        sources: world.settings.sources.clone(),
        identity: identity?,
        policies: merged?,
        traits,
        audiences,
        journeys,
        experiments,
        templates: Catalog::new(world.templates.iter().map(|(name, facts)| (name.clone(), template(name, facts))).collect()),
    })
}

fn template(name: &Text, facts: &world::TemplateFacts) -> Template {
    Template { name: name.clone(), variants: facts.variants.clone() }
}

/// Parses every file and puts it where it belongs.
fn sort<'a>(files: &'a Files, report: &'a Report) -> Sorted<'a> {
    let mut sorted = Sorted::default();
    let mut later: Vec<&str> = Vec::new();
    for (path, text) in &files.0 {
        let sheet = Sheet::new(path, text, report);
        let (folder, name) = path.split_once('/').unwrap_or(("", path));
        if ignored(path) {
            continue;
        }
        let parsed = || {
            let (root, problems) = yaml::parse(text);
            problems.into_iter().for_each(|problem| sheet.push(problem));
            root.map(|root| Parsed { sheet, root })
        };
        let yaml = name.ends_with(".yaml") && !name.contains('/');
        match folder {
            "" if name == "faden.yaml" => sorted.settings = parsed(),
            "" if name == "identity.yaml" => sorted.identity = parsed(),
            "policies" if yaml => sorted.policies.extend(parsed()),
            "audiences" if yaml => sorted.audiences.extend(parsed()),
            "journeys" if yaml => sorted.journeys.extend(parsed()),
            "scenarios" if name.ends_with(".scenario.yaml") => {
                sorted.scenarios.extend(yaml::parse(text).0.map(|root| Parsed { sheet, root }));
            }
            "templates" => sorted.templates.push(sheet),
            folder if FOLDERS_LATER.contains(&folder) => {
                if !later.contains(&folder) {
                    later.push(folder);
                    let help = "nothing in it has an effect yet; it may stay";
                    sheet.warning(WHOLE_FILE, code::NOT_READ_YET, format!("the folder `{folder}/` is not read by this version"), help);
                }
            }
            _ => unknown_file(&sheet, folder, name),
        }
    }
    sorted
}

/// Files for people and their tools.
fn ignored(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('.')) || path.ends_with(".md") || matches!(path, "LICENSE" | "Makefile" | "CODEOWNERS")
}

fn unknown_file(sheet: &Sheet<'_>, folder: &str, name: &str) {
    let (message, help) = if folder.is_empty() {
        ("this file is not part of a workspace".to_owned(), suggest::hint(name, ["faden.yaml", "identity.yaml"], "files here"))
    } else if !FOLDERS.contains(&folder) {
        (format!("the folder `{folder}/` is not part of a workspace"), suggest::hint(folder, FOLDERS, "folders"))
    } else if folder == "scenarios" {
        ("this file is not read".to_owned(), format!("name it `{folder}/NAME.scenario.yaml`"))
    } else {
        ("this file is not read".to_owned(), format!("name it `{folder}/NAME.yaml`"))
    };
    sheet.warning(WHOLE_FILE, code::UNKNOWN_FILE, message, help);
}

/// Names that files refer to before they are read in depth.
fn note_names(sorted: &Sorted<'_>, world: &mut World) {
    for parsed in &sorted.journeys {
        world.journeys.extend(parsed.root.get("journey").and_then(Node::text).map(Text::new));
        events::note_effects(&parsed.root, world);
    }
    // A file without a rule only computes traits.
    for parsed in sorted.audiences.iter().filter(|parsed| parsed.root.get("where").is_some()) {
        world.audiences.extend(parsed.root.get("audience").and_then(Node::text).map(Text::new));
    }
    let all = sorted.journeys.iter().chain(&sorted.audiences).chain(&sorted.scenarios);
    for (name, _) in all.flat_map(|parsed| events::mentions(&parsed.root)) {
        *world.events.entry(name).or_default() += 1;
    }
}

fn read_journeys(files: &[Parsed<'_>], world: &World) -> (Vec<Arc<JourneyVersion>>, Vec<crate::experiment::Experiment>) {
    let names: Vec<(&Sheet<'_>, &Node)> = files.iter().map(|parsed| (&parsed.sheet, &parsed.root)).collect();
    refuse_duplicates(&names, "journey");
    let mut journeys: Vec<Arc<JourneyVersion>> = Vec::new();
    let mut experiments = Vec::new();
    for parsed in files {
        let read = journey::read(&parsed.sheet, &parsed.root, world);
        journeys.extend(read.journey.map(Arc::new));
        experiments.push((&parsed.sheet, read.experiments));
    }
    journeys.sort_by(|a, b| a.name.cmp(&b.name));
    (journeys, journey::merge_experiments(experiments))
}

/// Two files that define something of one name.
fn refuse_duplicates(files: &[(&Sheet<'_>, &Node)], key: &str) {
    let mut homes: BTreeMap<&str, &str> = BTreeMap::new();
    for (sheet, root) in files {
        let Some(node) = root.get(key) else { continue };
        let Some(name) = node.text() else { continue };
        if let Some(home) = homes.insert(name, sheet.file) {
            let message = format!("the {key} `{name}` is defined in {home} already");
            sheet.error(node.place, code::DUPLICATE_NAME, message, "give one of them another name");
        }
    }
}

/// Names that differ but have one key; at a thousand names the chance is about one in 10^13.
fn collisions(sorted: &Sorted<'_>, world: &World) {
    let place = sorted.settings.as_ref().map(|parsed| &parsed.sheet);
    for (kind, names) in [
        ("audiences", world.audiences.iter().collect::<Vec<_>>()),
        ("journeys", world.journeys.iter().collect()),
        ("traits", world.computed.keys().collect()),
    ] {
        let mut keys: BTreeMap<u64, &Text> = BTreeMap::new();
        for name in names {
            if let Some(other) = keys.insert(key_of(name), name)
                && let Some(sheet) = place
            {
                let message = format!("the {kind} `{other}` and `{name}` have the same short key");
                sheet.error(ByteRange::default(), code::KEY_COLLISION, message, "give one of them another name");
            }
        }
    }
}
