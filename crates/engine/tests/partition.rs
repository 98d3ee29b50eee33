//! What a partition must not forget: who has left, who waits, who is listed, and when schedules begin.

use faden_engine::decision::{Decision, Kind};
use faden_engine::delivery::{Content, Delivery};
use faden_engine::front::{Front, NoPast};
use faden_engine::identity::Identity;
use faden_engine::profile::Profile;
use faden_engine::shard::{Cold, Shard};
use faden_engine::workspace::{Files, read};
use faden_engine::{Definitions, Index};
use faden_model::{Command, Event, ProfileId, Receipt, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

const FILES: &[(&str, &str)] = &[
    ("faden.yaml", "workspace: w\ncountry: DE\ntime_zone: UTC\nlanguages: [en]\n"),
    ("policies/global.yaml", "policy: global\nconsent: {service: none}\n"),
    ("audiences/seen.yaml", "audience: seen\ntraits:\n  seen: {count: Seen}\nwhere: traits.seen >= 1\n"),
    ("audiences/quiet.yaml", "audience: quiet\nwhere: now - profile.last_seen_at >= duration(\"1d\")\n"),
    ("audiences/left.yaml", "audience: left\ntraits:\n  left_seen: {did: Seen, then_not: Order, within: 3d}\nwhere: traits.left_seen\n"),
    ("journeys/later.yaml", "journey: later\npurpose: service\nentry: {event: Seen}\nsteps:\n  - {id: hours, wait: {for: 2h}}\n"),
    ("templates/hello/email.en.jinja", "---\nsubject: Hello\n---\nHello\n"),
    (
        "journeys/tell.yaml",
        "journey: tell\npurpose: service\nentry: {event: Ask}\nsteps:\n  - {id: hours, wait: {for: 2h}}\n  - {id: mail, send: {template: hello, channels: [email]}}\n",
    ),
    (
        "journeys/call.yaml",
        "journey: call\npurpose: service\nentry: {broadcast: {event: Call, audience: seen}}\nreentry: always\nsteps:\n  - {id: here, set: {called: \"true\"}}\n",
    ),
    (
        "journeys/wake.yaml",
        "journey: wake\npurpose: service\nentry: {broadcast: {event: Call, audience: quiet}}\nreentry: always\nsteps:\n  - {id: here, set: {woken: \"true\"}}\n",
    ),
    (
        "journeys/daily.yaml",
        "journey: daily\npurpose: service\nentry: {schedule: {at: \"09:00\", audience: seen}}\nreentry: always\nsteps:\n  - {id: here, set: {greeted: \"true\"}}\n",
    ),
];

/// One partition with its identity stream, and a store that never learns who has left.
struct World {
    front: Front,
    shard: Shard,
    index: Arc<Index>,
    stored: Stored,
}

struct Stored(BTreeMap<ProfileId, Profile>);

impl Cold for Stored {
    fn fetch(&mut self, profile: ProfileId) -> Option<Profile> {
        self.0.get(&profile).cloned()
    }
    fn all(&mut self) -> Vec<ProfileId> {
        self.0.keys().copied().collect()
    }
    fn each(&mut self, visit: &mut dyn FnMut(Profile)) {
        self.0.values().cloned().for_each(visit);
    }
}

impl World {
    fn new() -> World {
        let files = FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let outcome = read(&Files(files));
        let definitions: Definitions = outcome.definitions.unwrap_or_else(|| panic!("{:#?}", outcome.findings));
        let index = Arc::new(Index::new(Arc::new(definitions), None));
        let front = Front::new(Identity::new([0; 16]), false);
        World { shard: Shard::new(index.clone(), front.clock()), front, index, stored: Stored(BTreeMap::new()) }
    }

    fn route(&mut self, at: &str, command: Command<'static>) -> Vec<Delivery<'static>> {
        let at = Timestamp::parse(at).expect("an instant");
        let mut out = Vec::new();
        let ahead = self.front.look_ahead(std::iter::once(&command));
        self.front.route(&self.index.definitions.identity, at, &command, ahead.of(0), &mut NoPast, &mut out);
        out.into_iter().map(Delivery::into_owned).collect()
    }

    fn apply(&mut self, delivery: Delivery<'static>) {
        self.shard.apply(delivery, &mut self.stored);
    }

    /// Applies a command; states that travel because of it stay on their way.
    fn post(&mut self, at: &str, command: Command<'static>) {
        for delivery in self.route(at, command) {
            self.apply(delivery);
        }
    }

    /// Applies a command, and at once the states that travel because of it.
    fn take(&mut self, at: &str, command: Command<'static>) {
        for delivery in self.route(at, command) {
            self.apply(delivery);
            while let Some(state) = self.shard.outgoing.pop() {
                self.apply(state);
            }
        }
    }

    fn track(&mut self, at: &str, name: &str, who: &str) {
        self.take(at, event(&format!(r#"{{"type":"track","event":"{name}",{who}}}"#)));
    }

    fn call(&mut self, at: &str) {
        self.take(at, event(CALL));
    }

    fn tick(&mut self, at: &str) {
        self.take(at, Command::Tick);
    }

    /// Who entered this journey, and who came to the end of one: `instant profile`.
    fn said(&self, wanted: impl Fn(&Kind) -> bool) -> Vec<String> {
        let line = |decision: &Decision| format!("{} {}", decision.at, decision.profile);
        self.shard.output.decisions.iter().filter(|decision| wanted(&decision.kind)).map(line).collect()
    }

    fn entered(&self, name: &str) -> Vec<String> {
        self.said(|kind| matches!(kind, Kind::Enrolled { journey, .. } if journey == name))
    }

    fn ended(&self, name: &str) -> Vec<String> {
        self.said(|kind| matches!(kind, Kind::Ended { journey, .. } if journey == name))
    }
}

fn event(line: &str) -> Command<'static> {
    Command::Event(Event::parse(line, "DE").expect("a call").into_owned())
}

const ADA: &str = r#""userId":"ada""#;
const BROWSER: &str = r#""anonymousId":"browser""#;
const CALL: &str = r#"{"specversion":"1.0","id":"1","source":"s","type":"Call"}"#;
const BOTH: &str = r#""userId":"ada","anonymousId":"browser""#;

#[test]
fn who_was_merged_away_is_not_fetched_back_from_a_store_that_does_not_know() {
    let mut world = World::new();
    world.track("2026-03-02T10:00:00Z", "Else", ADA);
    world.track("2026-03-02T10:00:00Z", "Seen", BROWSER);
    world.stored.0 = [ProfileId(0), ProfileId(1)].iter().filter_map(|id| Some((*id, world.shard.profile(*id)?.clone()))).collect();
    world.track("2026-03-02T11:00:00Z", "Else", BOTH);
    world.tick("2026-03-02T15:00:00Z");
    assert_eq!(world.ended("later"), ["2026-03-02T12:00:00Z prf_0"]);
    assert_eq!(world.shard.warm_ids(), [ProfileId(0)]);
}

#[test]
fn a_timer_that_came_up_while_its_profile_waited_fires_at_its_own_instant() {
    let mut world = World::new();
    world.track("2026-03-02T10:00:00Z", "Seen", ADA);
    world.track("2026-03-02T10:00:00Z", "Else", BROWSER);
    world.post("2026-03-02T11:00:00Z", event(&format!(r#"{{"type":"track","event":"Else",{BOTH}}}"#)));
    world.post("2026-03-02T13:00:00Z", Command::Tick);
    assert_eq!(world.ended("later"), Vec::<String>::new());
    let state = world.shard.outgoing.pop().expect("the loser has sent its state");
    world.apply(state);
    assert_eq!(world.ended("later"), ["2026-03-02T12:00:00Z prf_0"]);
    // And what it does next is known again.
    world.tick("2026-03-03T13:00:00Z");
    let quiet = |kind: &Kind| matches!(kind, Kind::Audience { audience, entered: true, .. } if audience == "quiet");
    assert_eq!(world.said(quiet), ["2026-03-03T11:00:00Z prf_0"]);
}

#[test]
fn a_broadcast_reaches_who_entered_its_audience_by_time_alone() {
    let mut world = World::new();
    world.track("2026-03-02T10:00:00Z", "Else", ADA);
    world.call("2026-03-03T10:00:00Z");
    assert_eq!(world.entered("wake"), ["2026-03-03T10:00:00Z prf_0"]);
}

#[test]
fn a_broadcast_reaches_a_profile_that_came_back_from_a_merge() {
    let mut world = World::new();
    world.track("2026-03-02T10:00:00Z", "Seen", ADA);
    world.track("2026-03-02T10:00:00Z", "Seen", BROWSER);
    world.track("2026-03-02T11:00:00Z", "Else", BOTH);
    world.take("2026-03-02T11:00:00Z", Command::Unmerge { merge: 0 });
    world.call("2026-03-02T12:00:00Z");
    assert_eq!(world.entered("call"), ["2026-03-02T12:00:00Z prf_0", "2026-03-02T12:00:00Z prf_1"]);
}

#[test]
fn a_receipt_goes_to_the_passage_of_its_message_after_an_unmerge() {
    let mut world = World::new();
    world.shard.output.awaits_receipts = true;
    world.track("2026-03-02T10:00:00Z", "Else", ADA);
    world.track("2026-03-02T10:00:00Z", "Ask", &format!(r#"{BROWSER},"context":{{"traits":{{"email":"b@shop.test"}}}}"#));
    world.track("2026-03-02T11:00:00Z", "Else", BOTH);
    world.tick("2026-03-02T12:00:00Z");
    let sent = |decision: &Decision| match &decision.kind {
        Kind::Message(message) => Some(message.id),
        _ => None,
    };
    let message = world.shard.output.decisions.iter().find_map(sent).expect("the message is out");
    assert_eq!(message.0.under, ProfileId(0));
    world.take("2026-03-02T13:00:00Z", Command::Unmerge { merge: 0 });
    world.take("2026-03-02T14:00:00Z", Command::Receipt { message, receipt: Receipt::Delivered });
    assert_eq!(world.ended("tell"), ["2026-03-02T14:00:00Z prf_1"]);
}

#[test]
fn a_broadcast_leaves_a_waiting_profile_alone_that_is_not_in_its_audience() {
    let mut world = World::new();
    world.track("2026-03-02T10:00:00Z", "Else", ADA);
    world.track("2026-03-02T10:00:00Z", "Else", BROWSER);
    world.post("2026-03-02T11:00:00Z", event(&format!(r#"{{"type":"track","event":"Else",{BOTH}}}"#)));
    world.post("2026-03-02T12:00:00Z", event(CALL));
    let state = world.shard.outgoing.pop().expect("the loser has sent its state");
    assert!(matches!(state.content, Content::State(_)));
    world.apply(state);
    let profile = world.shard.profile(ProfileId(0)).expect("the winner lives");
    assert_eq!(profile.clock, Timestamp::parse("2026-03-02T11:00:00Z").expect("an instant"));
}

/// The definitions of this file with some replaced.
fn changed(files: &[(&str, &str)]) -> Definitions {
    let all = FILES.iter().chain(files).map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let outcome = read(&Files(all));
    outcome.definitions.unwrap_or_else(|| panic!("{:#?}", outcome.findings))
}

impl World {
    /// Everything that was decided is on disk, and nothing in memory.
    fn settle(&mut self) {
        self.settle_in_store();
        self.shard.let_go(0);
        self.shard.let_go(0);
        assert_eq!(self.shard.warm_len(), 0);
    }

    /// Everything that was decided is on disk.
    fn settle_in_store(&mut self) {
        let stored = &mut self.stored.0;
        stored.extend(self.shard.take_dirty().iter().map(|changed| (changed.profile().id, changed.profile().clone())));
    }

    fn publish(&mut self, files: &[(&str, &str)]) {
        let before = self.index.clone();
        self.index = Arc::new(Index::new(Arc::new(changed(files)), Some(&before)));
        self.shard.publish(self.index.clone());
        self.shard.review(&before, &mut self.stored);
    }
}

#[test]
fn a_shorter_window_reaches_who_is_on_disk_and_does_nothing() {
    let mut world = World::new();
    world.track("2026-03-02T10:00:00Z", "Seen", ADA);
    world.tick("2026-03-03T12:00:00Z");
    world.settle();
    world.publish(&[(
        "audiences/left.yaml",
        "audience: left\ntraits:\n  left_seen: {did: Seen, then_not: Order, within: 2d}\nwhere: traits.left_seen\n",
    )]);
    world.tick("2026-03-09T10:00:00Z");
    let left = |kind: &Kind| matches!(kind, Kind::Audience { audience, entered: true, .. } if audience == "left");
    assert_eq!(world.said(left), ["2026-03-04T10:00:00Z prf_0"]);
}

#[test]
fn a_broadcast_to_an_audience_that_had_none_reaches_its_old_members_on_disk() {
    let mut world = World::new();
    world.track("2026-03-02T10:00:00Z", "Seen", ADA);
    world.tick("2026-03-05T12:00:00Z");
    world.settle();
    world.publish(&[(
        "journeys/call_left.yaml",
        "journey: call_left\npurpose: service\nentry: {broadcast: {event: Call, audience: left}}\nsteps:\n  - {id: here, set: {called: \"true\"}}\n",
    )]);
    world.call("2026-03-06T10:00:00Z");
    assert_eq!(world.entered("call_left"), ["2026-03-06T10:00:00Z prf_0"]);
}

#[test]
fn schedules_come_round_from_the_first_record_on() {
    let mut world = World::new();
    world.track("2026-03-02T10:00:00Z", "Seen", ADA);
    world.tick("2026-03-04T09:00:00Z");
    assert_eq!(world.entered("daily"), ["2026-03-03T09:00:00Z prf_0", "2026-03-04T09:00:00Z prf_0"]);
}

#[test]
fn who_did_not_is_known_at_the_instant_when_the_time_for_it_is_over() {
    let mut world = World::new();
    world.track("2026-03-02T10:00:00Z", "Seen", ADA);
    world.track("2026-03-02T10:00:00Z", "Seen", BROWSER);
    world.track("2026-03-03T10:00:00Z", "Order", BROWSER);
    world.tick("2026-03-09T10:00:00Z");
    let left = |kind: &Kind| matches!(kind, Kind::Audience { audience, entered: true, .. } if audience == "left");
    assert_eq!(world.said(left), ["2026-03-05T10:00:00Z prf_0"]);
}

#[test]
fn what_a_checkpoint_took_stays_as_it_was() {
    let mut world = World::new();
    world.track("2026-03-02T10:00:00Z", "Seen", r#""userId":"u""#);
    let taken = world.shard.take_dirty();
    let seen = |profile: &Profile| (profile.clock.to_string(), profile.enrollments.len());
    let before = seen(taken[0].profile());
    assert_eq!((before.clone(), taken[0].due().to_string()), (("2026-03-02T10:00:00Z".to_owned(), 1), "2026-03-02T12:00:00Z".to_owned()));
    world.tick("2026-03-02T13:00:00Z");
    assert_eq!(seen(taken[0].profile()), before);
    let again = world.shard.take_dirty();
    assert_eq!(again.iter().map(|changed| changed.profile().enrollments.len()).collect::<Vec<_>>(), [0]);
    assert_eq!(again[0].stored_due, taken[0].due());
}

#[test]
fn who_was_not_used_leaves_memory_a_few_at_a_time() {
    let mut world = World::new();
    let used = |world: &mut World, number: u32| {
        world.track(
            "2026-03-02T10:00:00Z",
            "Order",
            &format!(r#""userId":"u{number}","messageId":"m{number}-{}""#, world.shard.warm_len()),
        );
    };
    (0..100).for_each(|number| used(&mut world, number));
    world.settle_in_store();
    for keep in [90, 50, 20] {
        // One of the first is used all the time.
        used(&mut world, 3);
        world.settle_in_store();
        (0..2).for_each(|_| world.shard.let_go(keep));
        let warm = world.shard.warm_ids();
        assert!(warm.len() >= keep && warm.len() < keep + 10, "{} are warm where {keep} may be", warm.len());
    }
    used(&mut world, 3);
    assert_eq!(world.shard.take_dirty().len(), 1);
}
