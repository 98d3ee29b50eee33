//! The customers of a run and what they do: few people, many identifiers, shared devices, late events,
//! repeats, operators who take merges back. Everything follows from the seed.
//!
//! A fault-free node runs along, so that receipts can be about messages that were really sent.

use crate::random::Random;
use crate::workspace::{cart_version, definitions, edition};
use faden_engine::audience::key_of;
use faden_engine::decision::{Kind, MessageOutcome};
use faden_engine::front::{START, UNMERGE};
use faden_model::{Command, Event, MessageId, Migration, Receipt, Record, Span, Timestamp};
use faden_runtime::{Node, Options};
use std::collections::BTreeMap;
use std::fmt::Write;

/// 2026-03-23T05:00:00Z: a Monday, six days before clocks change in Berlin.
const BEGIN: Timestamp = Timestamp(1_774_242_000_000);

/// Times are multiples of this, so that much happens at equal instants.
const TICK: Span = Span(600_000);

/// After the last event everything that can still happen does.
const AFTERMATH: Span = Span(60 * 86_400_000);

/// The message id of the roll call that ends every run.
pub const LAST_CALL: &str = "last-call";

/// What to make up.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub records: usize,
    pub awaits_receipts: bool,
    /// Records whose time lies before that of an earlier one.
    pub clock_jumps: bool,
    /// New definitions in the middle, and moves between versions.
    pub publishes: bool,
}

/// One person; the first one never agrees to marketing.
struct Person {
    number: u64,
    /// Profiles that were born between this one and the one before, to spread people over partitions.
    strangers_before: u64,
    born: bool,
}

