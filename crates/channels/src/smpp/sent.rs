//! Which parts of which message the provider has taken, so that a message of several parts is reported once.
//!
//! Kept in memory, for the last [`MAX_PARTS_KEPT`] parts. For what is no longer known (after a restart), the receipt
//! of the first part speaks for the message, because its id is the one that was given to the caller.

use faden_model::Receipt;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const MAX_PARTS_KEPT: usize = 100_000;

/// One message on its way, shared by whoever sends its parts and whoever hears of them.
#[derive(Clone, Debug)]
pub struct OnTheWay(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    parts: usize,
    /// The id under which the caller knows the message: the first part's.
    first: Option<String>,
    delivered: BTreeSet<String>,
    told: bool,
}

impl OnTheWay {
    pub fn new(parts: usize) -> OnTheWay {
        OnTheWay(Arc::new(Mutex::new(State { parts, first: None, delivered: BTreeSet::new(), told: false })))
    }

    /// Nothing is told of it any more: its sender was told already that it failed.
    pub fn silence(&self) {
        self.state().told = true;
    }

    /// What was to be told could not be taken; it is told when it comes again.
    pub fn not_told(&self) {
        self.state().told = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, id: String, receipt: Receipt) -> Option<String> {
        let mut state = self.state();
        if receipt == Receipt::Delivered {
            state.delivered.insert(id);
        }
        let tell = !state.told && (receipt == Receipt::Failed || state.delivered.len() == state.parts);
        state.told |= tell;
        if tell { state.first.clone() } else { None }
    }
}

#[derive(Debug, Default)]
pub struct Sent {
    /// By the id in its simplest form.
    parts: HashMap<String, OnTheWay>,
    order: VecDeque<String>,
}

/// What a part's fate means for its message.
#[derive(Debug)]
pub enum Fate {
    /// Nothing yet, or it was told before.
    Quiet,
    /// This is to be told under this id.
    Tell { id: String, message: Option<OnTheWay> },
}

impl Sent {
    /// The provider took a part under this id.
    pub fn remember(&mut self, id: &str, message: &OnTheWay) {
        message.state().first.get_or_insert_with(|| id.to_owned());
        let key = simple(id);
        if self.parts.insert(key.clone(), message.clone()).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > MAX_PARTS_KEPT {
            if let Some(oldest) = self.order.pop_front() {
                self.parts.remove(&oldest);
            }
        }
    }

    pub fn fate(&self, id: &str, receipt: Receipt) -> Fate {
        let Some((part, message)) = forms(id).into_iter().find_map(|form| self.parts.get_key_value(&form)) else {
            return Fate::Tell { id: id.to_owned(), message: None };
        };
        match message.tell(part.clone(), receipt) {
            Some(id) => Fate::Tell { id, message: Some(message.clone()) },
            None => Fate::Quiet,
        }
    }
}

/// Without the differences that providers make between an answer and a receipt.
fn simple(id: &str) -> String {
    let trimmed = id.trim().trim_start_matches('0');
    if trimmed.is_empty() { "0".to_owned() } else { trimmed.to_ascii_lowercase() }
}

/// The id itself; read as a decimal number and written as hex; the other way round.
fn forms(id: &str) -> Vec<String> {
    let simple = simple(id);
    let hex = simple.parse::<u64>().ok().map(|number| format!("{number:x}"));
    let decimal = u64::from_str_radix(&simple, 16).ok().map(|number| number.to_string());
    [Some(simple), hex, decimal].into_iter().flatten().collect()
}
