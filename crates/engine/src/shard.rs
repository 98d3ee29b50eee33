//! One partition's state: its profiles, who is due next, and who waits for a merge.
//!
//! `apply` is the only door: one delivery in, decisions and states for other partitions out. It does no
//! I/O; a profile that is not in memory comes through [`Cold`], which the runtime fills beforehand.
//! A profile that waits for another's state works through nothing until it has arrived, and its timers
//! wait with it; every other profile goes on.

mod checkpoint;
mod publish;
mod slots;
mod virtual_time;

pub use checkpoint::Changed;

use crate::decision::Kind;
use crate::definitions::Index;
use crate::delivery::{Content, Delivery, Travelling};
use crate::journey::Entry;
use crate::profile::Profile;
use crate::schedule::Schedules;
use crate::track::Member;
use crate::turn::{Learned, Output, Turn, advance, next_due};
use crate::view::{EventView, reaction_name};
use crate::wheel::Wheel;
use faden_model::{Event, ProfileId, Timestamp};
use slots::Slots;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Where profiles come from that are not in memory.
pub trait Cold {
    /// The stored profile; `None` when there is none.
    fn fetch(&mut self, profile: ProfileId) -> Option<Profile>;
    /// All stored profiles, for the rare work that concerns every one.
    fn all(&mut self) -> Vec<ProfileId>;
    /// Visits all stored profiles.
    fn each(&mut self, visit: &mut dyn FnMut(Profile));
}

/// For shards that hold everything in memory.
pub struct NothingCold;

impl Cold for NothingCold {
    fn fetch(&mut self, _: ProfileId) -> Option<Profile> {
        None
    }
    fn all(&mut self) -> Vec<ProfileId> {
        Vec::new()
    }
    fn each(&mut self, _: &mut dyn FnMut(Profile)) {}
}

/// A profile in memory and what is known about its place.
#[derive(Clone, Debug)]
pub struct Slot {
    pub profile: Profile,
    /// When it does something by itself next; `Timestamp::MAX` for never.
    pub due: Timestamp,
    /// The earliest entry of the wheel that stands for it.
    scheduled: Timestamp,
    /// The due row that the store holds.
    pub stored_due: Timestamp,
    pub dirty: bool,
    /// Was used since the last look for what to let go.
    pub recent: bool,
}

impl Slot {
    /// Finds out what the profile does next, and when the wheel has to say so.
    fn plan(&mut self, index: &Index, wheel: &mut Wheel) {
        self.due = next_due(index, &self.profile).unwrap_or(Timestamp::MAX);
        if self.due < self.scheduled {
            self.scheduled = self.due;
            wheel.insert(self.due, self.profile.id);
        }
    }
}

/// A profile that waits for the state of another one.
#[derive(Clone, Debug, Default)]
struct Blocked {
    queue: VecDeque<Delivery<'static>>,
    /// An entry of the wheel came up meanwhile and was used up.
    woken: bool,
}

/// One partition.
#[derive(Debug, Default)]
pub struct Shard {
    pub index: Arc<Index>,
    slots: Slots,
    wheel: Wheel,
    clock: Timestamp,
    schedules: Schedules,
    /// Members of the audiences that broadcasts and schedules name.
    listed: BTreeMap<u64, BTreeSet<ProfileId>>,
    blocked: BTreeMap<ProfileId, Blocked>,
    /// States that came before their `Join` or `Restore`: (to, from, merge).
    arrived: BTreeMap<(ProfileId, ProfileId, u32), Profile>,
    /// Profiles that have left, with the due row the store holds for them. Until a checkpoint has deleted
    /// them the store still has what they were.
    gone: BTreeMap<ProfileId, Timestamp>,
    /// Those that the last checkpoint deletes: its commit may not have come to that yet.
    leaving: BTreeSet<ProfileId>,
    dirty: Vec<ProfileId>,
    pub output: Output,
    /// States for profiles, of this partition or another.
    pub outgoing: Vec<Delivery<'static>>,
    /// Changes of `listed` since they were last taken.
    pub listed_changes: Vec<(u64, ProfileId, bool)>,
}