/// Makes the records of a run, in order. The last ones let everything run out and call the roll.
pub fn records(dice: &mut Random, wish: Wish) -> Vec<Record<'static>> {
    let mut street = Street::new(dice.part(), wish);
    let mut records = Vec::with_capacity(wish.records + 200);
    while street.made < wish.records {
        let record = street.next();
        street.follow(&record);
        records.push(record);
    }
    let end = street.now + AFTERMATH;
    records.push(Record { at: end, command: Command::Tick });
    records.push(event(end, &format!(r#"{{"specversion":"1.0","id":"{LAST_CALL}","source":"sim","type":"Roll Call","data":{{}}}}"#)));
    records.push(Record { at: end + AFTERMATH, command: Command::Tick });
    records
}

/// The user id of the person who never agrees to marketing.
pub const REFUSER: &str = "u0";

struct Street {
    dice: Random,
    wish: Wish,
    people: Vec<Person>,
    now: Timestamp,
    made: usize,
    strangers: u64,
    waiting_strangers: u64,
    merges: u32,
    sent: Vec<MessageId>,
    past: Vec<Record<'static>>,
    shadow: Node,
}

impl Street {
    fn new(mut dice: Random, wish: Wish) -> Street {
        let count = 2 + dice.below(7);
        let spread = *dice.pick(&[0, 0, 5, 40]);
        let people = (0..count).map(|number| Person { number, strangers_before: dice.below(spread + 1), born: false }).collect();
        let options = Options { awaits_receipts: wish.awaits_receipts, ..Options::default() };
        Street {
            dice,
            wish,
            people,
            now: BEGIN,
            made: 0,
            strangers: 0,
            waiting_strangers: 0,
            merges: 0,
            sent: Vec::new(),
            past: Vec::new(),
            shadow: Node::in_memory(definitions(), options),
        }
    }

    /// Lets the fault-free node do the same, to learn what can be answered.
    fn follow(&mut self, record: &Record<'static>) {
        self.past.push(record.clone());
        if self.shadow.apply(std::slice::from_ref(record)).is_err() {
            return;
        }
        for decision in self.shadow.take_decisions() {
            match decision.kind {
                Kind::Message(message) if message.outcome == MessageOutcome::Sent => self.sent.push(message.id),
                Kind::Merged { merge, .. } => self.merges = self.merges.max(merge + 1),
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Record<'static> {
        if self.waiting_strangers > 0 {
            self.waiting_strangers -= 1;
            self.strangers += 1;
            let line = format!(r#"{{"type":"page","anonymousId":"stranger-{}"}}"#, self.strangers);
            return event(self.now, &line);
        }
        self.made += 1;
        self.pass_time();
        let at = self.record_time();
        match self.dice.below(100) {
            0..=3 => self.repeat(at),
            4..=6 => self.broadcast(at),
            7..=10 if self.merges > 0 => self.unmerge(at),
            11..=16 if !self.sent.is_empty() => self.receipt(at),
            17 => Record { at, command: Command::Tick },
            18 => Record { at, command: Command::Migrate(self.moves()) },
            19 if self.wish.publishes => Record { at, command: Command::Publish { files: edition(self.dice.below(2)) } },
            _ => self.call(at),
        }
    }

    fn pass_time(&mut self) {
        let ticks = match self.dice.below(20) {
            0..=6 => 0,
            7..=12 => self.dice.below(6),
            13..=16 => self.dice.below(36),
            17..=18 => self.dice.below(300),
            _ => 144 * self.dice.below(6),
        };
        self.now = self.now + Span(TICK.0 * i64::try_from(ticks).unwrap_or(0));
    }

    fn record_time(&mut self) -> Timestamp {
        if self.wish.clock_jumps && self.dice.chance(10) {
            return self.now - Span(TICK.0 * i64::try_from(self.dice.below(1000)).unwrap_or(0));
        }
        self.now
    }

    /// The same message once more, perhaps much later; or another one under the same id.
    fn repeat(&mut self, at: Timestamp) -> Record<'static> {
        if self.past.is_empty() {
            return Record { at, command: Command::Tick };
        }
        let place = self.dice.index(self.past.len());
        Record { at, command: self.past[place].command.clone() }
    }

    fn broadcast(&mut self, at: Timestamp) -> Record<'static> {
        let name = *self.dice.pick(&["Outage Started", "Roll Call"]);
        let region = *self.dice.pick(&["north", "none"]);
        event(
            at,
            &format!(r#"{{"specversion":"1.0","id":"b{}","source":"sim","type":"{name}","data":{{"region":"{region}"}}}}"#, self.made),
        )
    }

    fn unmerge(&mut self, at: Timestamp) -> Record<'static> {
        let merge = self.dice.below(u64::from(self.merges) + 1) as u32;
        if self.dice.chance(50) {
            return Record { at, command: Command::Unmerge { merge } };
        }
        event(at, &format!(r#"{{"specversion":"1.0","id":"x{}","source":"sim","type":"{UNMERGE}","data":{{"merge":{merge}}}}}"#, self.made))
    }

    fn receipt(&mut self, at: Timestamp) -> Record<'static> {
        let late = self.dice.index(self.sent.len().min(8)) + 1;
        let message = self.sent[self.sent.len() - late];
        let receipt = *self.dice.pick(&[Receipt::Sent, Receipt::Delivered, Receipt::Read, Receipt::Failed]);
        Record { at, command: Command::Receipt { message, receipt } }
    }

    /// A move of everybody in a journey to another version, or back; without new definitions it is of a
    /// journey that does not exist: it reaches every profile and changes none.
    fn moves(&mut self) -> Migration {
        if !self.wish.publishes {
            return Migration { number: 1, journey: 1, to: 1, steps: BTreeMap::new(), undo: false };
        }
        let (to, number, undo) = (cart_version(self.dice.below(2)), self.dice.below(3), self.dice.chance(30));
        Migration { number, journey: key_of("cart"), to, steps: BTreeMap::new(), undo }
    }

    /// A Segment call of somebody.
    fn call(&mut self, at: Timestamp) -> Record<'static> {
        let who = self.dice.index(self.people.len());
        let person = &mut self.people[who];
        if !person.born {
            person.born = true;
            self.waiting_strangers = person.strangers_before;
        }
        let number = person.number;
        let mut line = String::from("{");
        if self.dice.chance(85) {
            let _ = write!(line, r#""messageId":"m{}","#, self.made);
        }
        if self.dice.chance(20) {
            let happened = at - Span(TICK.0 * i64::try_from(self.dice.below(300)).unwrap_or(0));
            let _ = write!(line, r#""timestamp":"{happened}","#);
        }
        if self.dice.chance(3) {
            let _ = write!(line, r#""type":"track","event":"{START}","userId":"u{number}","properties":{{"journey":"follow_up"}}}}"#);
            return event(at, &line);
        }
        let (named, external, address) = self.identifiers(number);
        line.push_str(&named);
        self.what_happened(&mut line, &address);
        self.context(&mut line, number, &external, &address);
        line.push('}');
        event(at, &line)
    }

    /// Ids in the call itself, those in its context, and a contact point.
    fn identifiers(&mut self, number: u64) -> (String, String, String) {
        let dice = &mut self.dice;
        let (mut named, mut external, mut address) = (String::new(), Vec::new(), String::new());
        let user = dice.chance(40);
        if user {
            let _ = write!(named, r#""userId":"u{number}","#);
        }
        let anonymous = dice.chance(50) || !user;
        if anonymous {
            // Now and then a browser that two people use.
            let owner = if number > 3 && dice.chance(20) { number / 2 } else { number };
            let _ = write!(named, r#""anonymousId":"a{owner}-{}","#, dice.below(3));
        }
        if dice.chance(25) {
            let _ = write!(address, r#""email":"p{number}-{}@x.example""#, dice.below(2));
        } else if dice.chance(15) {
            let _ = write!(address, r#""phone":"+4915112345{number:02}{}""#, dice.below(2));
        }
        if dice.chance(8) {
            external.push(format!(r#"{{"id":"c{number}-{}","type":"crm_id"}}"#, dice.below(3)));
        }
        if dice.chance(5) {
            external.push(format!(r#"{{"id":"l{number}","type":"loyalty_card"}}"#));
        }
        (named, external.join(","), address)
    }

    fn what_happened(&mut self, line: &mut String, address: &str) {
        let dice = &mut self.dice;
        let (cart, worth, sku) = (dice.below(3), dice.below(80), dice.below(4));
        let _ = match dice.below(10) {
            0..=2 => write!(line, r#""type":"track","event":"Cart Updated","properties":{{"cart_id":"c{cart}","value":{worth}.5}}"#),
            3..=4 => write!(line, r#""type":"track","event":"Order Completed","properties":{{"cart_id":"c{cart}","revenue":{worth}}}"#),
            5..=7 => write!(line, r#""type":"track","event":"Product Viewed","properties":{{"sku":"s{sku}"}}"#),
            _ => {
                let mut traits: Vec<String> = Vec::new();
                if !address.is_empty() {
                    traits.push(address.to_owned());
                }
                if dice.chance(30) {
                    traits.push(format!(r#""tier":"{}""#, dice.pick(&["gold", "silver"])));
                }
                if dice.chance(20) {
                    traits.push(format!(r#""time_zone":"{}""#, dice.pick(&["Asia/Yerevan", "America/New_York", "Europe/Berlin"])));
                }
                if dice.chance(20) {
                    traits.push(format!(r#""preferred_channel":"{}""#, dice.pick(&["sms", "email"])));
                }
                if dice.chance(10) {
                    let renews = self.now + Span(TICK.0 * i64::try_from(dice.below(1000)).unwrap_or(0));
                    traits.push(format!(r#""renews_at":"{renews}""#));
                }
                write!(line, r#""type":"identify","traits":{{{}}}"#, traits.join(","))
            }
        };
    }

    fn context(&mut self, line: &mut String, number: u64, external: &str, address: &str) {
        let dice = &mut self.dice;
        let mut parts: Vec<String> = Vec::new();
        if !external.is_empty() {
            parts.push(format!(r#""externalIds":[{external}]"#));
        }
        if !address.is_empty() && dice.chance(50) {
            parts.push(format!(r#""traits":{{{address}}}"#));
        }
        if dice.chance(15) {
            parts.push(format!(r#""device":{{"id":"d{}"}}"#, number.div_ceil(3)));
        }
        if dice.chance(25) {
            let agrees = number != 0 && dice.chance(75);
            parts.push(format!(r#""consent":{{"categoryPreferences":{{"marketing":{agrees}}}}}"#));
        }
        if !parts.is_empty() {
            let _ = write!(line, r#","context":{{{}}}"#, parts.join(","));
        }
    }
}

fn event(at: Timestamp, line: &str) -> Record<'static> {
    let event = Event::parse(line, "DE").unwrap_or_else(|error| panic!("the simulator wrote a line that is no event: {error}: {line}"));
    let source = ["", "shop", "till"][event.identifiers.len() % 3];
    Record { at, command: Command::told(source, event.into_owned()) }
}
