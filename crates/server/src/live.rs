//! What happens right now: counters for metrics and the console, and the stream of news.

use crate::sources::{Brought, Sources};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::broadcast;

/// Seconds of rates that are kept.
pub const SECONDS_KEPT: usize = 120;
/// News that a slow reader may be behind before he misses some.
const NEWS_KEPT: usize = 1024;

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

/// Counters of one process.
pub struct Live {
    pub events: AtomicU64,
    pub refused: AtomicU64,
    pub turned_away: AtomicU64,
    pub sent: AtomicU64,
    pub failed: AtomicU64,
    seconds: Mutex<VecDeque<Second>>,
    pub sources: Sources,
    news: broadcast::Sender<News>,
}

impl Default for Live {
    fn default() -> Live {
        let zero = || AtomicU64::new(0);
        Live {
            events: zero(),
            refused: zero(),
            turned_away: zero(),
            sent: zero(),
            failed: zero(),
            seconds: Mutex::new(VecDeque::new()),
            sources: Sources::default(),
            news: broadcast::channel(NEWS_KEPT).0,
        }
    }
}

impl Live {
    /// Counts what one call brought.
    pub fn took(&self, source: &str, brought: &Brought<'_>, now_ms: i64) {
        self.sources.took(source, brought, now_ms);
        self.events.fetch_add(brought.names.len() as u64, Ordering::Relaxed);
        self.refused.fetch_add(brought.refused, Ordering::Relaxed);
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
