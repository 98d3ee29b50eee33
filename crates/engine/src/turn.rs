//! One turn of one profile: everything that one event, one instant or one operator's wish sets off.
//!
//! The order inside a turn is fixed: computed traits and audiences, exits, goals, waits, entries by
//! event, entries by audience change; then, in rounds, what these brought about: events of a journey's
//! own, audience changes by traits that were set, started journeys, and last the messages of this
//! instant, more important journeys first. A turn touches one profile and nothing else.

use crate::audience::Aggregate;
use crate::decision::{Cause, Decision, Facts, Kind};
use crate::definitions::{Index, trait_dependency};
use crate::front::CONSENT;
use crate::journey::{Change, PendingSend, Start, TokenState};
use crate::policy::{ConsentEntry, ConsentState, record_consent};
use crate::profile::{Item, KnownIdentifier, Membership, Profile, Wake, push_tight};
use crate::track::{Place, Track};
use crate::view::{EventView, View};
use faden_model::condition::Expression;
use faden_model::{DecisionId, EnrollmentId, Event, EventKind, ProfileId, Text, Timestamp, Value, json};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// Steps, events of a journey's own and starts of journeys in one turn; beyond, the rest is refused.
pub const TURN_STEPS_MAX: u32 = 10_000;

/// What turns say, and how much of it.
#[derive(Debug, Default)]
pub struct Output {
    pub decisions: Vec<Decision>,
    /// Whether decisions carry the values and checks that led to them.
    pub explain: bool,
    /// Whether messages count as delivered when they go out (files, scenarios), or wait for receipts.
    pub awaits_receipts: bool,
    /// Listed audiences that this profile entered (`true`) or left.
    pub listed: Vec<(u64, ProfileId, bool)>,
    /// For those who look on; nothing is noted where it is missing.
    pub track: Option<Track>,
}

/// An audience that the profile has just entered or left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AudienceChange {
    pub audience: usize,
    pub change: Change,
}

/// An event of a journey's own, waiting for its place in the turn.
#[derive(Clone, Debug)]
pub(crate) struct OwnEvent {
    pub name: Text,
    pub message_id: Text,
    pub strand: ProfileId,
    pub properties: String,
}

pub(crate) struct Turn<'a> {
    pub index: &'a Index,
    pub profile: &'a mut Profile,
    pub at: Timestamp,
    pub out: &'a mut Output,
    pub events: VecDeque<OwnEvent>,
    pub changes: Vec<AudienceChange>,
    pub starts: VecDeque<Start>,
    pub sends: Vec<PendingSend>,
    pub steps_left: u32,
    /// The name of the person, once it was needed.
    user_id: Option<Text>,
}

/// What a profile does next by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Trait(u64),
    Wake(u64),
    Token { enrollment: usize, token: usize },
}

/// Facts that the identity stream found out about an event.
#[derive(Clone, Copy, Debug)]
pub struct Learned<'a> {
    pub strand: ProfileId,
    /// Indices of the event's identifiers that were linked by it.
    pub added: &'a [u8],
}

