//! The identity stream: every command in one order, turned into deliveries for the partitions.
//!
//! Drops repeats by message id, keeps the clock that never goes back, finds out whom an event belongs
//! to, and says which profiles become one or part again. Its outcome depends on the order of commands
//! alone, so it is the same for every number of partitions.

use crate::decision::{Decision, Kind, NOBODY};
use crate::delivery::{Content, Delivery, Happened};
use crate::fingerprint_table::FingerprintSet;
use crate::identity::{BEYOND_GUARD, Fingerprint, Identity, Merge, Reason, Resolution, Rules};
use faden_model::id::{Born, SHARDS};
use faden_model::{Command, DecisionId, Event, Identifier, MessageId, ProfileId, Receipt, Text, Timestamp, json};
use siphasher::sip128::{Hasher128, SipHasher13};
use smallvec::SmallVec;
use std::hash::Hasher;

/// A CloudEvent of this type with `data: {merge: N}` takes a merge back.
pub const UNMERGE: &str = "faden.identity.unmerge";
/// A CloudEvent of this type with `data: {journey: NAME}` about somebody starts a journey that has an `api` entry.
pub const START: &str = "faden.journey.start";
/// A CloudEvent of this type about somebody with `data: {purpose, state, channel, address}` changes his consent.
/// `state` is `granted`, `confirmed` or `withdrawn`; without channel or address it is for all of them.
pub const CONSENT: &str = "faden.consent.changed";

/// Which of `partitions` holds a profile: shards in equal runs.
pub fn partition_of(profile: ProfileId, partitions: usize) -> usize {
    usize::from(profile.shard()) * partitions / SHARDS as usize
}

/// The identity stream's state.
#[derive(Clone)]
pub struct Front {
    pub identity: Identity,
    clock: Timestamp,
    seen: Seen,
    /// Count of decisions that belong to nobody.
    next_count: u32,
    repeats: u64,
    /// What was decided about no profile in particular; whoever routes takes it.
    pub decisions: Vec<Decision>,
}

/// Fingerprints of a chunk of commands.
#[derive(Clone, Debug, Default)]
pub struct Ahead {
    messages: Vec<u128>,
    identifiers: Vec<Fingerprint>,
    /// Where each command's identifiers begin, and the end.
    firsts: Vec<usize>,
}

/// Fingerprints of one command: of its message id and of its identifiers.
#[derive(Clone, Copy, Debug)]
pub struct Prints<'p> {
    message: u128,
    identifiers: &'p [Fingerprint],
}

impl Ahead {
    /// # Panics
    /// When the chunk has no command at this place.
    pub fn of(&self, place: usize) -> Prints<'_> {
        Prints { message: self.messages[place], identifiers: &self.identifiers[self.firsts[place]..self.firsts[place + 1]] }
    }
}

/// Message ids that were taken, as 96-bit fingerprints: below 10^-11 for any two of a billion to meet.
#[derive(Clone, Default)]
pub struct Seen {
    recent: FingerprintSet,
    /// Those before the recent ones.
    older: FingerprintSet,
    /// Since the last checkpoint.
    unsaved: Vec<u128>,
    keep_unsaved: bool,
    /// How many of those before nobody finds yet but here.
    hidden: usize,
    /// Some are no longer in memory.
    forgets: bool,
}

/// What [`Front::take_unsaved`] gives.
#[derive(Debug, Default)]
pub struct Unsaved {
    pub messages: Vec<u128>,
    pub all_found: bool,
}

/// Message ids that are no longer in memory.
pub trait Past {
    fn saw(&mut self, message: u128) -> bool;
}

/// For streams that remember everything in memory.
pub struct NoPast;

impl Past for NoPast {
    fn saw(&mut self, _: u128) -> bool {
        false
    }
}

/// The fingerprint under which a message id is remembered, in the upper 96 bits. Fixed key: it is written to disk.
pub fn message_fingerprint(message_id: &str) -> u128 {
    let mut hasher = SipHasher13::new_with_keys(0x6661_6465_6e2d_6d73, 0x672d_6964_2d76_3031);
    hasher.write(message_id.as_bytes());
    hasher.finish128().as_u128() & !u128::from(u32::MAX)
}

impl Seen {
    /// Remembers a message id; `false` when it was there already.
    fn insert(&mut self, message: u128, past: &mut dyn Past) -> bool {
        if self.recent.contains(message) || self.older.contains(message) || (self.forgets && past.saw(message)) {
            return false;
        }
        self.recent.insert(message);
        if self.keep_unsaved {
            self.unsaved.push(message);
        }
        true
    }
}

