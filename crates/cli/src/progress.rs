//! How far long work is: a bar on a terminal, a plain line every few seconds otherwise.

use crate::terminal::thousands;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Time between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Progress of work whose whole may be unknown.
pub struct Progress {
    bar: Option<ProgressBar>,
    total: Option<u64>,
    done: u64,
    said: Instant,
}

impl Progress {
    /// `total` in bytes or rows, if it is known.
    pub fn of(total: Option<u64>) -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| match total {
            Some(total) => ProgressBar::new(total).with_style(style("{bar:40.dim} {percent:>3} %  {msg}  {eta}")),
            None => ProgressBar::no_length().with_style(style("{spinner} {bytes}  {msg}")),
        });
        Progress { bar, total, done: 0, said: Instant::now() }
    }

    /// So many bytes or rows more; `events` so far.
    pub fn advance(&mut self, more: u64, events: u64) {
        self.done += more;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
            bar.set_message(format!("{} events", thousands(events)));
        } else if self.said.elapsed() >= PLAIN_EVERY {
            self.said = Instant::now();
            let share = self.total.filter(|total| *total > 0).map(|total| format!("{} %, ", self.done.min(total) * 100 / total));
            let _ = writeln!(std::io::stderr(), "{}{} events", share.unwrap_or_default(), thousands(events));
        }
    }

    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
