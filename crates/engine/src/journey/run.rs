//! Moving through a journey: entering, waiting, branching, leaving.

use super::{Change, Enrollment, Entry, Exit, Join, JourneyVersion, Reentry, StepKind, Target, Token, TokenState};
use crate::calendar;
use crate::decision::{Cause, Facts, Kind, Outcome};
use crate::definitions::trait_dependency;
use crate::experiment::{Assignment, Experiment, assign};
use crate::policy::{ConsentEntry, ConsentState, record_consent};
use crate::profile::{GoalWatch, push_tight};
use crate::turn::{AudienceChange, OwnEvent, Turn};
use crate::view::{EventView, View};
use faden_model::{EnrollmentId, ProfileId, Text, Timestamp, Value, json};
use smallvec::SmallVec;
use std::sync::Arc;

/// A journey that a step started, waiting for its place in the turn.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub journey: u64,
    pub strand: ProfileId,
    pub by: EnrollmentId,
    /// The step that waits for its end.
    pub waits_at: Option<u16>,
}

impl Turn<'_> {
    pub(crate) fn enter_by_event(&mut self, event: &EventView<'_>, journey: usize, entry: usize, strand: ProfileId, cause: &Cause) {
        let version = self.index.journey(journey);
        let condition = match version.entries.get(entry) {
            Some(Entry::Event { condition, .. }) => condition,
            // A call names the one journey that it starts.
            Some(Entry::Api) if json::lookup(event.properties, &[Text::const_new("journey")]).as_text() == Some(&version.name) => &None,
            _ => return,
        };
        let view = self.view(Some(*event));
        if condition.as_ref().is_some_and(|condition| !condition.holds(&view)) {
            return;
        }
        let facts = self.facts(condition.as_ref(), &view);
        self.enter(journey, Some(event), strand, cause.clone(), facts, None);
    }

    pub(crate) fn enter_by_broadcast(&mut self, event: &EventView<'_>, journey: usize, entry: usize) {
        let version = self.index.journey(journey);
        let Some(Entry::Broadcast { condition, .. }) = version.entries.get(entry) else { return };
        let view = self.view(Some(*event));
        if condition.as_ref().is_some_and(|condition| !condition.holds(&view)) {
            return;
        }
        let facts = self.facts(condition.as_ref(), &view);
        let cause = Cause::Broadcast { message_id: Text::new(event.message_id), name: Text::new(event.name) };
        self.enter(journey, Some(event), self.profile.id, cause, facts, None);
    }

    /// Entries by audience change, in the order of the journeys' names.
    pub(crate) fn enter_by_audience(&mut self, changes: &[AudienceChange]) {
        let index = self.index;
        let mut wanted: SmallVec<[(usize, AudienceChange); 2]> = SmallVec::new();
        for change in changes {
            let key = index.definitions.audiences[change.audience].key;
            for (journey, entry) in index.audience_entries(key) {
                let by = &index.journey(*journey).entries[*entry];
                if matches!(by, Entry::Audience { change: wants, .. } if *wants == change.change) {
                    wanted.push((*journey, *change));
                }
            }
        }
        wanted.sort_by_key(|(journey, _)| *journey);
        for (journey, change) in wanted {
            let audience = index.definitions.audiences[change.audience].name.clone();
            let cause = Cause::Audience { audience, entered: change.change == Change::Entered };
            self.enter(journey, None, self.profile.id, cause, Facts::new(), None);
        }
    }

    pub(crate) fn start(&mut self, start: Start) {
        let parent = start.waits_at.map(|step| (start.by, step));
        let place = self.index.definitions.journeys.iter().position(|journey| journey.key == start.journey);
        let cause = Cause::Journey { enrollment: start.by };
        let entered = place.is_some_and(|journey| self.enter(journey, None, start.strand, cause, Facts::new(), parent));
        if !entered && let Some((parent, step)) = parent {
            // Whoever may not enter the sub-journey has nothing to wait for.
            self.child_ended(parent, step);
        }
    }

    /// Lets the profile in, unless it runs already under this key or may not enter again. Returns whether it did.
    pub(crate) fn enter(
        &mut self,
        journey: usize,
        event: Option<&EventView<'_>>,
        strand: ProfileId,
        cause: Cause,
        facts: Facts,
        parent: Option<(EnrollmentId, u16)>,
    ) -> bool {
        let version = self.index.journey(journey).clone();
        let key = instance_key(&version, &self.view(event.copied()));
        if self.profile.enrollments.iter().any(|running| running.journey == version.key && running.key == key) {
            return false;
        }
        let slot = slot_of(version.key, key.as_deref());
        let allowed = match version.reentry {
            Reentry::Always => true,
            Reentry::Never => self.profile.last_entry(slot).is_none(),
            Reentry::After(span) => self.profile.last_entry(slot).is_none_or(|last| self.at - last >= span),
        };
        if !allowed {
            return false;
        }
        if version.reentry != Reentry::Always {
            let at = self.at;
            self.profile.strand_mut(strand).remember_entry(slot, at);
        }
        let id = EnrollmentId(self.profile.count());
        let (name, number) = (version.name.clone(), version.version);
        self.decide(Kind::Enrolled { enrollment: id, journey: name, version: number, key: key.clone(), cause, facts });
        let enrollment = Enrollment {
            id,
            journey: version.key,
            version: version.version,
            strand,
            key,
            entered_at: self.at,
            tokens: SmallVec::new(),
            event: event.filter(|_| version.keeps_event).map(|event| Box::new(event.keep())),
            arms: Vec::new(),
            jumps: Vec::new(),
            joins: Vec::new(),
            parent,
            goal_reached: false,
            parked: false,
            moved_from: None,
        };
        push_tight(&mut self.profile.enrollments, enrollment);
        self.run(id, &version, Target::Step(0));
        true
    }

    /// Takes one passage from `target` on until it has to wait, or ends.
    pub(crate) fn run(&mut self, id: EnrollmentId, version: &Arc<JourneyVersion>, mut target: Target) {
        loop {
            let step = match target {
                Target::End => return self.end(id, Outcome::Completed, "", &Cause::Time),
                Target::Join(parallel) => match self.join(id, version, parallel) {
                    Some(next) => {
                        target = next;
                        continue;
                    }
                    None => return,
                },
                Target::Step(step) => step,
            };
            self.steps_left = self.steps_left.saturating_sub(1);
            let Some(here) = version.steps.get(usize::from(step)).filter(|_| self.steps_left > 0) else { return };
            match self.work(id, version, step, &here.kind) {
                Some(next) => target = next,
                None => return,
            }
        }
    }

    /// Does one step. `None` when the passage waits there (or is gone).
    fn work(&mut self, id: EnrollmentId, version: &Arc<JourneyVersion>, step: u16, kind: &StepKind) -> Option<Target> {
        match kind {
            StepKind::Send(_) => {
                self.want_to_send(id, version, step, 0, self.at);
                None
            }
            StepKind::WaitFor { span, .. } => self.wait_until(id, step, self.at + *span),
            StepKind::WaitUntil { until, next } => match self.local_time(until) {
                Some(due) if due > self.at => self.wait_until(id, step, due),
                _ => Some(*next),
            },
            StepKind::WaitInstant { at, next } => match at.evaluate(&self.passage_view(id)) {
                Value::Time(due) if due > self.at => self.wait_until(id, step, due),
                Value::Text(text) => match Timestamp::parse(&text) {
                    Ok(due) if due > self.at => self.wait_until(id, step, due),
                    _ => Some(*next),
                },
                _ => Some(*next),
            },
            StepKind::WaitEvent { timeout, .. } => self.wait(id, step, *timeout),
            StepKind::WaitAudience { audience, change, timeout, matched, .. } => {
                if self.profile.is_member(*audience) == (*change == Change::Entered) {
                    return Some(*matched);
                }
                self.wait(id, step, *timeout)
            }
            StepKind::Branch { arms, otherwise } => Some(self.branch(id, version, step, arms, *otherwise)),
            StepKind::Split { experiment, arms, holdout } => Some(self.split(id, version, step, experiment, arms, *holdout)),
            StepKind::Set { traits, next } => {
                self.set(id, traits);
                Some(*next)
            }
            StepKind::Emit { event, properties, next } => {
                self.emit(id, event, properties);
                Some(*next)
            }
            StepKind::Subscribe { purpose, channel, granted, next } => {
                self.subscribe(id, purpose, channel.as_ref(), *granted);
                Some(*next)
            }
            StepKind::Journey { journey, wait, next } => {
                let strand = self.enrollment(id)?.strand;
                self.starts.push_back(Start { journey: *journey, strand, by: id, waits_at: wait.then_some(step) });
                if *wait {
                    // Until the child has its id, the place stands as one that waits for anything.
                    self.place(id, step, TokenState::Child { enrollment: id });
                    return None;
                }
                Some(*next)
            }
            StepKind::Parallel { branches, .. } => self.fork(id, version, step, branches),
            StepKind::Goto { to, max, exceeded } => Some(self.jump(id, step, *to, *max, *exceeded)),
            StepKind::End => Some(Target::End),
            StepKind::Unavailable { kind } => {
                self.decide(Kind::Rejected { code: "step-unavailable", detail: Text::new(*kind) });
                Some(Target::End)
            }
        }
    }

    pub(crate) fn enrollment(&self, id: EnrollmentId) -> Option<&Enrollment> {
        self.profile.enrollments.iter().find(|enrollment| enrollment.id == id)
    }

    pub(crate) fn enrollment_mut(&mut self, id: EnrollmentId) -> Option<&mut Enrollment> {
        self.profile.enrollments.iter_mut().find(|enrollment| enrollment.id == id)
    }

    /// What a step of this passage sees: the entering event, the enrollment, the profile.
    pub(crate) fn passage_view(&self, id: EnrollmentId) -> View<'_> {
        let enrollment = self.enrollment(id);
        let event = enrollment.and_then(|enrollment| enrollment.event.as_deref()).map(EventView::of_kept);
        View { enrollment, ..self.view(event) }
    }

    /// Puts a place on the map of this passage.
    pub(crate) fn place(&mut self, id: EnrollmentId, step: u16, state: TokenState) {
        if let Some(enrollment) = self.enrollment_mut(id) {
            enrollment.tokens.push(Token { step, state });
        }
    }

    fn wait_until(&mut self, id: EnrollmentId, step: u16, due: Timestamp) -> Option<Target> {
        let order = self.profile.order();
        self.place(id, step, TokenState::Until { due, order });
        None
    }

    fn wait(&mut self, id: EnrollmentId, step: u16, timeout: Option<faden_model::Span>) -> Option<Target> {
        let timeout = timeout.map(|span| (self.at + span, self.profile.order()));
        self.place(id, step, TokenState::Wait { timeout });
        None
    }

    fn local_time(&self, until: &super::LocalTime) -> Option<Timestamp> {
        let own = self.profile.time_zone().and_then(calendar::zone);
        let zone = own.or_else(|| calendar::zone(&self.index.definitions.time_zone))?;
        calendar::next_local(self.at, zone, until.minute_of_day, until.days)
    }

    fn branch(
        &mut self,
        id: EnrollmentId,
        version: &JourneyVersion,
        step: u16,
        arms: &[(faden_model::condition::Expression, Target)],
        otherwise: Target,
    ) -> Target {
        let view = self.passage_view(id);
        let mut facts = Facts::new();
        let mut taken = (Text::const_new("otherwise"), otherwise);
        for (condition, target) in arms {
            if self.out.explain {
                facts.extend(condition.explain(&view));
            }
            if condition.holds(&view) {
                taken = (Text::new(condition.source()), *target);
                break;
            }
        }
        self.went(id, version, step, taken.0, taken.1, facts);
        taken.1
    }

    pub(crate) fn went(&mut self, id: EnrollmentId, version: &JourneyVersion, step: u16, went: Text, to: Target, facts: Facts) {
        let (journey, step, to) = (version.name.clone(), version.step_name(step), version.target_name(to));
        self.decide(Kind::Step { enrollment: id, journey, step, went, to, facts });
    }

    fn split(
        &mut self,
        id: EnrollmentId,
        version: &JourneyVersion,
        step: u16,
        experiment: &Experiment,
        arms: &[Target],
        holdout: Target,
    ) -> Target {
        // The strand's origin, so that a merge never moves anybody to another arm of what he is in.
        let who = self.enrollment(id).map_or(self.profile.id, |enrollment| enrollment.strand);
        let (name, target) = match assign(who, experiment) {
            Assignment::Arm(arm) => (experiment.arms[arm].name.clone(), arms.get(arm).copied().unwrap_or(holdout)),
            Assignment::HoldOut => (Text::const_new("holdout"), holdout),
            Assignment::OutOfGroup => (Text::const_new("out_of_group"), holdout),
        };
        if let Some(enrollment) = self.enrollment_mut(id)
            && !enrollment.arms.iter().any(|(known, _)| *known == experiment.name)
        {
            enrollment.arms.push((experiment.name.clone(), name.clone()));
            self.decide(Kind::Exposure { enrollment: id, experiment: experiment.name.clone(), arm: name.clone() });
        }
        self.went(id, version, step, name, target, Facts::new());
        target
    }

    fn set(&mut self, id: EnrollmentId, traits: &[(Text, faden_model::condition::Expression)]) {
        let Some(strand) = self.enrollment(id).map(|enrollment| enrollment.strand) else { return };
        let values: Vec<Value> = traits.iter().map(|(_, expression)| expression.evaluate(&self.passage_view(id))).collect();
        for ((name, _), value) in traits.iter().zip(values) {
            let at = self.at;
            if self.profile.tell(strand, name, value.clone(), at) {
                self.decide(Kind::Trait { enrollment: id, name: name.clone(), value });
                let pending = self.index.readers(&trait_dependency(name)).to_vec();
                self.evaluate(pending, &Cause::Journey { enrollment: id });
            }
        }
    }

    fn emit(&mut self, id: EnrollmentId, name: &Text, properties: &[(Text, faden_model::condition::Expression)]) {
        let Some(strand) = self.enrollment(id).map(|enrollment| enrollment.strand) else { return };
        let view = self.passage_view(id);
        let mut fields: Vec<(Text, Value)> =
            properties.iter().map(|(name, expression)| (name.clone(), expression.evaluate(&view))).collect();
        fields.sort();
        let mut written = String::new();
        json::write_value(&mut written, &Value::Map(fields));
        let message_id = Text::from(format!("{id}/{}", self.profile.next_count));
        self.decide(Kind::Emitted { enrollment: id, event: name.clone() });
        self.events.push_back(OwnEvent { name: name.clone(), message_id, strand, properties: written });
    }

    fn subscribe(&mut self, id: EnrollmentId, purpose: &Text, channel: Option<&Text>, granted: bool) {
        let Some(strand) = self.enrollment(id).map(|enrollment| enrollment.strand) else { return };
        let state = if granted { ConsentState::Granted } else { ConsentState::Withdrawn };
        let proof = Text::from(id.to_string());
        let entry = ConsentEntry { purpose: purpose.clone(), channel: channel.cloned(), point: None, state, at: self.at, proof };
        record_consent(&mut self.profile.strand_mut(strand).consents, entry);
        let cause = Cause::Journey { enrollment: id };
        self.decide(Kind::Consent { purpose: purpose.clone(), channel: channel.cloned(), granted, cause: cause.clone() });
        let pending = self.index.readers("consent").to_vec();
        self.evaluate(pending, &cause);
    }

    fn fork(&mut self, id: EnrollmentId, version: &Arc<JourneyVersion>, step: u16, branches: &[Target]) -> Option<Target> {
        let count = u16::try_from(branches.len()).unwrap_or(u16::MAX);
        let enrollment = self.enrollment_mut(id)?;
        enrollment.joins.retain(|(parallel, _)| *parallel != step);
        enrollment.joins.push((step, count));
        for branch in branches {
            // The first branch of an `any` may have ended the step already.
            if self.enrollment(id).is_some_and(|enrollment| enrollment.joins.iter().any(|(parallel, _)| *parallel == step)) {
                self.run(id, version, *branch);
            }
        }
        None
    }

    /// A branch has come to its end. Gives the way on when it was the last one needed.
    fn join(&mut self, id: EnrollmentId, version: &JourneyVersion, parallel: u16) -> Option<Target> {
        let StepKind::Parallel { until, join, next, .. } = &version.steps.get(usize::from(parallel))?.kind else { return None };
        let enrollment = self.enrollment_mut(id)?;
        let place = enrollment.joins.iter().position(|(step, _)| *step == parallel)?;
        enrollment.joins[place].1 = enrollment.joins[place].1.saturating_sub(1);
        if enrollment.joins[place].1 > 0 && *join == Join::All {
            return None;
        }
        let inside = |step: u16| step > parallel && step < *until;
        enrollment.joins.retain(|(step, _)| *step != parallel && !inside(*step));
        enrollment.tokens.retain(|token| !inside(token.step));
        self.sends.retain(|send| send.enrollment != id || !inside(send.step));
        Some(*next)
    }

    fn jump(&mut self, id: EnrollmentId, step: u16, to: Target, max: u16, exceeded: Target) -> Target {
        let Some(enrollment) = self.enrollment_mut(id) else { return exceeded };
        let place = match enrollment.jumps.iter().position(|(from, _)| *from == step) {
            Some(place) => place,
            None => {
                enrollment.jumps.push((step, 0));
                enrollment.jumps.len() - 1
            }
        };
        if enrollment.jumps[place].1 >= max {
            return exceeded;
        }
        enrollment.jumps[place].1 += 1;
        to
    }

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
        let mut reached: SmallVec<[(EnrollmentId, Text, bool); 2]> = SmallVec::new();
        for enrollment in self.profile.enrollments.iter().filter(|enrollment| !enrollment.parked && !enrollment.goal_reached) {
            let Some(version) = self.index.version(enrollment.journey, enrollment.version) else { continue };
            let Some(goal) = &version.goal else { continue };
            let in_time = goal.within.is_none_or(|within| self.at <= enrollment.entered_at + within);
            if in_time && self.matches(event, &goal.event, goal.condition.as_ref(), version, enrollment.key.as_deref(), Some(enrollment)) {
                reached.push((enrollment.id, version.name.clone(), true));
            }
        }
        let now = self.at;
        self.profile.watches.retain(|watch| watch.until >= now);
        for watch in &self.profile.watches {
            let Some(version) = self.index.version(watch.journey, watch.version) else { continue };
            let Some(goal) = &version.goal else { continue };
            let ended = Enrollment::of_watch(watch, goal.within.unwrap_or_default());
            if self.matches(event, &goal.event, goal.condition.as_ref(), version, watch.key.as_deref(), Some(&ended)) {
                reached.push((watch.enrollment, version.name.clone(), false));
            }
        }
        for (id, journey, running) in reached {
            self.profile.watches.retain(|watch| watch.enrollment != id);
            self.decide(Kind::Goal { enrollment: id, journey, cause: cause.clone() });
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
        let mut matched: SmallVec<[(EnrollmentId, u16, Target); 2]> = SmallVec::new();
        for enrollment in self.profile.enrollments.iter().filter(|enrollment| !enrollment.parked) {
            let Some(version) = self.index.version(enrollment.journey, enrollment.version) else { continue };
            for token in enrollment.tokens.iter().filter(|token| matches!(token.state, TokenState::Wait { .. })) {
                match version.steps.get(usize::from(token.step)).map(|step| &step.kind) {
                    Some(StepKind::WaitEvent { event: name, condition, matched: target, .. })
                        if event.is_some_and(|event| {
                            self.matches(event, name, condition.as_ref(), version, enrollment.key.as_deref(), Some(enrollment))
                        }) =>
                    {
                        matched.push((enrollment.id, token.step, *target));
                    }
                    Some(StepKind::WaitAudience { audience, change, matched: target, .. }) if self.changed(changes, *audience, *change) => {
                        matched.push((enrollment.id, token.step, *target));
                    }
                    _ => {}
                }
            }
        }
        for (id, step, target) in matched {
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
            self.profile.enrollments.remove(enrollment);
            self.decide(Kind::Rejected { code: "journey-version-unknown", detail: Text::from(id.to_string()) });
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
            (TokenState::Receipt { message, tried, .. }, StepKind::Send(_)) => self.no_receipt(id, &version, step, message, tried),
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

    pub(crate) fn child_ended(&mut self, parent: EnrollmentId, step: u16) {
        let Some(enrollment) = self.enrollment(parent) else { return };
        let waits = enrollment.tokens.iter().any(|token| token.step == step && matches!(token.state, TokenState::Child { .. }));
        let Some(version) = self.index.version(enrollment.journey, enrollment.version) else { return };
        if let Some(StepKind::Journey { next, .. }) = version.steps.get(usize::from(step)).map(|step| &step.kind)
            && waits
        {
            self.go_on(parent, step, Text::default(), *next);
        }
    }
}

/// The instance that an event is about: text of the key's value, `None` without a key or when it is null.
fn instance_key(version: &JourneyVersion, view: &View<'_>) -> Option<Text> {
    match version.instance_key.as_ref()?.evaluate(view) {
        Value::Null => None,
        Value::Text(text) => Some(text),
        other => Some(Text::from(other.to_string())),
    }
}

/// Where re-entry is remembered: the journey, or one instance of it.
fn slot_of(journey: u64, key: Option<&str>) -> u64 {
    key.map_or(journey, |key| journey ^ crate::audience::key_of(key).rotate_left(1))
}

impl JourneyVersion {
    pub fn step_name(&self, step: u16) -> Text {
        self.steps.get(usize::from(step)).map(|step| step.id.clone()).unwrap_or_default()
    }

    pub fn target_name(&self, target: Target) -> Text {
        match target {
            Target::Step(step) => self.step_name(step),
            Target::End => Text::const_new("end"),
            Target::Join(parallel) => self.step_name(parallel),
        }
    }
}
