//! Leaving a journey, reaching its goal, and going on from a wait: what an event or an audience ends.

use super::enter::instance_key;
use super::{Change, Enrollment, Exit, JourneyVersion, StepKind, Target, Token, TokenState};
use crate::decision::{Cause, Facts, Kind, Outcome};
use crate::profile::GoalWatch;
use crate::track::Place;
use crate::turn::{AudienceChange, Turn};
use crate::view::{EventView, View};
use faden_model::{EnrollmentId, Text};
use smallvec::SmallVec;
use std::sync::Arc;

impl Turn<'_> {
    /// Exits of running enrollments by this event or these audience changes.
    pub(crate) fn leave(&mut self, event: Option<&EventView<'_>>, changes: &[AudienceChange], cause: &Cause) {
        let mut leaving: SmallVec<[EnrollmentId; 2]> = SmallVec::new();
        for enrollment in self.profile.enrollments.iter().filter(|enrollment| !enrollment.parked) {
            let Some(version) = self.index.version(enrollment.journey, enrollment.version) else { continue };
            let leaves = version.exits.iter().any(|exit| match exit {
                Exit::Event { event: name, condition } => event.is_some_and(|event| {
                    self.matches(event, name, condition.as_ref(), version, enrollment.key.as_deref(), Some(enrollment))
                }),
                Exit::Audience { audience, change } => self.changed(changes, *audience, *change),
            });
            if leaves {
                leaving.push(enrollment.id);
            }
        }
        for id in leaving {
            self.end(id, Outcome::Exit, "", cause);
        }
    }

    /// Whether this event is of that name, for this instance, and meets the condition.
    fn matches(
        &self,
        event: &EventView<'_>,
        name: &str,
        condition: Option<&faden_model::condition::Expression>,
        version: &JourneyVersion,
        key: Option<&str>,
        enrollment: Option<&Enrollment>,
    ) -> bool {
        if event.name != name {
            return false;
        }
        let view = View { enrollment, ..self.view(Some(*event)) };
        // An event that names another instance (another order) is not about this one.
        let other = version.instance_key.is_some() && instance_key(version, &view).is_some_and(|of_event| Some(of_event.as_str()) != key);
        !other && condition.is_none_or(|condition| condition.holds(&view))
    }

    fn changed(&self, changes: &[AudienceChange], audience: u64, wanted: Change) -> bool {
        changes.iter().any(|change| change.change == wanted && self.index.definitions.audiences[change.audience].key == audience)
    }

    pub(crate) fn reach_goals(&mut self, event: &EventView<'_>, cause: &Cause) {
        let mut reached: SmallVec<[(EnrollmentId, Arc<JourneyVersion>, bool); 2]> = SmallVec::new();
        for enrollment in self.profile.enrollments.iter().filter(|enrollment| !enrollment.parked && !enrollment.goal_reached) {
            let Some(version) = self.index.version(enrollment.journey, enrollment.version) else { continue };
            let Some(goal) = &version.goal else { continue };
            let in_time = goal.within.is_none_or(|within| self.at <= enrollment.entered_at + within);
            if in_time && self.matches(event, &goal.event, goal.condition.as_ref(), version, enrollment.key.as_deref(), Some(enrollment)) {
                reached.push((enrollment.id, version.clone(), true));
            }
        }
        let now = self.at;
        self.profile.watches.retain(|watch| watch.until >= now);
        for watch in &self.profile.watches {
            let Some(version) = self.index.version(watch.journey, watch.version) else { continue };
            let Some(goal) = &version.goal else { continue };
            let ended = Enrollment::of_watch(watch, goal.within.unwrap_or_default());
            if self.matches(event, &goal.event, goal.condition.as_ref(), version, watch.key.as_deref(), Some(&ended)) {
                reached.push((watch.enrollment, version.clone(), false));
            }
        }
        for (id, version, running) in reached {
            self.profile.watches.retain(|watch| watch.enrollment != id);
            self.moved(id, &version, Place::Entry, Place::Entry, "");
            self.decide(Kind::Goal { enrollment: id, journey: version.name.clone(), cause: cause.clone() });
            if running {
                if let Some(enrollment) = self.enrollment_mut(id) {
                    enrollment.goal_reached = true;
                }
                self.end(id, Outcome::Goal, "", cause);
            }
        }
    }

    /// Waits for this event, or for these audience changes, go on.
    pub(crate) fn match_waits(&mut self, event: Option<&EventView<'_>>, changes: &[AudienceChange]) {
        let mut matched: SmallVec<[(EnrollmentId, u16, Target, bool); 2]> = SmallVec::new();
        for enrollment in self.profile.enrollments.iter().filter(|enrollment| !enrollment.parked) {
            let Some(version) = self.index.version(enrollment.journey, enrollment.version) else { continue };
            for token in enrollment.tokens.iter().filter(|token| matches!(token.state, TokenState::Wait { .. })) {
                match version.steps.get(usize::from(token.step)).map(|step| &step.kind) {
                    Some(StepKind::WaitEvent { event: name, condition, keep, matched: target, .. })
                        if event.is_some_and(|event| {
                            self.matches(event, name, condition.as_ref(), version, enrollment.key.as_deref(), Some(enrollment))
                        }) =>
                    {
                        matched.push((enrollment.id, token.step, *target, *keep));
                    }
                    Some(StepKind::WaitAudience { audience, change, matched: target, .. }) if self.changed(changes, *audience, *change) => {
                        matched.push((enrollment.id, token.step, *target, false));
                    }
                    _ => {}
                }
            }
        }
        for (id, step, target, keep) in matched {
            let kept = event.filter(|_| keep).map(|event| Box::new(event.keep()));
            if let (Some(kept), Some(enrollment)) = (kept, self.enrollment_mut(id)) {
                enrollment.event = Some(kept);
            }
            self.go_on(id, step, Text::const_new("matched"), target);
        }
    }

    /// Takes the place off the map and goes on from there.
    pub(crate) fn go_on(&mut self, id: EnrollmentId, step: u16, went: Text, target: Target) {
        let Some(enrollment) = self.enrollment_mut(id) else { return };
        let (journey, number) = (enrollment.journey, enrollment.version);
        let Some(place) = enrollment.tokens.iter().position(|token| token.step == step) else { return };
        enrollment.tokens.remove(place);
        let Some(version) = self.index.version(journey, number).cloned() else { return };
        if !went.is_empty() {
            self.went(id, &version, step, went, target, Facts::new());
        } else if target != Target::Step(step) {
            self.moved(id, &version, Place::Step(step), target.into(), "");
        }
        self.run(id, &version, target);
    }

    /// A place's time has come.
    pub(crate) fn token_due(&mut self, enrollment: usize, token: usize) {
        let (id, journey, number) = {
            let running = &self.profile.enrollments[enrollment];
            (running.id, running.journey, running.version)
        };
        let Token { step, state } = self.profile.enrollments[enrollment].tokens[token].clone();
        let Some(version) = self.index.version(journey, number).cloned() else {
            // A version that is not known any more cannot go on; nothing else of the profile may stop for it.
            self.forget(id);
            self.reject("journey-version-unknown", Text::from(id.to_string()));
            return;
        };
        let Some(kind) = version.steps.get(usize::from(step)).map(|step| &step.kind) else { return };
        match (state, kind) {
            (
                TokenState::Until { .. },
                StepKind::WaitFor { next, .. } | StepKind::WaitUntil { next, .. } | StepKind::WaitInstant { next, .. },
            ) => {
                self.go_on(id, step, Text::default(), *next);
            }
            (TokenState::Wait { .. }, StepKind::WaitEvent { timed_out, .. } | StepKind::WaitAudience { timed_out, .. }) => {
                self.go_on(id, step, Text::const_new("timeout"), *timed_out);
            }
            (TokenState::Held { since, tried, .. }, StepKind::Send(_)) => {
                self.profile.enrollments[enrollment].tokens.remove(token);
                self.want_to_send(id, &version, step, tried, since);
            }
            (TokenState::Receipt { tried, .. }, StepKind::Send(_)) => self.next_channel(id, &version, step, tried),
            // A place that was moved onto a step of another kind begins that step.
            _ => self.go_on(id, step, Text::default(), Target::Step(step)),
        }
    }

    /// Ends a passage: its children that it waits for, and its twins since a merge, end with it.
    pub(crate) fn end(&mut self, id: EnrollmentId, outcome: Outcome, step: &str, cause: &Cause) {
        let Some(place) = self.profile.enrollments.iter().position(|enrollment| enrollment.id == id) else { return };
        let ended = self.profile.enrollments.remove(place);
        if self.profile.enrollments.is_empty() {
            self.profile.enrollments = Vec::new();
        }
        self.sends.retain(|send| send.enrollment != id);
        let Some(version) = self.index.version(ended.journey, ended.version).cloned() else { return };
        self.dropped(id, &version, &ended.tokens);
        self.moved(id, &version, Place::Entry, Place::End, outcome.name());
        let last = match step {
            "" => ended.tokens.first().map(|token| version.step_name(token.step)).unwrap_or_default(),
            step => Text::new(step),
        };
        self.decide(Kind::Ended { enrollment: id, journey: version.name.clone(), outcome, step: last, cause: cause.clone() });
        if let Some(within) = version.goal.as_ref().and_then(|goal| goal.within)
            && !ended.goal_reached
            && ended.entered_at + within > self.at
        {
            self.profile.watches.push(GoalWatch {
                enrollment: id,
                strand: ended.strand,
                journey: ended.journey,
                version: ended.version,
                key: ended.key.clone(),
                until: ended.entered_at + within,
            });
        }
        let others: SmallVec<[(EnrollmentId, bool); 2]> = self
            .profile
            .enrollments
            .iter()
            .filter_map(|other| {
                let child = other.parent.is_some_and(|(parent, _)| parent == id);
                let twin = other.parked && other.journey == ended.journey && other.key == ended.key;
                (child || twin).then_some((other.id, twin))
            })
            .collect();
        for (other, twin) in others {
            self.end(other, if twin { Outcome::Merged } else { Outcome::Exit }, "", cause);
        }
        if let Some((parent, step)) = ended.parent {
            self.child_ended(parent, step);
        }
    }
}
