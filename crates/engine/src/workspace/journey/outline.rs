//! Which steps there are: nested lists flattened, ids checked, targets resolved to indices.
//!
//! A list of steps is a scope: the main one, or one branch of a `parallel`. One may go only to steps of
//! one's own scope; `end` is the end of the journey, in a branch the end of the branch.

use super::kinds;
use crate::journey::Target;
use crate::workspace::code;
use crate::workspace::fields::Map;
use crate::workspace::report::Sheet;
use crate::workspace::suggest::hint;
use crate::workspace::yaml::Node;
use faden_model::Text;
use faden_model::diagnostic::ByteRange;
use std::collections::BTreeMap;

/// More steps than a person can review, nested ones counted.
pub const STEPS_MAX: usize = 1000;
/// The word that stands for the end.
pub const END: &str = "end";

/// All steps in one flat list, nested ones behind their parent.
#[derive(Debug, Default)]
pub struct Outline<'a> {
    pub steps: Vec<Draft<'a>>,
    /// Step name to index.
    ids: BTreeMap<Text, usize>,
}

/// A step before its content is read.
#[derive(Debug)]
pub struct Draft<'a> {
    pub id: Text,
    pub id_place: ByteRange,
    pub node: &'a Node,
    /// Number of the list it stands in.
    scope: usize,
    /// The `parallel` step whose branch this is in.
    parent: Option<usize>,
    /// The next step of the same list.
    following: Option<usize>,
    /// Of a `parallel` step: the first step of each branch (`None` for an empty one).
    pub branches: Vec<Option<usize>>,
    /// Of a `parallel` step: the index behind its branches' steps.
    pub until: usize,
}

pub fn read<'a>(sheet: &'a Sheet<'a>, map: &Map<'a>) -> Outline<'a> {
    let mut outline = Outline::default();
    let mut scopes = 0;
    if let Some(items) = map.require("steps", "steps: [{id: hello, send: {...}}]").and_then(|node| sheet.list(node, "steps")) {
        if items.is_empty() {
            let help = "add a step such as `- {id: hello, send: {template: hello, channels: [email]}}`";
            sheet.error(map.key_place("steps"), code::MISSING_KEY, "the journey has no steps", help);
        }
        outline.add_list(sheet, items, None, &mut scopes);
    }
    outline
}

impl<'a> Outline<'a> {
    /// Adds the steps of one list and what is nested in them; the index of the first.
    fn add_list(&mut self, sheet: &'a Sheet<'a>, items: &'a [Node], parent: Option<usize>, scopes: &mut usize) -> Option<usize> {
        let scope = *scopes;
        *scopes += 1;
        let mut first = None;
        let mut last: Option<usize> = None;
        for (position, node) in items.iter().enumerate() {
            if self.steps.len() == STEPS_MAX {
                let help = "split the journey; a `journey` step starts another one";
                sheet.error(node.place, code::OUT_OF_RANGE, format!("more than {STEPS_MAX} steps"), help);
                break;
            }
            let index = self.steps.len();
            let (id, id_place) = self.id(sheet, node, position);
            let draft = Draft { id, id_place, node, scope, parent, following: None, branches: Vec::new(), until: index + 1 };
            self.steps.push(draft);
            if let Some(before) = last {
                self.steps[before].following = Some(index);
            }
            first = first.or(Some(index));
            last = Some(index);
            let branches = node.get("parallel").and_then(|parallel| parallel.get("branches")).map_or(&[][..], Node::items);
            let starts = branches.iter().map(|branch| self.add_list(sheet, branch.items(), Some(index), scopes)).collect();
            self.steps[index].branches = starts;
            self.steps[index].until = self.steps.len();
        }
        first
    }

    fn id(&mut self, sheet: &'a Sheet<'a>, node: &'a Node, position: usize) -> (Text, ByteRange) {
        let index = self.steps.len();
        let unnamed = Text::new(format!("step {}", position + 1));
        let place = crate::workspace::fields::first_line(sheet, node.place);
        if node.fields().is_empty() {
            sheet.open_map(node, "a step");
            return (unnamed, place);
        }
        let Some(id_node) = node.get("id") else {
            let kind = kinds::ALL.into_iter().find(|kind| node.get(kind).is_some()).unwrap_or("hello");
            sheet.error(place, code::MISSING_KEY, "a step lacks `id`", format!("add a name, such as `id: {kind}_{}`", position + 1));
            return (unnamed, place);
        };
        let Some(id) = sheet.name(id_node, "id") else { return (unnamed, id_node.place) };
        if id == END {
            let help = "`end` means the end of the journey; give the step another name";
            sheet.error(id_node.place, code::RESERVED_NAME, "a step cannot be called `end`", help);
        } else if let Some(other) = self.ids.get(&id) {
            let line = crate::workspace::line_column(sheet.text, self.steps[*other].id_place.start).0;
            let message = format!("the step `{id}` exists already, in line {line}");
            sheet.error(id_node.place, code::DUPLICATE_NAME, message, "give one of them another name");
        } else {
            self.ids.insert(id.clone(), index);
        }
        (id, id_node.place)
    }

    /// Where `end` leads from a step.
    pub fn end(&self, from: usize) -> Target {
        self.steps[from].parent.and_then(|parent| u16::try_from(parent).ok()).map_or(Target::End, Target::Join)
    }

    /// Where a step leads that does not say it: to the following one, else to the end.
    pub fn following(&self, from: usize) -> Target {
        self.steps[from].following.map_or_else(|| self.end(from), step)
    }

    /// The first step of a branch, for an empty one its end.
    pub fn branch(&self, parent: usize, branch: usize) -> Target {
        let start = self.steps[parent].branches.get(branch).copied().flatten();
        start.map_or_else(|| u16::try_from(parent).map_or(Target::End, Target::Join), step)
    }

    /// Resolves the name of a step as seen from another.
    pub fn target(&self, sheet: &Sheet<'_>, from: usize, node: &Node, name: &str) -> Option<Target> {
        let text = sheet.text(node, name)?;
        if text == END {
            return Some(self.end(from));
        }
        let Some(index) = self.ids.get(&text).copied() else {
            let here = self.steps.iter().filter(|draft| draft.scope == self.steps[from].scope).map(|draft| draft.id.as_str());
            let known: Vec<&str> = here.chain([END]).collect();
            let help = hint(&text, known.iter().copied(), "steps");
            sheet.error(node.place, code::UNKNOWN_STEP, format!("there is no step `{text}`"), help);
            return None;
        };
        if self.steps[index].scope != self.steps[from].scope {
            let help = "go to a step of the same list, or to `end`, which in a branch is the end of the branch";
            sheet.error(node.place, code::STEP_IN_OTHER_BRANCH, format!("the step `{text}` stands in another list of steps"), help);
            return None;
        }
        Some(step(index))
    }
}

/// Indices are below [`STEPS_MAX`], so they always fit.
fn step(index: usize) -> Target {
    u16::try_from(index).map_or(Target::End, Target::Step)
}
