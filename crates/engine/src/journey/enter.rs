//! Entering a journey: by an event, an audience, a broadcast, another journey, a call.

use super::{Change, Enrollment, Entry, JourneyVersion, Reentry, Start, Target};
use crate::decision::{Cause, Facts, Kind};
use crate::profile::{Few, push_tight};
use crate::track::Place;
use crate::turn::{AudienceChange, Turn};
use crate::view::{EventView, View};
use faden_model::{EnrollmentId, ProfileId, Text, Value, json};
use smallvec::SmallVec;

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
            arms: Few::default(),
            jumps: Few::default(),
            joins: Few::default(),
            parent,
            goal_reached: false,
            parked: false,
            moved_from: None,
        };
        push_tight(&mut self.profile.enrollments, enrollment);
        self.moved(id, &version, Place::Entry, Place::Step(0), "");
        self.run(id, &version, Target::Step(0));
        true
    }
}

/// The instance that an event is about: text of the key's value, `None` without a key or when it is null.
pub(super) fn instance_key(version: &JourneyVersion, view: &View<'_>) -> Option<Text> {
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