impl Front {
    /// `durable`: whether what is remembered is also kept for [`Front::take_unsaved`].
    pub fn new(identity: Identity, durable: bool) -> Front {
        let seen = Seen { keep_unsaved: durable, ..Seen::default() };
        Front { identity, clock: Timestamp::MIN, seen, next_count: 0, repeats: 0, decisions: Vec::new() }
    }

    pub fn clock(&self) -> Timestamp {
        self.clock
    }

    /// How many events were repeats of one that was taken already.
    pub fn repeats(&self) -> u64 {
        self.repeats
    }

    /// Routes one command. Deliveries go to `out` in their order; what concerns no profile to [`Front::decisions`].
    /// `Publish` is not for here: whoever holds the definitions applies it between two commands.
    pub fn route<'a>(
        &mut self,
        rules: &Rules,
        at: Timestamp,
        command: &'a Command<'a>,
        prints: Prints<'_>,
        past: &mut dyn Past,
        out: &mut Vec<Delivery<'a>>,
    ) {
        self.clock = self.clock.max(at);
        let at = self.clock;
        match command {
            Command::Event(event) | Command::EventFrom { event, .. } => self.event(rules, at, event, prints, past, out),
            Command::Unmerge { merge } => self.unmerge(*merge, at, out),
            Command::Receipt { message, receipt } => self.receipt(at, *message, *receipt, out),
            Command::Report(report) | Command::ReportOf { report, .. } => self.receipt(at, report.message, report.receipt, out),
            Command::Migrate(migration) => out.push(Delivery { at, content: Content::Migrate(Box::new(migration.clone())) }),
            Command::Tick | Command::Publish { .. } => out.push(Delivery { at, content: Content::Tick }),
        }
    }

    fn event<'a>(
        &mut self,
        rules: &Rules,
        at: Timestamp,
        event: &'a Event<'a>,
        prints: Prints<'_>,
        past: &mut dyn Past,
        out: &mut Vec<Delivery<'a>>,
    ) {
        if !event.message_id.is_empty() && !self.seen.insert(prints.message, past) {
            self.repeats += 1;
            return;
        }
        if event.identifiers.is_empty() {
            if event.name == UNMERGE {
                return self.unmerge_asked(event, at, out);
            }
            return out.push(Delivery { at, content: Content::Broadcast { event: Happened::Here(event) } });
        }
        let Some(found) = self.identity.resolve_known(rules, &event.identifiers, prints.identifiers, at) else {
            let detail = Text::from(format!("message `{}` carries no identifier that may be used", event.message_id));
            return self.reject(at, "event-identifiers-blocked", detail);
        };
        let Resolution { profile, strand, created, merges, left_out, added, .. } = found;
        for merge in &merges {
            push_merge(merge, &event.identifiers, at, out);
        }
        let mut linked = SmallVec::new();
        for place in added {
            linked.push(u8::try_from(place).unwrap_or(u8::MAX));
        }
        out.push(Delivery { at, content: Content::Event { profile, strand, created, added: linked, event: Happened::Here(event) } });
        for (place, reason) in left_out {
            let Some(identifier) = event.identifiers.get(place).filter(|_| reason != Reason::Blocked) else { continue };
            let (identifier, reason, message_id) = (identifier.kind.clone(), reason_text(&reason), Text::new(&event.message_id));
            out.push(Delivery { at, content: Content::LeftOut { profile, identifier, reason, message_id } });
        }
    }

    /// Fingerprints for routing these commands, with everything touched in memory that it will need: see
    /// `Identity::look_ahead`. Asked for once per chunk, used for each of its commands in their order.
    pub fn look_ahead<'a>(&self, commands: impl Iterator<Item = &'a Command<'a>> + Clone) -> Ahead {
        let count = commands.clone().count();
        let mut ahead = Ahead {
            messages: Vec::with_capacity(count),
            identifiers: Vec::with_capacity(count * 2),
            firsts: Vec::with_capacity(count + 1),
        };
        for command in commands {
            ahead.firsts.push(ahead.identifiers.len());
            let Some(event) = command.event() else {
                ahead.messages.push(0);
                continue;
            };
            ahead.messages.push(message_fingerprint(&event.message_id));
            ahead.identifiers.extend(event.identifiers.iter().map(|identifier| self.identity.fingerprint(identifier)));
        }
        ahead.firsts.push(ahead.identifiers.len());
        let seen = |message: &u128| self.seen.recent.touch(*message) ^ self.seen.older.touch(*message);
        std::hint::black_box(ahead.messages.iter().fold(0, |sum, message| sum ^ seen(message)));
        self.identity.look_ahead(&ahead.identifiers);
        ahead
    }

    fn receipt(&self, at: Timestamp, message: MessageId, receipt: Receipt, out: &mut Vec<Delivery<'_>>) {
        // It counts where the message's passage is; nobody else has one that waits for it.
        for profile in self.identity.holders(message.0.under) {
            out.push(Delivery { at, content: Content::Receipt { profile, message, receipt } });
        }
    }

    fn unmerge_asked(&mut self, event: &Event<'_>, at: Timestamp, out: &mut Vec<Delivery<'_>>) {
        let asked = json::lookup(&event.properties, &[Text::const_new("merge")]);
        match asked.as_number().and_then(|number| u32::try_from(number).ok()) {
            Some(merge) => self.unmerge(merge, at, out),
            None => {
                let detail = Text::from(format!("message `{}` must name the merge by its number in `data.merge`", event.message_id));
                self.reject(at, "unmerge-no-number", detail);
            }
        }
    }

    fn unmerge(&mut self, merge: u32, at: Timestamp, out: &mut Vec<Delivery<'_>>) {
        match self.identity.unmerge(crate::identity::MergeId(merge), at) {
            Ok(split) => {
                let (winner, restored) = (split.winner, split.loser);
                out.push(Delivery { at, content: Content::Split { winner, restored, merge, strands: split.strands } });
                out.push(Delivery { at, content: Content::Restore { restored, winner, merge } });
            }
            Err(refusal) => self.reject(at, refusal.code(), Text::from(refusal.to_string())),
        }
    }

    fn reject(&mut self, at: Timestamp, code: &'static str, detail: Text) {
        let id = DecisionId(Born { under: NOBODY, count: self.next_count });
        self.next_count += 1;
        self.decisions.push(Decision {
            id,
            at,
            profile: NOBODY,
            user_id: Text::default(),
            kind: Kind::Rejected { code: Text::new(code), detail },
        });
    }
}