impl<'a> Turn<'a> {
    pub fn new(index: &'a Index, profile: &'a mut Profile, at: Timestamp, out: &'a mut Output) -> Turn<'a> {
        let (events, changes, starts, sends) = Default::default();
        profile.clock = profile.clock.max(at);
        Turn { index, profile, at, out, events, changes, starts, sends, steps_left: TURN_STEPS_MAX, user_id: None }
    }

    /// An event of the outside happened to this profile.
    pub fn event(mut self, event: &Event<'_>, learned: Learned<'_>) {
        let mut changed = self.learn(event, learned);
        let view = EventView::of(event, self.at);
        self.happen(view, learned.strand, &mut changed);
        self.settle();
    }

    /// A business event names an audience that this profile is in.
    pub fn broadcast(mut self, event: &EventView<'_>, journey: usize, entry: usize) {
        self.enter_by_broadcast(event, journey, entry);
        self.settle();
    }

    pub fn schedule(mut self, journey: usize) {
        let strand = self.profile.id;
        self.enter(journey, None, strand, Cause::Schedule, Facts::new(), None);
        self.settle();
    }

    /// What is known before anything happens.
    pub fn given(mut self, event: &Event<'_>, learned: Learned<'_>, consents: Vec<ConsentEntry>) {
        self.learn(event, learned);
        for entry in consents {
            record_consent(&mut self.profile.strand_mut(learned.strand).consents, entry);
        }
        self.reconcile();
    }

    /// Looks at everything again without letting anybody in or out of a journey: after a split.
    pub fn reconcile(mut self) {
        let everything: Vec<usize> = (0..self.index.definitions.audiences.len()).collect();
        self.evaluate(everything, &Cause::Operator);
        self.changes.clear();
    }

    /// After a merge: what both know together may put the person into audiences, or out of them.
    pub fn merged(mut self) {
        let everything: Vec<usize> = (0..self.index.definitions.audiences.len()).collect();
        self.evaluate(everything, &Cause::Operator);
        self.settle();
    }

    pub fn decide(&mut self, kind: Kind) {
        let id = DecisionId(self.profile.count());
        let profile = &*self.profile;
        let user_id = self.user_id.get_or_insert_with(|| profile.user_id().map(Text::new).unwrap_or_default()).clone();
        self.out.decisions.push(Decision { id, at: self.at, profile: self.profile.id, user_id, kind });
    }

    pub fn view<'v>(&'v self, event: Option<EventView<'v>>) -> View<'v> {
        View { index: self.index, profile: self.profile, event, enrollment: None, now: self.at }
    }

    pub fn facts(&self, condition: Option<&Expression>, view: &View<'_>) -> Facts {
        match condition {
            Some(condition) if self.out.explain => condition.explain(view),
            _ => Facts::new(),
        }
    }

    /// Takes over what the event says about the person. Returns what conditions may have to look at again.
    fn learn(&mut self, event: &Event<'_>, learned: Learned<'_>) -> SmallVec<[Text; 4]> {
        let mut changed = SmallVec::new();
        let (at, when) = (self.at, event.timestamp.unwrap_or(self.at).min(self.at));
        self.profile.last_seen_at = self.profile.last_seen_at.max(at);
        if self.index.reads_last_seen {
            changed.push(Text::const_new("last_seen_at"));
        }
        if !learned.added.is_empty() {
            self.learned_of();
        }
        let strand = self.profile.strand_mut(learned.strand);
        strand.last_seen_at = at;
        for identifier in learned.added.iter().filter_map(|place| event.identifiers.get(usize::from(*place))) {
            let known = KnownIdentifier { kind: identifier.kind.clone(), value: Text::new(&identifier.value), first_seen_at: at };
            changed.push(Text::new(known.kind.name()));
            push_tight(&mut strand.identifiers, known);
            self.user_id = None;
        }
        for (purpose, granted) in &event.consents {
            let state = if *granted { ConsentState::Granted } else { ConsentState::Withdrawn };
            let proof = Text::new(&event.message_id);
            let entry = ConsentEntry { purpose: purpose.clone(), channel: None, point: None, state, at: when, proof };
            record_consent(&mut strand.consents, entry);
            changed.push(Text::const_new("consent"));
        }
        if event.name == CONSENT {
            self.learn_consent(event, learned.strand, when);
            changed.push(Text::const_new("consent"));
        }
        if event.kind == EventKind::Identify && event.traits.len() > 2 {
            self.learn_traits(&event.traits, learned.strand, when, &mut changed);
        }
        changed
    }

    /// A consent that names its scope: what does not say purpose and state changes nothing.
    fn learn_consent(&mut self, event: &Event<'_>, strand: ProfileId, when: Timestamp) {
        let text = |name: &'static str| json::lookup(&event.properties, &[Text::const_new(name)]).as_text().map(Text::new);
        let state = match text("state").as_deref() {
            Some("granted") => ConsentState::Granted,
            Some("confirmed") => ConsentState::Confirmed,
            Some("withdrawn") => ConsentState::Withdrawn,
            _ => return,
        };
        let Some(purpose) = text("purpose") else { return };
        let (channel, proof) = (text("channel"), Text::new(&event.message_id));
        let entry = ConsentEntry { purpose: purpose.clone(), channel: channel.clone(), point: text("address"), state, at: when, proof };
        record_consent(&mut self.profile.strand_mut(strand).consents, entry);
        let cause = Cause::Event { message_id: Text::new(&event.message_id), name: Text::new(&event.name) };
        self.decide(Kind::Consent { purpose, channel, granted: state != ConsentState::Withdrawn, cause });
    }

    fn learn_traits(&mut self, raw: &str, strand: ProfileId, when: Timestamp, changed: &mut SmallVec<[Text; 4]>) {
        let mut names: SmallVec<[Text; 8]> = SmallVec::new();
        let read = json::for_each_member(raw, |name, raw| {
            // Of a name that occurs twice the first counts, as everywhere.
            if names.iter().any(|known| known == name) {
                return;
            }
            names.push(Text::new(name));
            if !self.profile.tell(strand, name, json::value(raw), when) {
                return;
            }
            self.learned_of();
            if self.index.has_readers() {
                changed.push(trait_dependency(name));
                if matches!(name, "country" | "address" | "language" | "locale" | "time_zone" | "timezone" | "preferred_channel") {
                    changed.extend(["country", "language", "time_zone", "preferred_channel"].map(Text::const_new));
                }
            }
        });
        // The traits of an event were looked through at the wall; a broken rest is left out.
        drop(read);
    }

    /// The fixed order of one event, from computed traits to entries.
    fn happen(&mut self, event: EventView<'_>, strand: ProfileId, changed: &mut SmallVec<[Text; 4]>) {
        let index = self.index;
        let reactions = index.reactions(event.name);
        if let Some(reactions) = reactions {
            self.count(&reactions.counts, &reactions.follows, &event, strand, changed);
        }
        let pending = self.readers_of(changed);
        if pending.is_empty() && reactions.is_none() && self.profile.enrollments.is_empty() && self.profile.watches.is_empty() {
            return;
        }
        let cause = Cause::Event { message_id: Text::new(event.message_id), name: Text::new(event.name) };
        self.evaluate(pending, &cause);
        let changes = std::mem::take(&mut self.changes);
        self.leave(Some(&event), &changes, &cause);
        self.reach_goals(&event, &cause);
        self.match_waits(Some(&event), &changes);
        if let Some(reactions) = reactions {
            for (journey, entry) in &reactions.entries {
                self.enter_by_event(&event, *journey, *entry, strand, &cause);
            }
        }
        self.enter_by_audience(&changes);
    }

    fn count(&mut self, counts: &[usize], follows: &[usize], event: &EventView<'_>, strand: ProfileId, changed: &mut SmallVec<[Text; 4]>) {
        let index = self.index;
        for plan in counts.iter().map(|at| &index.definitions.traits[*at]) {
            let view = self.view(Some(*event));
            if plan.condition.as_ref().is_some_and(|condition| !condition.holds(&view)) {
                continue;
            }
            let value = plan.aggregate.expression().map_or(Value::Null, |expression| expression.evaluate(&view));
            let order = if plan.within.is_some() { self.profile.order() } else { 0 };
            let now = self.at;
            self.profile.strand_mut(strand).accumulator_mut(plan).add(plan, Item { at: event.timestamp, order, value }, now);
            changed.push(trait_dependency(&plan.name));
        }
        for plan in follows.iter().map(|at| &index.definitions.traits[*at]) {
            let Aggregate::Sequence { then_condition, .. } = &plan.aggregate else { continue };
            let view = self.view(Some(*event));
            if then_condition.as_ref().is_none_or(|condition| condition.holds(&view)) {
                self.profile.strand_mut(strand).accumulator_mut(plan).follow(event.timestamp);
                changed.push(trait_dependency(&plan.name));
            }
        }
    }

    fn readers_of(&self, changed: &[Text]) -> Vec<usize> {
        if !self.index.has_readers() {
            return Vec::new();
        }
        let mut pending = Vec::new();
        for dependency in changed {
            pending.extend_from_slice(self.index.readers(dependency));
        }
        pending.sort_unstable();
        pending.dedup();
        pending
    }

    /// Evaluates these audiences, and those that read a changed one, in the order of definitions.
    pub fn evaluate(&mut self, mut pending: Vec<usize>, cause: &Cause) {
        let index = self.index;
        let mut next = 0;
        while next < pending.len() {
            let at = pending[next];
            next += 1;
            if self.evaluate_one(at, cause) {
                let readers = index.readers("audiences").iter().filter(|reader| **reader > at && !pending.contains(reader));
                let more: Vec<usize> = readers.copied().collect();
                pending.extend(more);
                pending[next..].sort_unstable();
            }
        }
    }

    /// Returns whether the membership changed.
    fn evaluate_one(&mut self, at: usize, cause: &Cause) -> bool {
        let audience = &self.index.definitions.audiences[at];
        let view = self.view(None);
        let holds = audience.condition.holds(&view);
        let due = if audience.condition.uses_now() { audience.condition.next_change(&view, self.at) } else { None };
        self.set_wake(audience.key, due);
        let place = self.profile.memberships.binary_search_by_key(&audience.key, |membership| membership.key);
        match (place, holds) {
            (Err(place), true) => self.profile.memberships.insert(place, Membership { key: audience.key, since: self.at }),
            (Ok(place), false) => {
                self.profile.memberships.remove(place);
            }
            _ => return false,
        }
        self.member(audience.key, holds.then_some(self.at));
        if self.index.listed.binary_search(&audience.key).is_ok() {
            self.out.listed.push((audience.key, self.profile.id, holds));
        }
        let change = if holds { Change::Entered } else { Change::Left };
        self.changes.push(AudienceChange { audience: at, change });
        self.decide(Kind::Audience { audience: audience.name.clone(), entered: holds, cause: cause.clone() });
        true
    }

    fn set_wake(&mut self, key: u64, due: Option<Timestamp>) {
        let place = self.profile.wakes.binary_search_by_key(&key, |wake| wake.key);
        match (place, due) {
            (Ok(place), Some(due)) if self.profile.wakes[place].due == due => {}
            (Ok(place), Some(due)) => self.profile.wakes[place] = Wake { key, due, order: self.profile.order() },
            (Err(place), Some(due)) => {
                let order = self.profile.order();
                self.profile.wakes.insert(place, Wake { key, due, order });
            }
            (Ok(place), None) => {
                self.profile.wakes.remove(place);
            }
            (Err(_), None) => {}
        }
    }

    /// Works through everything that this turn has brought about, until nothing is left.
    pub fn settle(&mut self) {
        loop {
            if self.steps_left == 0 {
                self.refuse_the_rest();
                return;
            }
            if let Some(event) = self.events.pop_front() {
                self.steps_left -= 1;
                self.happen_own(&event);
            } else if !self.changes.is_empty() {
                let changes = std::mem::take(&mut self.changes);
                self.leave(None, &changes, &Cause::Time);
                self.match_waits(None, &changes);
                self.enter_by_audience(&changes);
            } else if let Some(start) = self.starts.pop_front() {
                self.steps_left -= 1;
                self.start(start);
            } else if !self.sends.is_empty() {
                let mut sends = std::mem::take(&mut self.sends);
                sends.sort_by_key(|send| std::cmp::Reverse(send.priority));
                for send in sends {
                    self.send(send);
                }
            } else {
                return;
            }
        }
    }

    fn happen_own(&mut self, event: &OwnEvent) {
        let view = EventView {
            kind: EventKind::Track,
            name: &event.name,
            message_id: &event.message_id,
            timestamp: self.at,
            properties: &event.properties,
            traits: "{}",
            context: "{}",
        };
        self.happen(view, event.strand, &mut SmallVec::new());
    }

    /// A turn that does not end by itself is cut off; what it was doing is refused and said.
    fn refuse_the_rest(&mut self) {
        let waiting: Vec<_> = self
            .profile
            .enrollments
            .iter()
            .filter(|enrollment| enrollment.tokens.is_empty() || enrollment.tokens.iter().any(|token| token.state == TokenState::Active))
            .map(|enrollment| enrollment.id)
            .collect();
        self.events.clear();
        self.changes.clear();
        self.starts.clear();
        self.sends.clear();
        let detail = Text::const_new("a loop of journeys within one instant was cut off");
        self.reject("turn-too-long", detail);
        for id in waiting {
            self.forget(id);
        }
    }

    /// Says what cannot be done; `code` has a page.
    pub(crate) fn reject(&mut self, code: &'static str, detail: Text) {
        self.decide(Kind::Rejected { code: Text::const_new(code), detail });
    }

    /// Takes a passage off that cannot go on.
    pub(crate) fn forget(&mut self, id: EnrollmentId) {
        let Some(place) = self.profile.enrollments.iter().position(|enrollment| enrollment.id == id) else { return };
        let gone = self.profile.enrollments.remove(place);
        if let Some(version) = self.index.version(gone.journey, gone.version).cloned() {
            self.dropped(id, &version, &gone.tokens);
            self.moved(id, &version, Place::Entry, Place::Out, "");
        }
    }
}

/// The next instant at which this profile does something by itself.
pub fn next_due(index: &Index, profile: &Profile) -> Option<Timestamp> {
    first_due(index, profile, profile.clock, &[]).map(|(due, ..)| due)
}

/// The earliest due thing: by instant, then by the order in which it was set, then by strand. Traits whose
/// answer ripened up to `since` have been looked at, and so have the `fired` ones.
fn first_due(index: &Index, profile: &Profile, since: Timestamp, fired: &[u64]) -> Option<(Timestamp, u32, ProfileId, Due)> {
    let mut first: Option<(Timestamp, u32, ProfileId, Due)> = None;
    let mut offer = |due: Timestamp, order: u32, strand: ProfileId, what: Due| {
        let candidate = (due, order, strand, what);
        if first.is_none_or(|known| candidate < known) {
            first = Some(candidate);
        }
    };
    for strand in &profile.strands {
        for computed in &strand.computed {
            let Some(plan) = index.computed_trait_by_key(computed.key).filter(|_| !fired.contains(&computed.key)) else { continue };
            if let Some((due, order)) = computed.accumulator.next_change(plan, since) {
                offer(due, order, strand.origin, Due::Trait(computed.key));
            }
        }
    }
    for wake in &profile.wakes {
        offer(wake.due, wake.order, profile.id, Due::Wake(wake.key));
    }
    for (enrollment, running) in profile.enrollments.iter().enumerate().filter(|(_, running)| !running.parked) {
        for (token, place) in running.tokens.iter().enumerate() {
            if let Some((due, order)) = place.state.due() {
                offer(due, order, running.strand, Due::Token { enrollment, token });
            }
        }
    }
    first
}

/// Lets the profile live up to and including `until`: fires what is due, each at its own instant, even
/// when that instant passed while the profile waited for a merge.
pub fn advance(index: &Index, profile: &mut Profile, until: Timestamp, out: &mut Output) {
    while let Some(due) = next_due(index, profile).filter(|due| *due <= until) {
        let (since, at) = (profile.clock, due.max(profile.clock));
        let mut fired: SmallVec<[u64; 4]> = SmallVec::new();
        let mut turn = Turn::new(index, profile, at, out);
        while let Some((due, _, _, what)) = first_due(index, turn.profile, since, &fired)
            && due <= at
            && turn.steps_left > 0
        {
            turn.steps_left -= 1;
            if let Due::Trait(key) = what {
                fired.push(key);
            }
            turn.fire(what);
        }
        turn.settle();
    }
}

impl Turn<'_> {
    fn fire(&mut self, what: Due) {
        match what {
            Due::Trait(key) => {
                let Some(plan) = self.index.computed_trait_by_key(key) else { return };
                if let Some(within) = plan.within {
                    for strand in &mut self.profile.strands {
                        if let Ok(at) = strand.computed.binary_search_by_key(&key, |computed| computed.key) {
                            strand.computed[at].accumulator.expire(within, self.at);
                        }
                    }
                }
                let pending = self.readers_of(&[trait_dependency(&plan.name)]);
                self.evaluate(pending, &Cause::Time);
                self.follow_changes();
            }
            Due::Wake(key) => {
                self.set_wake(key, None);
                if let Some(at) = self.index.audience_at(key) {
                    self.evaluate(vec![at], &Cause::Time);
                    self.follow_changes();
                }
            }
            Due::Token { enrollment, token } => self.token_due(enrollment, token),
        }
    }

    /// Exits, waits and entries by audience change, at once: timers of one instant keep their order.
    fn follow_changes(&mut self) {
        let changes = std::mem::take(&mut self.changes);
        if !changes.is_empty() {
            self.leave(None, &changes, &Cause::Time);
            self.match_waits(None, &changes);
            self.enter_by_audience(&changes);
        }
    }
}
