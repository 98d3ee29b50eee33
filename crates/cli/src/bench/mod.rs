//! `faden bench`: how fast the engine, and a server around it, are on this machine, beside what it can do at most.
//!
//! Every figure is measured in this run, on the cart job, and every run's outcome is checked: the
//! reminders that went out are the ones that were due, or the benchmark fails.

mod cart;
mod live;
mod machine;

pub use cart::mix;

use crate::Ending;
use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use faden_engine::decision::{Decision, Kind, MessageOutcome};
use faden_engine::front::{Front, NoPast};
use faden_engine::identity::Identity;
use faden_model::event::Habits;
use faden_model::{Command, Event, Record, Span, Timestamp};
use faden_runtime::{Node, Options, SharedStore};
use faden_storage::{FileDisk, FjallStore, Log, LogOptions, StoreOptions};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Measure this machine.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The engine without a server: parse, identity, journeys, log and store
    #[command(
        after_help = "Examples:\n  faden bench engine\n  faden bench engine --customers 500000 --waiting 1000000\n  faden bench engine --cold 10000000 --directory /mnt/disk/bench"
    )]
    Engine(EngineArguments),
    /// A server of its own under load over HTTP: events a second, latencies, beside the floor
    #[command(after_help = "Examples:\n  faden bench live\n  faden bench live --events 10000000 --directory /mnt/disk/bench")]
    Live(live::Arguments),
}

#[derive(Args)]
struct EngineArguments {
    /// Customers of the cart job, about 5.6 events each
    #[arg(long, default_value_t = 200_000)]
    customers: u64,
    /// Measure this many customers who wait in a journey at the same time (1000000 takes 1.5 GB); 0 leaves it out
    #[arg(long, default_value_t = 0)]
    waiting: u64,
    /// Measure events for random ones of this many customers on disk with 512 MB of cache; 0 leaves it out
    #[arg(long, default_value_t = 0)]
    cold: u64,
    /// Where log and store are written; removed afterwards
    #[arg(long, default_value = "faden-bench")]
    directory: std::path::PathBuf,
    /// Print figures as JSON
    #[arg(long)]
    json: bool,
}

/// Records per batch where durability is asked for: a few milliseconds of a busy day.
const BATCH: usize = 2_048;
/// Memory for profiles and the store's blocks together, where profiles are on disk.
const CACHE_BYTES: u64 = 512 << 20;

pub fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    let (directory, json) = match &arguments.what {
        What::Engine(arguments) => (&arguments.directory, arguments.json),
        What::Live(arguments) => (&arguments.directory, arguments.json),
    };
    ensure!(!directory.exists(), "`{}` exists already; name a directory that may be made and removed", directory.display());
    std::fs::create_dir_all(directory).with_context(|| format!("cannot make `{}`", directory.display()))?;
    let measured = match &arguments.what {
        What::Engine(arguments) => measure(arguments),
        What::Live(arguments) => {
            let mut report = Report { figures: Vec::new(), quiet: json };
            live::measure(arguments, &mut report).map(|()| report.figures)
        }
    };
    std::fs::remove_dir_all(directory).with_context(|| format!("cannot remove `{}`", directory.display()))?;
    let figures = measured?;
    if json {
        let rows: Vec<String> = figures.iter().map(Figure::json).collect();
        println!("[{}]", rows.join(",\n "));
    }
    Ok(Ending::Well)
}

/// One measured row.
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
}

impl Figure {
    fn json(&self) -> String {
        format!("{{\"name\":\"{}\",\"value\":{:.3},\"unit\":\"{}\"}}", self.name, self.value, self.unit)
    }
}

/// Collects figures and prints each as soon as it is known.
struct Report {
    figures: Vec<Figure>,
    quiet: bool,
}

impl Report {
    fn say(&mut self, name: &'static str, value: f64, unit: &'static str) {
        if !self.quiet {
            let shown = if value >= 1000.0 { group(value) } else { format!("{value:.2}") };
            println!("  {name:<58} {shown:>14} {unit}");
        }
        self.figures.push(Figure { name, value, unit });
    }

