//! Replies that came in several parts, until they are whole.
//!
//! Parts may come in any order and more than once. What is still incomplete after [`PATIENCE`], or when there are
//! more than [`MAX_OPEN`] such messages, is given out as far as it came: a customer said it.

use super::parts::Place;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

pub const PATIENCE: Duration = Duration::from_secs(300);
const MAX_OPEN: usize = 1000;

/// Parts with the same key belong together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    from: String,
    to: String,
    reference: u16,
    total: u8,
}

#[derive(Debug)]
struct Open {
    since: Instant,
    texts: BTreeMap<u8, String>,
    /// Sequence numbers of this session whose answer waits for the whole.
    unanswered: Vec<u32>,
}

/// A message that is as whole as it will be.
#[derive(Debug, PartialEq, Eq)]
pub struct Whole {
    pub from: String,
    pub to: String,
    pub text: String,
    pub answers: Vec<u32>,
}

/// One part as it came.
#[derive(Clone, Debug)]
pub struct Part {
    pub from: String,
    pub to: String,
    pub place: Place,
    pub text: String,
    pub sequence: u32,
}

#[derive(Debug, Default)]
pub struct Assembly {
    open: BTreeMap<Key, Open>,
}

impl Assembly {
    /// Takes one part; gives the message if this one made it whole.
    pub fn add(&mut self, part: Part, now: Instant) -> Option<Whole> {
        let key = Key { from: part.from, to: part.to, reference: part.place.reference, total: part.place.total };
        let open = self.open.entry(key.clone()).or_insert_with(|| Open { since: now, texts: BTreeMap::new(), unanswered: Vec::new() });
        open.texts.insert(part.place.number, part.text);
        open.unanswered.push(part.sequence);
        let whole = open.texts.len() == usize::from(part.place.total);
        whole.then(|| self.close(&key)).flatten()
    }

    /// Messages that have waited long enough.
    pub fn overdue(&mut self, now: Instant) -> Vec<Whole> {
        let mut late: Vec<(Instant, Key)> =
            self.open.iter().filter(|(_, open)| now >= open.since + PATIENCE).map(|(key, open)| (open.since, key.clone())).collect();
        if self.open.len() - late.len() > MAX_OPEN {
            let oldest = self.open.iter().map(|(key, open)| (open.since, key.clone())).min();
            late.extend(oldest.filter(|oldest| !late.contains(oldest)));
        }
        late.iter().filter_map(|(_, key)| self.close(key)).collect()
    }

    /// Answers that have waited for the whole as long as a provider can be let wait: a provider that sends the next
    /// part only after its answer would otherwise wait for ever.
    pub fn answers_due(&mut self, now: Instant, limit: Duration) -> Vec<u32> {
        let due = self.open.values_mut().filter(|open| now >= open.since + limit);
        due.flat_map(|open| std::mem::take(&mut open.unanswered)).collect()
    }

    /// The connection ended: what was not answered will come again.
    pub fn forget_answers(&mut self) {
        self.open.values_mut().for_each(|open| open.unanswered.clear());
    }

    fn close(&mut self, key: &Key) -> Option<Whole> {
        let open = self.open.remove(key)?;
        let text = open.texts.into_values().collect();
        Some(Whole { from: key.from.clone(), to: key.to.clone(), text, answers: open.unanswered })
    }
}
