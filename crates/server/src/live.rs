//! What happens right now: counters for metrics and the console, and the stream of news.

use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::broadcast;

/// Seconds of rates that are kept.
pub const SECONDS_KEPT: usize = 120;
/// News that a slow reader may be behind before he misses some.
const NEWS_KEPT: usize = 256;
/// Names of events that are followed for each source.
const NAMES_MAX: usize = 500;
/// Minutes of volume that are kept for each source.
const MINUTES_KEPT: usize = 60;

/// One piece of news, as the stream sends it.
#[derive(Clone, Debug)]
pub struct News {
    pub event: &'static str,
    /// JSON.
    pub data: String,
}

/// Rates of one second.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Second {
    pub at: i64,
    pub events: u64,
    pub decisions: u64,
}

/// What came from one source.
#[derive(Clone, Debug, Default)]
pub struct SourceCounts {
    pub events: u64,
    pub refused: u64,
    pub last_at: i64,
    /// Minute since 1970 to events.
    pub minutes: BTreeMap<i64, u64>,
    /// Event name to count and last time.
    pub names: BTreeMap<String, (u64, i64)>,
}

/// Counters of one process.
pub struct Live {
    pub events: AtomicU64,
    pub refused: AtomicU64,
    pub calls: AtomicU64,
    pub turned_away: AtomicU64,
    pub sent: AtomicU64,
    pub failed: AtomicU64,
    seconds: Mutex<VecDeque<Second>>,
    sources: Mutex<BTreeMap<String, SourceCounts>>,
    news: broadcast::Sender<News>,
}

impl Default for Live {
    fn default() -> Live {
        let zero = || AtomicU64::new(0);
        Live {
            events: zero(),
            refused: zero(),
            calls: zero(),
            turned_away: zero(),
            sent: zero(),
            failed: zero(),
            seconds: Mutex::new(VecDeque::new()),
            sources: Mutex::new(BTreeMap::new()),
            news: broadcast::channel(NEWS_KEPT).0,
        }
    }
}

impl Live {
    /// Counts what one call brought: names of taken events, and refused ones.
    pub fn took<'n>(&self, source: &str, names: impl Iterator<Item = &'n str>, refused: u64, now_ms: i64) {
        let mut sources = self.sources.lock().expect("no holder of this lock panics");
        if !sources.contains_key(source) {
            sources.insert(source.to_owned(), SourceCounts::default());
        }
        let Some(counts) = sources.get_mut(source) else { return };
        let mut taken = 0;
        for name in names {
            taken += 1;
            if let Some((count, last)) = counts.names.get_mut(name) {
                (*count, *last) = (*count + 1, now_ms);
            } else if counts.names.len() < NAMES_MAX {
                counts.names.insert(name.to_owned(), (1, now_ms));
            }
        }
        counts.events += taken;
        counts.refused += refused;
        counts.last_at = now_ms;
        *counts.minutes.entry(now_ms / 60_000).or_default() += taken;
        while counts.minutes.len() > MINUTES_KEPT {
            counts.minutes.pop_first();
        }
        self.events.fetch_add(taken, Ordering::Relaxed);
        self.refused.fetch_add(refused, Ordering::Relaxed);
    }

    pub fn sources(&self) -> BTreeMap<String, SourceCounts> {
        self.sources.lock().expect("no holder of this lock panics").clone()
    }

    pub fn second(&self, second: Second) {
        let mut seconds = self.seconds.lock().expect("no holder of this lock panics");
        seconds.push_back(second);
        while seconds.len() > SECONDS_KEPT {
            seconds.pop_front();
        }
    }

    pub fn seconds(&self) -> Vec<Second> {
        self.seconds.lock().expect("no holder of this lock panics").iter().copied().collect()
    }

    /// Tells everybody who listens.
    pub fn tell(&self, event: &'static str, data: String) {
        // Nobody may be listening.
        let _ = self.news.send(News { event, data });
    }

    pub fn listen(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    pub fn listeners(&self) -> usize {
        self.news.receiver_count()
    }
}
