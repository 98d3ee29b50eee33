//! World B: partitions that exchange letters over a transport which delays, repeats and reorders them.
//!
//! Everything that comes out must equal what one partition in memory makes of the same records.

use crate::mutation::Mutation;
use crate::outcome::{Outcome, broken_law, expected, live};
use crate::people::{Wish, records};
use crate::random::Random;
use crate::workspace::{definitions, line};
use crate::{Finding, Tally};
use faden_engine::Index;
use faden_engine::decision::Decision;
use faden_engine::delivery::{Content, Delivery};
use faden_engine::front::{Front, NoPast, partition_of};
use faden_engine::identity::Identity;
use faden_engine::profile::Profile;
use faden_engine::shard::Shard;
use faden_model::Record;
use faden_runtime::{FRONT, Options, Parcel, Partition};
use std::sync::Arc;

/// Deliveries of one run; beyond, the transport makes no progress.
const STEPS_MAX: u64 = 2_000_000;

pub fn run(seed: u64, mutation: Option<Mutation>) -> Result<Tally, Finding> {
    let mut dice = Random::new(seed);
    let wish = Wish { records: 20 + dice.index(180), awaits_receipts: dice.chance(30), clock_jumps: dice.chance(30), publishes: false };
    let partitions = *dice.pick(&[1, 2, 2, 3, 5, 8, 16, 64]);
    let options = Options { explain: dice.chance(50), awaits_receipts: wish.awaits_receipts, ..Options::default() };
    let records = records(&mut dice, wish);
    let post = Post::new(&mut dice, partitions, &options, mutation);
    let schedule = post.describe(&wish);
    let finding = |difference: String| Finding { seed, world: "b", schedule: schedule.clone(), difference };
    let (want, decisions) = expected(records.clone(), &options).map_err(finding)?;
    if let Some(broken) = broken_law(&want, &decisions) {
        return Err(finding(broken));
    }
    let tally = Tally { records: records.len() as u64, decisions: decisions.len() as u64, crashes: 0 };
    let found = post.run(records).map_err(finding)?;
    match want.difference(&found) {
        Some(difference) => Err(finding(difference)),
        None => Ok(tally),
    }
}

/// The partitions, the identity stream, and what is on its way between them.
struct Post {
    dice: Random,
    mutation: Option<Mutation>,
    mutated: bool,
    index: Arc<Index>,
    front: Front,
    partitions: Vec<Partition>,
    /// Letters of the identity stream that are not posted yet.
    drafts: Vec<Parcel>,
    numbers: Vec<u64>,
    travelling: Vec<(usize, Parcel)>,
    decisions: Vec<Decision>,
    /// In percent: how often the next record comes before the next delivery.
    haste: u64,
    /// In percent: how often a parcel is delivered and stays on its way, too.
    repeats: u64,
    /// The newest parcels are delivered first.
    last_first: bool,
    letters_max: u64,
    held: Option<Delivery<'static>>,
}

impl Post {
    fn new(dice: &mut Random, partitions: usize, options: &Options, mutation: Option<Mutation>) -> Post {
        let index = Arc::new(Index::new(definitions(), None));
        let front = Front::new(Identity::new(options.hash_key), false);
        let make = |number: usize| {
            let mut shard = Shard::new(index.clone(), front.clock());
            shard.output.explain = options.explain;
            shard.output.awaits_receipts = options.awaits_receipts;
            Partition::new(u16::try_from(number).expect("there are at most 64"), shard, None)
        };
        Post {
            partitions: (0..partitions).map(make).collect(),
            drafts: (0..partitions).map(|_| Parcel::new(FRONT, 0)).collect(),
            numbers: vec![0; partitions],
            haste: *dice.pick(&[10, 50, 90, 99]),
            repeats: *dice.pick(&[0, 10, 40]),
            last_first: dice.chance(20),
            letters_max: *dice.pick(&[1, 3, 20]),
            dice: dice.part(),
            mutation,
            mutated: false,
            index,
            front,
            travelling: Vec::new(),
            decisions: Vec::new(),
            held: None,
        }
    }

    fn describe(&self, wish: &Wish) -> Vec<String> {
        vec![format!(
            "{} partitions, haste {} %, repeats {} %, newest first: {}, letters per parcel up to {}; {wish:?}",
            self.partitions.len(),
            self.haste,
            self.repeats,
            self.last_first,
            self.letters_max
        )]
    }

    fn run(mut self, records: Vec<Record<'static>>) -> Result<Outcome, String> {
        let mut records = records.into_iter();
        let mut left = records.next();
        for _ in 0..STEPS_MAX {
            let idle = self.travelling.is_empty() && self.drafts.iter().all(|draft| draft.count == 0);
            if let Some(record) = left.take_if(|_| idle || self.dice.chance(self.haste)) {
                self.route(record);
                left = records.next();
            } else if idle {
                return self.finish();
            } else if self.travelling.is_empty() || self.dice.chance(20) {
                let to = self.dice.index(self.drafts.len());
                self.dispatch(to);
            } else {
                self.deliver();
            }
        }
        Err("the transport makes no progress".to_owned())
    }

