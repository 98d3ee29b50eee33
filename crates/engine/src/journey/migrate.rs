//! Moving running enrollments to another version of their journey, with a preview, and back.

use super::{Enrollment, JourneyVersion, MovedFrom, StepKind, Target, Token, TokenState};
use crate::decision::Kind;
use crate::track::Place;
use crate::turn::Turn;
use faden_model::{EnrollmentId, Migration, Text};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Where one enrollment would land.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Landing {
    pub from: Text,
    /// `None`: there is no such step, so the enrollment stays on its version.
    pub to: Option<Text>,
}

/// Where the places of this enrollment would land, without moving anything.
pub fn preview(enrollment: &Enrollment, from: &JourneyVersion, to: &JourneyVersion, steps: &BTreeMap<Text, Text>) -> Vec<Landing> {
    enrollment
        .tokens
        .iter()
        .map(|token| {
            let name = from.step_name(token.step);
            let landing = landing(token.step, from, to, steps);
            Landing { from: name, to: landing }
        })
        .collect()
}

/// Where a place at this step would land: the name of a step of `to`, or nowhere.
pub fn landing(step: u16, from: &JourneyVersion, to: &JourneyVersion, steps: &BTreeMap<Text, Text>) -> Option<Text> {
    land(step, from, to, steps).map(|step| to.step_name(step))
}

fn land(step: u16, from: &JourneyVersion, to: &JourneyVersion, steps: &BTreeMap<Text, Text>) -> Option<u16> {
    let name = from.step_name(step);
    let wanted = steps.get(&name).unwrap_or(&name);
    to.steps.iter().position(|step| step.id == *wanted).and_then(|at| u16::try_from(at).ok())
}

/// Whether a place may stand on this step as it is; if not, the step is begun anew.
fn fits(state: &TokenState, kind: &StepKind) -> bool {
    matches!(
        (state, kind),
        (TokenState::Until { .. }, StepKind::WaitFor { .. } | StepKind::WaitUntil { .. } | StepKind::WaitInstant { .. })
            | (TokenState::Wait { .. }, StepKind::WaitEvent { .. } | StepKind::WaitAudience { .. })
            | (TokenState::Held { .. } | TokenState::Receipt { .. }, StepKind::Send(_))
            | (TokenState::Child { .. }, StepKind::Journey { .. })
    )
}

impl Turn<'_> {
    /// Moves (or moves back) the enrollments of this profile that the migration is about.
    pub(crate) fn migrate(mut self, migration: &Migration) {
        let ids: Vec<EnrollmentId> = self
            .profile
            .enrollments
            .iter()
            .filter(|enrollment| enrollment.journey == migration.journey)
            .filter(|enrollment| match (&enrollment.moved_from, migration.undo) {
                (Some(moved), true) => moved.migration == migration.number,
                (None, true) => false,
                (_, false) => enrollment.version != migration.to,
            })
            .map(|enrollment| enrollment.id)
            .collect();
        for id in ids {
            if migration.undo { self.move_back(id) } else { self.move_to(id, migration) }
        }
        self.settle();
    }

    fn move_to(&mut self, id: EnrollmentId, migration: &Migration) {
        let index = self.index;
        let Some(enrollment) = self.enrollment(id) else { return };
        let (Some(from), Some(to)) =
            (index.version(enrollment.journey, enrollment.version), index.version(enrollment.journey, migration.to))
        else {
            return;
        };
        let landed: Option<Vec<u16>> = enrollment.tokens.iter().map(|token| land(token.step, from, to, &migration.steps)).collect();
        // Branches of a `parallel` keep count by step; a passage inside one stays until it has joined.
        let Some(landed) = landed.filter(|_| enrollment.joins.is_empty()) else { return };
        let old = enrollment.tokens.clone();
        let from_names: Vec<Text> = old.iter().map(|token| from.step_name(token.step)).collect();
        let mut begin = Vec::new();
        let mut tokens = SmallVec::new();
        for (token, step) in old.iter().zip(&landed) {
            if fits(&token.state, &to.steps[usize::from(*step)].kind) {
                tokens.push(Token { step: *step, state: token.state.clone() });
            } else {
                begin.push(*step);
            }
        }
        let version = enrollment.version;
        self.changes_version(id, (from, &old), (to, &landed));
        if let Some(enrollment) = self.enrollment_mut(id) {
            enrollment.version = to.version;
            enrollment.tokens = tokens;
        }
        for (from_name, step) in from_names.into_iter().zip(landed) {
            let kind = Kind::Moved { enrollment: id, journey: to.name.clone(), from: from_name, to: to.step_name(step), undo: false };
            self.decide(kind);
        }
        for step in begin {
            self.run(id, to, Target::Step(step));
        }
        let number = migration.number;
        if let Some(enrollment) = self.enrollment_mut(id) {
            let landed = enrollment.tokens.clone();
            enrollment.moved_from = Some(Box::new(MovedFrom { migration: number, version, tokens: old, landed }));
        }
    }

    fn changes_version(&mut self, id: EnrollmentId, (from, tokens): (&JourneyVersion, &[Token]), (to, steps): (&JourneyVersion, &[u16])) {
        self.dropped(id, from, tokens);
        self.moved(id, from, Place::Entry, Place::Out, "");
        self.moved(id, to, Place::Out, Place::Entry, "");
        for step in steps {
            self.moved(id, to, Place::Out, Place::Step(*step), "");
        }
    }

    /// A passage that has not moved since goes back exactly; one that has stays where it is.
    fn move_back(&mut self, id: EnrollmentId) {
        let index = self.index;
        let Some(enrollment) = self.enrollment_mut(id) else { return };
        let Some(moved) = enrollment.moved_from.take().filter(|moved| moved.landed == enrollment.tokens) else { return };
        let here = (enrollment.journey, enrollment.version, enrollment.tokens.clone());
        enrollment.version = moved.version;
        enrollment.tokens = moved.tokens.clone();
        let (Some(new), Some(old)) = (index.version(here.0, here.1), index.version(here.0, moved.version)) else { return };
        let back: SmallVec<[u16; 2]> = moved.tokens.iter().map(|token| token.step).collect();
        self.changes_version(id, (new, &here.2), (old, &back));
        for (from, to) in here.2.iter().zip(&moved.tokens) {
            let (from, to) = (new.step_name(from.step), old.step_name(to.step));
            self.decide(Kind::Moved { enrollment: id, journey: old.name.clone(), from, to, undo: true });
        }
    }
}