fn push_merge<'a>(merge: &Merge, identifiers: &[Identifier<'_>], at: Timestamp, out: &mut Vec<Delivery<'a>>) {
    let (winner, loser, number) = (merge.winner, merge.loser, merge.id.0);
    let identifier = identifiers.get(merge.cause).map_or(faden_model::IdentifierKind::UserId, |cause| cause.kind.clone());
    out.push(Delivery { at, content: Content::Leave { loser, winner, merge: number } });
    out.push(Delivery { at, content: Content::Join { winner, loser, merge: number, identifier } });
}

fn reason_text(reason: &Reason) -> Text {
    match reason {
        Reason::Blocked => Text::const_new("blocked value"),
        Reason::Unique(kind) => Text::from(format!("two different values of {kind} prove two people")),
        Reason::Limit(kind) => Text::from(format!("the limit of {kind} would be broken")),
        Reason::KeptApart => Text::const_new("an un-merge keeps these two apart"),
        Reason::TooLarge => Text::const_new(BEYOND_GUARD),
        Reason::Full => Text::const_new("the identity index is full"),
    }
}

/// What a checkpoint writes.
impl Front {
    /// Message fingerprints since the last call, to be stored before the next one. About `keep` stay in
    /// memory. Now and then, sixteen times for so many, `all_found` is true: before the next call each one until
    /// now must be found by [`Past::saw`], because later they may be forgotten.
    pub fn take_unsaved(&mut self, keep: usize) -> Unsaved {
        self.seen.hidden += self.seen.unsaved.len();
        let all_found = self.seen.hidden > keep / 16;
        if all_found {
            self.seen.hidden = 0;
        }
        if all_found && self.seen.recent.len() > keep / 2 {
            let older = std::mem::replace(&mut self.seen.older, std::mem::take(&mut self.seen.recent));
            self.seen.forgets |= older.len() > 0;
        }
        Unsaved { messages: std::mem::take(&mut self.seen.unsaved), all_found }
    }

    /// Takes up message fingerprints of an earlier run; `forgets`: there are others, which [`Past::saw`] finds.
    pub fn remember(&mut self, messages: &[u128], forgets: bool) {
        (self.seen.forgets, self.seen.hidden) = (forgets, messages.len());
        messages.iter().for_each(|message| self.seen.recent.insert(*message));
    }

    /// Clock and counters, for [`Front::restore`].
    pub fn state(&self) -> (Timestamp, u32, u64) {
        (self.clock, self.next_count, self.repeats)
    }

    pub fn restore(&mut self, (clock, next_count, repeats): (Timestamp, u32, u64)) {
        (self.clock, self.next_count, self.repeats) = (clock, next_count, repeats);
    }
}