    fn head(&self, text: &str) {
        if !self.quiet {
            println!("\n{text}");
        }
    }

    /// Events a second and nanoseconds an event.
    fn rate(&mut self, rate: &'static str, each: &'static str, events: u64, taken: Duration) {
        self.say(rate, events as f64 / taken.as_secs_f64(), "events/s");
        self.say(each, taken.as_nanos() as f64 / events as f64, "ns/event");
    }
}

/// `1234567.8` as `1,234,568`.
fn group(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn measure(arguments: &EngineArguments) -> anyhow::Result<Vec<Figure>> {
    let mut report = Report { figures: Vec::new(), quiet: arguments.json };
    let text = cart::lines(arguments.customers);
    let due = cart::reminders_due(arguments.customers);
    stages(&mut report, &text, arguments.customers, due)?;
    durable(&mut report, &text, &arguments.directory.join("durable"), due)?;
    if arguments.waiting > 0 {
        waiting(&mut report, arguments.waiting)?;
    }
    if arguments.cold > 0 {
        cold(&mut report, arguments.cold, &arguments.directory.join("cold"))?;
    }
    Ok(report.figures)
}

/// Each stage by itself, on one core, in memory.
fn stages(report: &mut Report, text: &str, customers: u64, due: u64) -> anyhow::Result<()> {
    let (scanned, events) = machine::scan(text.as_bytes());
    report.head(&format!("one core, in memory: {customers} customers, {events} events, {} bytes each", text.len() as u64 / events));
    report.say("limit: finding the line ends", scanned.as_nanos() as f64 / events as f64, "ns/event");
    let mut habits = Habits::default();
    let begun = Instant::now();
    for line in text.lines() {
        std::hint::black_box(Event::parse_next(line, "DE", &mut habits).context("the benchmark's own line")?);
    }
    report.rate("parse", "parse, each", events, begun.elapsed());
    let definitions = cart::definitions();
    let records = records(text)?;
    let mut front = Front::new(Identity::new([0; 16]), false);
    let mut deliveries = Vec::new();
    let begun = Instant::now();
    for records in records.chunks(512) {
        let ahead = front.look_ahead(records.iter().map(|record| &record.command));
        for (place, record) in records.iter().enumerate() {
            front.route(&definitions.identity, record.at, &record.command, ahead.of(place), &mut NoPast, &mut deliveries);
        }
        deliveries.clear();
    }
    report.rate("identity and repeats", "identity and repeats, each", events, begun.elapsed());
    drop(front);
    let end = last(&records) + Span::HOUR;
    let mut node = Node::in_memory(definitions, Options::default());
    let mut sent = 0;
    let mut line = String::new();
    let mut written = Duration::ZERO;
    let begun = Instant::now();
    let mut rest = records.into_iter();
    while rest.len() > 0 {
        node.apply(&rest.by_ref().take(BATCH).collect::<Vec<_>>())?;
        sent += count_sent(&node.take_decisions());
    }
    node.pass_time(end)?;
    let decisions = node.take_decisions();
    let taken = begun.elapsed();
    sent += count_sent(&decisions);
    let begun = Instant::now();
    for decision in &decisions {
        line.clear();
        decision.write_json(&mut line, true);
    }
    written += begun.elapsed();
    ensure!(sent == due, "{sent} reminders went out, {due} were due");
    report.rate("engine, from parsed events", "engine, each", events, taken);
    report.say("writing a decision as JSON", written.as_nanos() as f64 / decisions.len().max(1) as f64, "ns/decision");
    Ok(())
}

fn records(text: &str) -> anyhow::Result<Vec<Record<'_>>> {
    let (mut clock, mut habits) = (Timestamp::MIN, Habits::default());
    text.lines()
        .map(|line| {
            let event = Event::parse_next(line, "DE", &mut habits)?;
            clock = clock.max(event.timestamp.unwrap_or(clock));
            Ok(Record { at: clock, command: Command::Event(event) })
        })
        .collect()
}