impl Shard {
    pub fn new(index: Arc<Index>, at: Timestamp) -> Shard {
        let schedules = Schedules::new(&index, at);
        Shard { index, schedules, clock: at, ..Shard::default() }
    }

    pub fn clock(&self) -> Timestamp {
        self.clock
    }

    /// Applies one delivery; everything that is due at or before its instant happens first.
    pub fn apply(&mut self, delivery: Delivery<'_>, cold: &mut dyn Cold) {
        // States travel behind the clock: what they belong to knows its own instant.
        if let Content::State(travelling) = delivery.content {
            let Travelling { to, from, merge, profile } = *travelling;
            self.arrived.insert((to, from, merge), profile);
            return self.unblock(to, cold);
        }
        if delivery.at > self.clock || self.wheel_is_due(delivery.at) {
            self.pass_time(delivery.at, cold);
        }
        match delivery.profile() {
            Some(profile) if !self.blocked.is_empty() && self.blocked.contains_key(&profile) => {
                self.blocked.entry(profile).or_default().queue.push_back(delivery.into_owned());
            }
            Some(_) => self.work(delivery, cold),
            None => self.work_all(delivery, cold),
        }
    }

    fn wheel_is_due(&self, at: Timestamp) -> bool {
        self.wheel.next_is_due(at)
    }

    /// Lets everything happen that is due up to and including `until`.
    fn pass_time(&mut self, until: Timestamp, cold: &mut dyn Cold) {
        if self.clock == Timestamp::MIN {
            // Schedules begin with the first record: before it there is nobody whom they could concern.
            self.schedules = Schedules::new(&self.index, until);
        }
        loop {
            let scheduled = self.schedules.next().filter(|due| *due <= until);
            // Timers of an instant come before the schedule of that instant.
            while let Some((due, profile)) = self.wheel.pop(scheduled.unwrap_or(until)) {
                self.clock = self.clock.max(due);
                self.wake(profile, due, cold);
            }
            let Some(due) = scheduled else { break };
            self.clock = self.clock.max(due);
            for (journey, audience) in self.schedules.take(&self.index, due) {
                self.work_all(Delivery { at: due, content: Content::Schedule { journey, audience } }, cold);
            }
        }
        self.clock = self.clock.max(until);
    }

    fn wake(&mut self, profile: ProfileId, due: Timestamp, cold: &mut dyn Cold) {
        if let Some(blocked) = self.blocked.get_mut(&profile) {
            blocked.woken = true;
            return;
        }
        if !self.bring(profile, cold) {
            return;
        }
        let Some(slot) = self.slots.get_mut(profile) else { return };
        if slot.scheduled == due {
            slot.scheduled = Timestamp::MAX;
        }
        if slot.due <= due {
            advance(&self.index, &mut slot.profile, due, &mut self.output);
            mark(slot, &mut self.dirty);
        }
        self.reschedule(profile);
        self.take_listed();
    }

    /// Touches what these profiles' turns will need, step by step for all of them: see `Front::look_ahead`.
    pub fn look_ahead(&self, profiles: impl Iterator<Item = ProfileId>) {
        let slots: Vec<&Slot> = profiles.filter_map(|id| self.slots.get(id)).collect();
        let here = slots.iter().fold(0, |sum, slot| {
            let strand = slot.profile.strands.first();
            let strand = strand.map_or(0, |strand| strand.last_seen_at.0 ^ (strand.traits.len() ^ strand.consents.len()) as i64);
            sum ^ slot.due.0 ^ i64::from(slot.dirty) ^ slot.profile.clock.0 ^ slot.profile.enrollments.len() as i64 ^ strand
        });
        let behind = slots.iter().fold(0, |sum, slot| {
            let enrolled = slot.profile.enrollments.first().map_or(0, |first| first.entered_at.0);
            let strand = slot.profile.strands.first();
            let known = strand.map_or(0, |strand| strand.identifiers.iter().fold(0, |sum, known| sum ^ known.first_seen_at.0));
            let consent = strand.and_then(|strand| strand.consents.first()).map_or(0, |consent| consent.at.0);
            sum ^ enrolled ^ known ^ consent
        });
        std::hint::black_box(here ^ behind);
    }

