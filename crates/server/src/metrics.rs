//! What Prometheus reads: how long calls take, and the text of `/metrics`.
//!
//! Names follow Prometheus' rules: base units, `_total` for what only rises, `_bucket` with `le` for times. Labels are
//! names of accounts and parts of the server, never anything of a customer.

use crate::channels::AccountState;
use crate::state::App;
use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper ends of the buckets, in seconds and in microseconds.
const ENDS: [(&str, u64); 10] = [
    ("0.001", 1_000),
    ("0.0025", 2_500),
    ("0.005", 5_000),
    ("0.01", 10_000),
    ("0.025", 25_000),
    ("0.05", 50_000),
    ("0.1", 100_000),
    ("0.25", 250_000),
    ("1", 1_000_000),
    ("5", 5_000_000),
];

/// Parts of the server whose calls are timed apart: what a route begins with, and its name.
const PARTS: [(&str, &str); 5] =
    [("/v1/", "intake"), ("/api/v1/decide", "decide"), ("/api/", "api"), ("/in/", "providers"), ("/", "pages")];

/// How long the calls of one part took.
#[derive(Default)]
struct Times {
    /// The last one is for what took longer than all ends.
    buckets: [AtomicU64; ENDS.len() + 1],
    micros: AtomicU64,
}

/// How long calls took, from the whole request's head to the answer's: of intake, to the events on disk.
#[derive(Default)]
pub struct Timings([Times; PARTS.len()]);

impl Timings {
    /// `route` is as the router writes it.
    pub fn took(&self, route: &str, time: Duration) {
        let Some(part) = PARTS.iter().position(|(begin, _)| route.starts_with(begin)) else { return };
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let times = &self.0[part];
        let bucket = ENDS.iter().position(|(_, end)| micros <= *end).unwrap_or(ENDS.len());
        times.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        times.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn write(&self, text: &mut String) {
        let name = "faden_http_request_duration_seconds";
        head(text, name, "histogram", "Time from a call's head to its answer; of intake, to the events on disk.");
        for ((_, part), times) in PARTS.iter().zip(&self.0) {
            let mut count = 0;
            for (bucket, end) in times.buckets.iter().zip(ENDS.iter().map(|(end, _)| *end).chain(["+Inf"])) {
                count += bucket.load(Ordering::Relaxed);
                line(text, &format!("{name}_bucket"), &[("part", part), ("le", end)], count);
            }
            line(text, &format!("{name}_sum"), &[("part", part)], times.micros.load(Ordering::Relaxed) as f64 / 1e6);
            line(text, &format!("{name}_count"), &[("part", part)], count);
        }
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

/// Names of accounts have no character that a label would have to escape.
fn line(text: &mut String, name: &str, labels: &[(&str, &str)], value: impl Display) {
    let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(text, "{name}{labels} {value}");
}

fn one(text: &mut String, name: &str, kind: &str, help: &str, value: impl Display) {
    head(text, name, kind, help);
    line(text, name, &[], value);
}

/// Everything, in the text exposition format 0.0.4. What only the node knows is left out while it is opened again.
pub async fn text(app: &App) -> String {
    let (live, mut text) = (&app.live, String::new());
    let counters = [
        ("faden_events_total", "Events that were taken.", &live.events),
        ("faden_events_refused_total", "Events that were refused.", &live.refused),
        ("faden_calls_turned_away_total", "Calls answered with 429.", &live.turned_away),
        ("faden_messages_sent_total", "Messages that a provider took.", &live.sent),
        ("faden_messages_failed_total", "Messages that a provider refused.", &live.failed),
    ];
    for (name, help, counter) in counters {
        one(&mut text, name, "counter", help, counter.load(Ordering::Relaxed));
    }
    let health = app.keeper.health();
    one(&mut text, "faden_ready", "gauge", "Whether events are taken.", u8::from(health.ready));
    let behind = health.clock_behind_ms as f64 / 1e3;
    one(&mut text, "faden_clock_behind_seconds", "gauge", "How far the system's clock is behind the log.", behind);
    one(&mut text, "faden_dead_letters", "gauge", "Refused events that are kept.", app.dead_letters.counts().0);
    let look = app.keeper.look(|node| {
        let position = node.position().0;
        node.views().map(|views| (position, views.counts.decisions, views.messages.open))
    });
    if let Ok(Some((records, decisions, open))) = look.await {
        one(&mut text, "faden_log_records", "gauge", "Records in the log.", records);
        one(&mut text, "faden_decisions_total", "counter", "Decisions since the data directory was made.", decisions);
        one(&mut text, "faden_messages_open", "gauge", "Messages that must go out and have not.", open);
    }
    let accounts = app.channels.health();
    type Of = fn(&crate::channels::AccountHealth) -> u64;
    let of_accounts: [(&str, &str, &str, Of); 5] = [
        ("faden_channel_up", "gauge", "Whether the account's provider can be used.", |of| u64::from(of.state == AccountState::Up)),
        ("faden_channel_queued", "gauge", "Messages waiting for an account.", |of| of.queued),
        ("faden_channel_in_flight", "gauge", "Messages on their way to the provider.", |of| of.in_flight),
        ("faden_channel_sent_total", "counter", "Messages that the account's provider took.", |of| of.sent_total),
        ("faden_channel_failed_total", "counter", "Messages that failed with the account.", |of| of.failed_total),
    ];
    for (name, kind, help, of) in of_accounts {
        head(&mut text, name, kind, help);
        accounts.iter().for_each(|account| line(&mut text, name, &[("account", &account.name), ("kind", &account.kind)], of(account)));
    }
    app.timings.write(&mut text);
    text
}