fn last(records: &[Record<'_>]) -> Timestamp {
    records.last().map_or(Timestamp::MIN, |record| record.at)
}

fn count_sent(decisions: &[Decision]) -> u64 {
    decisions.iter().filter(|decision| matches!(&decision.kind, Kind::Message(message) if message.outcome == MessageOutcome::Sent)).count()
        as u64
}

fn open(directory: &Path, options: Options, cache_bytes: u64) -> anyhow::Result<Node> {
    let log = Log::open(Arc::new(FileDisk), LogOptions::new(directory.join("log")))?;
    let store = FjallStore::open(&StoreOptions { directory: directory.join("store"), cache_bytes })?;
    Ok(Node::open(cart::definitions(), options, log, SharedStore::new(Box::new(store)))?)
}

/// Through the log, flushed per batch, and the store.
fn durable(report: &mut Report, text: &str, directory: &Path, due: u64) -> anyhow::Result<()> {
    let records = records(text)?;
    let events = records.len() as u64;
    std::fs::create_dir_all(directory)?;
    report.head(&format!("durable, two cores: every batch of {BATCH} is flushed before it counts"));
    let mut encoded = Vec::new();
    for record in &records {
        record.encode(&mut encoded);
    }
    let piece = encoded.len() / (records.len() / BATCH).max(1);
    let limit = machine::append_and_flush(directory, &encoded, piece)?;
    report.rate("limit: this disk appends and flushes the same bytes", "limit, each", events, limit);
    drop(encoded);
    let options = Options { checkpoint_every: 200_000, overlap: true, commit_beside: true, ..Options::default() };
    let mut node = open(directory, options, 64 << 20)?;
    let cpu = machine::cpu_time();
    let mut slowest = Duration::ZERO;
    let begun = Instant::now();
    let end = last(&records) + Span::HOUR;
    let mut rest = records.into_iter();
    while rest.len() > 0 {
        let batch = Instant::now();
        node.take(&rest.by_ref().take(BATCH).collect::<Vec<_>>())?;
        slowest = slowest.max(batch.elapsed());
    }
    let taken = begun.elapsed();
    report.rate("log, engine and store", "log, engine and store, each", events, taken);
    report.say("CPU", (machine::cpu_time() - cpu).as_nanos() as f64 / events as f64, "ns/event");
    report.say("slowest batch", slowest.as_secs_f64() * 1000.0, "ms");
    node.pass_time(end)?;
    node.settle()?;
    let mut sent = 0;
    node.store().context("the node has a store")?.each(faden_storage::Table::Outbox, |_, _| sent += 1);
    ensure!(sent == due, "{sent} reminders in the outbox, {due} were due");
    report.say("log on disk", machine::disk_bytes(&directory.join("log")) as f64 / events as f64, "bytes/event (in 64 MiB files)");
    report.say("store on disk", machine::disk_bytes(&directory.join("store")) as f64 / events as f64, "bytes/event");
    Ok(())
}

/// Many customers who wait in a journey, and many timers of one instant.
fn waiting(report: &mut Report, customers: u64) -> anyhow::Result<()> {
    report.head(&format!("waiting: {customers} customers with an open enrollment and a timer"));
    let before = machine::resident_bytes();
    let mut node = Node::in_memory(cart::definitions(), Options::default());
    let start = Timestamp(1_772_359_200_000);
    for first in (0..customers).step_by(BATCH) {
        let lines: Vec<String> = (first..(first + BATCH as u64).min(customers)).map(|customer| wait_line(customer, start)).collect();
        let records: Vec<Record<'_>> = lines
            .iter()
            .map(|line| Ok(Record { at: start, command: Command::Event(Event::parse(line, "DE")?) }))
            .collect::<anyhow::Result<_>>()?;
        node.apply(&records)?;
        node.take_decisions();
    }
    let resident = machine::resident_bytes().saturating_sub(before);
    report.say("memory", resident as f64 / 1e6, "MB");
    report.say("memory, each", resident as f64 / customers as f64, "bytes");
    // All entered at one instant, so all are due at one instant.
    let begun = Instant::now();
    node.pass_time(start + Span::HOUR)?;
    let taken = begun.elapsed();
    let fired = count_sent(&node.take_decisions());
    ensure!(fired == customers, "{fired} messages after {customers} timers");
    report.say("timers of one instant fire", fired as f64 / taken.as_secs_f64(), "timers/s");
    report.say("100,000 of them take", taken.as_secs_f64() * 100_000.0 / fired as f64, "s");
    Ok(())
}

fn wait_line(customer: u64, at: Timestamp) -> String {
    format!(
        r#"{{"type":"track","messageId":"w{customer}","userId":"u{customer}","timestamp":"{at}","event":"Cart Updated","properties":{{"value":20}},"context":{{"traits":{{"email":"u{customer}@example.com"}},"consent":{{"categoryPreferences":{{"marketing":true}}}}}}}}"#
    )
}

/// Many customers on disk, few in memory, events for random ones.
fn cold(report: &mut Report, customers: u64, directory: &Path) -> anyhow::Result<()> {
    report.head(&format!("cold: {customers} customers on disk, {} MB of cache, events for random ones", CACHE_BYTES >> 20));
    std::fs::create_dir_all(directory)?;
    // A warm profile of this job takes about 1 KB: half of the cache for profiles, half for the store's blocks.
    let warm_max = (CACHE_BYTES / 2 / 1024) as usize;
    let options = Options { checkpoint_every: 100_000, warm_max, overlap: true, commit_beside: true, ..Options::default() };
    let mut node = open(directory, options, CACHE_BYTES / 2)?;
    let start = Timestamp(1_772_359_200_000);
    let begun = Instant::now();
    let send = |node: &mut Node, numbers: &[u64], name: &str, round: u64, at: Timestamp| -> anyhow::Result<()> {
        let lines: Vec<String> = numbers.iter().map(|customer| cold_line(*customer, name, round, at)).collect();
        let records: Vec<Record<'_>> = lines
            .iter()
            .map(|line| Ok(Record { at, command: Command::Event(Event::parse(line, "DE")?) }))
            .collect::<anyhow::Result<_>>()?;
        Ok(node.take(&records)?)
    };
    for first in (0..customers).step_by(BATCH) {
        let numbers: Vec<u64> = (first..(first + BATCH as u64).min(customers)).collect();
        send(&mut node, &numbers, "Product Viewed", 0, start)?;
    }
    node.settle()?;
    report.rate("load", "load, each", customers, begun.elapsed());
    report.say("store on disk", machine::disk_bytes(&directory.join("store")) as f64 / customers as f64, "bytes/customer");
    let events = customers.min(1_000_000);
    let cpu = machine::cpu_time();
    let begun = Instant::now();
    for first in (0..events).step_by(BATCH) {
        let numbers: Vec<u64> =
            (first..(first + BATCH as u64).min(events)).map(|event| cart::mix(event ^ 0x00c0_1d00) % customers).collect();
        send(&mut node, &numbers, "Cart Updated", 1 + first, start + Span::MINUTE)?;
    }
    let taken = begun.elapsed();
    report.rate("events for random customers", "events for random customers, each", events, taken);
    report.say("CPU", (machine::cpu_time() - cpu).as_nanos() as f64 / events as f64, "ns/event");
    report.say("memory", machine::resident_bytes() as f64 / 1e6, "MB resident in all");
    Ok(())
}

fn cold_line(customer: u64, name: &str, round: u64, at: Timestamp) -> String {
    format!(
        r#"{{"type":"track","messageId":"c{customer}-{round}","userId":"u{customer}","timestamp":"{at}","event":"{name}","properties":{{"sku":"p1","price":19.9,"value":25}},"context":{{"library":{{"name":"bench","version":"1"}}}}}}"#
    )
}