    fn route(&mut self, record: Record<'static>) {
        let mut deliveries = Vec::new();
        let rules = &self.index.definitions.identity;
        let ahead = self.front.look_ahead(std::iter::once(&record.command));
        self.front.route(rules, record.at, &record.command, ahead.of(0), &mut NoPast, &mut deliveries);
        self.decisions.append(&mut self.front.decisions);
        for delivery in deliveries.into_iter().map(Delivery::into_owned) {
            match delivery.profile() {
                Some(profile) => self.post(partition_of(profile, self.partitions.len()), delivery),
                None => {
                    let missing = self.strikes(Mutation::BroadcastMissed, || matches!(delivery.content, Content::Broadcast { .. }));
                    (usize::from(missing)..self.partitions.len()).for_each(|to| self.post(to, delivery.clone()));
                }
            }
        }
    }

    /// Whether the built-in fault happens here: once a run, at a random one of the places that fit.
    fn strikes(&mut self, mutation: Mutation, fits: impl FnOnce() -> bool) -> bool {
        let here = self.mutation == Some(mutation) && !self.mutated && self.dice.chance(20) && fits();
        self.mutated |= here;
        here
    }

    fn post(&mut self, to: usize, delivery: Delivery<'static>) {
        let is_event = matches!(delivery.content, Content::Event { .. });
        if self.strikes(Mutation::LetterLost, || is_event) {
            return;
        }
        if self.strikes(Mutation::LetterTwice, || is_event) {
            self.drafts[to].push(&delivery);
        }
        if self.strikes(Mutation::LettersSwapped, || is_event) {
            self.held = Some(delivery);
            return;
        }
        self.drafts[to].push(&delivery);
        if let Some(held) = self.held.take_if(|held| held.profile() == delivery.profile()) {
            self.drafts[to].push(&held);
        }
        if self.drafts[to].count >= self.letters_max {
            self.dispatch(to);
        }
    }

    fn dispatch(&mut self, to: usize) {
        if self.drafts[to].count > 0 {
            self.numbers[to] += self.drafts[to].count;
            let parcel = std::mem::replace(&mut self.drafts[to], Parcel::new(FRONT, self.numbers[to]));
            self.travelling.push((to, parcel));
        }
    }

    fn deliver(&mut self) {
        let newest = self.travelling.len() - 1;
        let place = if self.last_first { newest } else { self.dice.index(self.travelling.len()) };
        let (to, parcel) = if self.dice.chance(self.repeats) { self.travelling[place].clone() } else { self.travelling.swap_remove(place) };
        self.partitions[to].receive(parcel);
        let count = self.partitions.len();
        for (receiver, parcel) in self.partitions[to].take_parcels(count) {
            let parcel = self.spoil(parcel);
            self.travelling.push((receiver, parcel));
        }
    }

    /// States on their way between partitions, as some faults leave them.
    fn spoil(&mut self, parcel: Parcel) -> Parcel {
        let empty = self.strikes(Mutation::StateEmptied, || true);
        let misdirected = self.strikes(Mutation::StateMisdirected, || true);
        if !empty && !misdirected {
            return parcel;
        }
        let mut delivery: Delivery<'_> = postcard::from_bytes(&parcel.letters).expect("a state travels alone");
        if let Content::State(travelling) = &mut delivery.content {
            if empty {
                travelling.profile = Profile::new(travelling.from, delivery.at);
            } else {
                travelling.merge += 1;
            }
        }
        let mut spoilt = Parcel::new(parcel.from, parcel.first);
        spoilt.push(&delivery);
        spoilt
    }

    fn finish(mut self) -> Result<Outcome, String> {
        if let Some(waiting) = self.partitions.iter().find(|partition| !partition.is_quiet()) {
            return Err(format!("partition {} waits for ever", waiting.number));
        }
        let mut outcome = Outcome::default();
        for partition in &mut self.partitions {
            self.decisions.append(&mut partition.shard.output.decisions);
        }
        outcome.decisions = self.decisions.iter().map(line).collect();
        outcome.decisions.sort_unstable();
        let alive = live(&self.front);
        for partition in &self.partitions {
            for id in partition.shard.warm_ids() {
                let home = partition_of(id, self.partitions.len());
                if home != usize::from(partition.number) {
                    return Err(format!("profile {id} of partition {home} is in partition {}", partition.number));
                }
                if !alive.contains(&id) {
                    return Err(format!("profile {id} was merged away and lives in partition {home}"));
                }
                if let Some(profile) = partition.shard.profile(id) {
                    outcome.profiles.insert(id, profile.clone());
                }
            }
        }
        Ok(outcome)
    }
}