    /// Makes sure that the profile is in memory; `false` when there is none.
    fn bring(&mut self, id: ProfileId, cold: &mut dyn Cold) -> bool {
        if self.slots.contains(id) {
            return true;
        }
        if self.has_left(id) {
            return false;
        }
        match cold.fetch(id) {
            Some(profile) => {
                self.warm(profile);
                true
            }
            None => false,
        }
    }

    /// Whether the store may still hold a profile that has left.
    fn has_left(&self, id: ProfileId) -> bool {
        self.gone.contains_key(&id) || self.leaving.contains(&id)
    }

    /// Puts a stored profile into memory. Its due row in the store and an entry in the wheel stand for it.
    pub fn warm(&mut self, profile: Profile) {
        if self.has_left(profile.id) || self.slots.contains(profile.id) {
            return;
        }
        let due = next_due(&self.index, &profile).unwrap_or(Timestamp::MAX);
        self.slots.insert(Slot { profile, due, scheduled: due, stored_due: due, dirty: false, recent: true });
    }

    pub fn is_warm(&self, id: ProfileId) -> bool {
        self.slots.contains(id)
    }

    /// Brings the wheel up to date with what the profile does next.
    fn reschedule(&mut self, id: ProfileId) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        slot.plan(&self.index, &mut self.wheel);
    }

    /// One turn of one profile at `at`, after everything that was due before.
    fn turn(&mut self, id: ProfileId, at: Timestamp, cold: &mut dyn Cold, work: impl FnOnce(Turn<'_>)) {
        if !self.bring(id, cold) {
            return;
        }
        let Some(slot) = self.slots.get_mut(id) else { return };
        if slot.due <= at {
            advance(&self.index, &mut slot.profile, at, &mut self.output);
        }
        work(Turn::new(&self.index, &mut slot.profile, at, &mut self.output));
        mark(slot, &mut self.dirty);
        slot.plan(&self.index, &mut self.wheel);
        self.take_listed();
    }

    fn take_listed(&mut self) {
        for (audience, profile, entered) in self.output.listed.drain(..) {
            let members = self.listed.entry(audience).or_default();
            if entered {
                members.insert(profile);
            } else {
                members.remove(&profile);
            }
            self.listed_changes.push((audience, profile, entered));
        }
    }

    fn members(&self, audience: u64) -> Vec<ProfileId> {
        self.listed.get(&audience).map(|members| members.iter().copied().collect()).unwrap_or_default()
    }

    fn work(&mut self, delivery: Delivery<'_>, cold: &mut dyn Cold) {
        let at = delivery.at;
        match delivery.content {
            Content::Event { profile, strand, created, added, event } => {
                if (created && !self.slots.contains(profile)) || !self.bring(profile, cold) {
                    self.create(profile, at);
                }
                self.turn(profile, at, cold, |turn| turn.event(&event, Learned { strand, added: &added }));
            }
            Content::Leave { loser, winner, merge } => self.give_state(loser, winner, merge, at, cold),
            Content::Join { winner, loser, merge, identifier } => {
                self.await_state(winner, Delivery { at, content: Content::Join { winner, loser, merge, identifier } }, cold);
            }
            Content::Restore { restored, winner, merge } => {
                self.await_state(restored, Delivery { at, content: Content::Restore { restored, winner, merge } }, cold);
            }
            Content::Split { winner, restored, merge, strands } => self.split(winner, restored, merge, &strands, at, cold),
            Content::LeftOut { profile, identifier, reason, message_id } => {
                self.turn(profile, at, cold, |mut turn| turn.decide(Kind::LeftOut { identifier, reason, message_id }));
            }
            Content::Receipt { profile, message, receipt } => self.turn(profile, at, cold, |turn| turn.receipt(message, receipt)),
            Content::State(_) | Content::Broadcast { .. } | Content::Schedule { .. } | Content::Migrate(_) | Content::Tick => {}
        }
    }

    /// What goes to every profile concerned: those that wait get it into their queue.
    fn work_all(&mut self, delivery: Delivery<'_>, cold: &mut dyn Cold) {
        if matches!(delivery.content, Content::Tick) {
            return;
        }
        let waiting: Vec<ProfileId> = self.blocked.keys().copied().collect();
        for id in &waiting {
            let copy = delivery.clone().into_owned();
            self.blocked.entry(*id).or_default().queue.push_back(copy);
        }
        let concerned = match &delivery.content {
            Content::Broadcast { event } => self.audiences_of(event).into_iter().flat_map(|audience| self.members(audience)).collect(),
            Content::Schedule { audience, .. } => self.members(*audience).into_iter().collect(),
            Content::Migrate(_) => cold.all().into_iter().chain(self.slots.ids()).collect(),
            _ => BTreeSet::new(),
        };
        for id in concerned.difference(&waiting.into_iter().collect()) {
            self.work_one(*id, &delivery, cold);
        }
    }

    fn audiences_of(&self, event: &Event<'_>) -> Vec<u64> {
        let Some(reactions) = self.index.reactions(reaction_name(event)) else { return Vec::new() };
        reactions.broadcasts.iter().filter_map(|(journey, entry)| broadcast_audience(&self.index, *journey, *entry)).collect()
    }

    /// One profile's part in something that went to all.
    fn work_one(&mut self, id: ProfileId, delivery: &Delivery<'_>, cold: &mut dyn Cold) {
        let at = delivery.at;
        match &delivery.content {
            Content::Broadcast { event } => {
                let index = self.index.clone();
                let Some(reactions) = index.reactions(reaction_name(event)) else { return };
                for (journey, entry) in &reactions.broadcasts {
                    let Some(audience) = broadcast_audience(&index, *journey, *entry) else { continue };
                    if self.is_member_at(id, audience, at, cold) {
                        self.turn(id, at, cold, |turn| turn.broadcast(&EventView::of(event, at), *journey, *entry));
                    }
                }
            }
            Content::Schedule { journey, audience } if self.is_member_at(id, *audience, at, cold) => {
                self.turn(id, at, cold, |turn| turn.schedule(*journey));
            }
            Content::Migrate(migration) => self.turn(id, at, cold, |turn| turn.migrate(migration)),
            _ => {}
        }
    }

    /// Whether the profile is in the audience at `at`, after everything that was due before. One that is
    /// not is left as it is, so that it does not matter whether it was asked.
    fn is_member_at(&mut self, id: ProfileId, audience: u64, at: Timestamp, cold: &mut dyn Cold) -> bool {
        if !self.bring(id, cold) {
            return false;
        }
        let Some(slot) = self.slots.get_mut(id) else { return false };
        if slot.due <= at {
            advance(&self.index, &mut slot.profile, at, &mut self.output);
            mark(slot, &mut self.dirty);
            self.reschedule(id);
            self.take_listed();
        }
        self.profile(id).is_some_and(|profile| profile.is_member(audience))
    }

    /// The loser's last act: its state goes to the winner.
    fn give_state(&mut self, loser: ProfileId, winner: ProfileId, merge: u32, at: Timestamp, cold: &mut dyn Cold) {
        if !self.bring(loser, cold) {
            self.create(loser, at);
        }
        self.turn(loser, at, cold, |_| {});
        let Some(slot) = self.slots.remove(loser) else { return };
        for members in self.listed.values_mut() {
            members.remove(&loser);
        }
        if let Some(track) = &mut self.output.track {
            let gone = slot.profile.memberships.iter();
            track.members.extend(gone.map(|member| Member { audience: member.key, profile: loser, at, since: None }));
        }
        self.listed_changes.extend(slot.profile.memberships.iter().map(|membership| (membership.key, loser, false)));
        self.gone.insert(loser, slot.stored_due);
        self.send_state(winner, loser, merge, slot.profile, at);
    }

    fn send_state(&mut self, to: ProfileId, from: ProfileId, merge: u32, profile: Profile, at: Timestamp) {
        self.outgoing.push(Delivery { at, content: Content::State(Box::new(Travelling { to, from, merge, profile })) });
    }

    fn split(&mut self, winner: ProfileId, restored: ProfileId, merge: u32, strands: &[ProfileId], at: Timestamp, cold: &mut dyn Cold) {
        let mut back = None;
        self.turn(winner, at, cold, |mut turn| {
            back = Some(turn.profile.give_back(restored, strands));
            turn.learned_of();
            turn.decide(Kind::Unmerged { restored, merge });
            turn.reconcile();
        });
        let profile = back.unwrap_or_else(|| Profile::new(restored, at));
        self.send_state(restored, winner, merge, profile, at);
    }

    /// The profile has to take over a state: at once when it is there, else everything of it waits.
    fn await_state(&mut self, to: ProfileId, delivery: Delivery<'static>, cold: &mut dyn Cold) {
        if let Some(rest) = self.take_over(delivery, cold) {
            self.blocked.entry(to).or_default().queue.push_back(rest);
        }
    }

    /// Does a `Join` or `Restore`; gives it back when the state has not arrived yet.
    fn take_over(&mut self, delivery: Delivery<'static>, cold: &mut dyn Cold) -> Option<Delivery<'static>> {
        let at = delivery.at;
        match &delivery.content {
            Content::Join { winner, loser, merge, identifier } => {
                let Some(state) = self.arrived.remove(&(*winner, *loser, *merge)) else { return Some(delivery) };
                if !self.bring(*winner, cold) {
                    self.create(*winner, at);
                }
                self.turn(*winner, at, cold, |mut turn| {
                    turn.profile.absorb(state);
                    turn.learned_of();
                    turn.decide(Kind::Merged { loser: *loser, merge: *merge, identifier: identifier.clone() });
                    turn.merged();
                });
            }
            Content::Restore { restored, winner, merge } => {
                let Some(state) = self.arrived.remove(&(*restored, *winner, *merge)) else { return Some(delivery) };
                self.create(*restored, at);
                self.turn(*restored, at, cold, |mut turn| {
                    *turn.profile = state;
                    turn.learned_of();
                    for membership in turn.profile.memberships.clone() {
                        turn.member(membership.key, Some(membership.since));
                    }
                    turn.reconcile();
                });
                self.list(*restored);
            }
            _ => {}
        }
        None
    }

    /// Lists a profile that came with memberships.
    fn list(&mut self, id: ProfileId) {
        let Some(slot) = self.slots.get(id) else { return };
        for membership in &slot.profile.memberships {
            if self.index.listed.binary_search(&membership.key).is_ok() {
                self.listed.entry(membership.key).or_default().insert(id);
                self.listed_changes.push((membership.key, id, true));
            }
        }
    }

    /// A state has arrived: whoever waited for it works through its queue, up to the next wait.
    fn unblock(&mut self, id: ProfileId, cold: &mut dyn Cold) {
        let Some(mut blocked) = self.blocked.remove(&id) else { return };
        while let Some(delivery) = blocked.queue.pop_front() {
            if matches!(delivery.content, Content::Join { .. } | Content::Restore { .. }) {
                if let Some(again) = self.take_over(delivery, cold) {
                    blocked.queue.push_front(again);
                    self.blocked.insert(id, blocked);
                    return;
                }
            } else if delivery.profile().is_some() {
                self.work(delivery, cold);
            } else {
                self.work_one(id, &delivery, cold);
            }
        }
        if blocked.woken {
            // Its next timer needs an entry in the wheel again.
            if let Some(slot) = self.slots.get_mut(id) {
                slot.scheduled = Timestamp::MAX;
            }
            self.reschedule(id);
        }
        self.pass_time(self.clock, cold);
    }

    fn create(&mut self, id: ProfileId, at: Timestamp) {
        let profile = Profile::new(id, at);
        let (due, scheduled) = (Timestamp::MAX, Timestamp::MAX);
        let stored_due = self.gone.remove(&id).unwrap_or(Timestamp::MAX);
        self.leaving.remove(&id);
        self.slots.insert(Slot { profile, due, scheduled, stored_due, dirty: false, recent: true });
    }
}

fn mark(slot: &mut Slot, dirty: &mut Vec<ProfileId>) {
    slot.recent = true;
    if !slot.dirty {
        slot.dirty = true;
        dirty.push(slot.profile.id);
    }
}

fn broadcast_audience(index: &Index, journey: usize, entry: usize) -> Option<u64> {
    match index.journey(journey).entries.get(entry) {
        Some(Entry::Broadcast { audience, .. }) => Some(*audience),
        _ => None,
    }
}
