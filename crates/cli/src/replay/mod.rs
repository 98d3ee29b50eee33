//! `faden replay`: the past again, with the event time as the clock, under these or other rules.

mod chunks;
mod difference;
mod intake;
mod migration;
mod runner;
mod sink;
mod summary;

pub use chunks::{Chunk, Chunks};
pub use intake::{Intake, plain};
pub use runner::Runner;
use sink::Sink;
pub use summary::Summary;

use crate::client::Server;
use crate::cpu;
use crate::progress::Progress;
use crate::table::Table;
use crate::terminal::{self, Paint, thousands};
use crate::{Ending, load};
use anyhow::{Context, bail};
use clap::Args;
use difference::Comparison;
use faden_engine::Definitions;
use faden_model::{Span, Timestamp};
use faden_runtime::Options;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Without `--until`, time runs on behind the last event by days until no passage is left, this long at most.
const DAYS_BEHIND_MAX: i64 = 366;

/// Replay events from files or from a server's log: what would have happened to every customer, exactly
///
/// Files hold one JSON object per line, Segment calls or CloudEvents, plain or gzip; `-` is standard
/// input. The clock is the events' own time. With --from the events are those of a running server, and the
/// clock is when it took them. After the last event time runs on to `--until`, or else by
/// days until nobody is in a journey any more, a year at most.
#[derive(Args)]
#[command(after_help = "Examples:
  faden replay events.ndjson --workspace my-shop --out decisions.ndjson
  faden replay events.ndjson.gz --workspace my-shop --until 2026-07-01T00:00:00Z --hash
  faden replay events.ndjson --workspace my-shop --against my-shop-new
  FADEN_KEY=fdk_... faden replay --from 2026-06-01T00:00:00Z --to 2026-07-01T00:00:00Z --workspace my-shop --hash")]
pub struct Arguments {
    /// Files of events, read in this order
    #[arg(value_name = "FILE", required_unless_present = "from", conflicts_with = "from")]
    files: Vec<String>,
    /// Replay what a running server took, from this instant on
    #[arg(long, value_name = "INSTANT", value_parser = Timestamp::parse)]
    from: Option<Timestamp>,
    /// Up to this instant; the newest event if it is left out
    #[arg(long, value_name = "INSTANT", value_parser = Timestamp::parse, requires = "from")]
    to: Option<Timestamp>,
    #[command(flatten)]
    server: Server,
    /// The directory that holds faden.yaml
    #[arg(long, value_name = "DIR")]
    workspace: PathBuf,
    /// Let time run to this instant, and leave out later events
    #[arg(long, value_name = "INSTANT", value_parser = Timestamp::parse)]
    until: Option<Timestamp>,
    /// Write every decision here, one JSON object per line; with --against the differences
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Run these definitions beside and show which messages differ
    #[arg(long, value_name = "DIR", conflicts_with_all = ["durable", "migrate", "hash"])]
    against: Option<PathBuf>,
    /// Show where running passages would land in the journeys of these definitions
    #[arg(long, value_name = "DIR")]
    migrate: Option<PathBuf>,
    /// Print a hash of all decisions, the same on every machine and for every number of partitions
    #[arg(long)]
    hash: bool,
    /// Partitions, a thread each
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    partitions: u8,
    /// Keep log and state in this directory; started again, it goes on where it was
    #[arg(long, value_name = "DIR")]
    durable: Option<PathBuf>,
    /// Write lines that are no events here, with the reason
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
    /// Exit with 1 if a line is no event
    #[arg(long)]
    strict: bool,
    /// Print the summary as one JSON object; with --against one object per difference
    #[arg(long)]
    json: bool,
    /// How many people to show that have other messages under --against
    #[arg(long, value_name = "N", default_value_t = 10)]
    persons: usize,
}

/// What a finished run is told with.
struct Report {
    summary: Summary,
    hash: Option<String>,
    events: u64,
    refused: u64,
    beyond: u64,
    profiles: u64,
    repeats: u64,
    wall_seconds: f64,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    let definitions = load::definitions(&arguments.workspace)?;
    let mut rejected = match &arguments.rejected {
        Some(path) => Some(BufWriter::new(File::create(path).with_context(|| format!("cannot write `{}`", path.display()))?)),
        None => None,
    };
    let country = definitions.country.to_string();
    let mut intake = Intake::new(&country, arguments.until, rejected.as_mut());
    match &arguments.against {
        Some(other) => compare(arguments, definitions, load::definitions(other)?, &mut intake)?,
        None => replay(arguments, definitions, &mut intake)?,
    }
    let refused = intake.counts.refused;
    complain_about_lines(&intake);
    drop(intake);
    if let Some(mut file) = rejected {
        file.flush().context("cannot write the refused lines")?;
    }
    Ok(if arguments.strict && refused > 0 { Ending::Findings } else { Ending::Well })
}

fn options(arguments: &Arguments) -> Options {
    Options { partitions: usize::from(arguments.partitions), explain: arguments.out.is_some(), ..Options::default() }
}

fn replay(arguments: &Arguments, definitions: Arc<Definitions>, intake: &mut Intake<'_>) -> anyhow::Result<()> {
    let started = Instant::now();
    let migrate = arguments.migrate.as_deref().map(load::definitions).transpose()?;
    let mut sink = Sink::new(arguments.out.as_deref(), arguments.hash)?;
    std::thread::scope(|scope| {
        let mut runner = match &arguments.durable {
            Some(directory) => {
                let fingerprint = faden_server::fingerprint(&load::files(&arguments.workspace)?);
                Runner::durable(definitions.clone(), options(arguments), directory, &fingerprint)?
            }
            // Where passages are looked at afterwards, everything stays in this thread.
            None => Runner::in_memory(definitions.clone(), options(arguments), migrate.is_none().then_some(scope)),
        };
        if let Some(store) = runner.node().and_then(|node| node.store().cloned()) {
            // What an earlier run decided, and what was decided again when the log was caught up with.
            sink.take_stored(&store)?;
            runner.decisions();
        }
        read_all(arguments, intake, &mut |records| {
            runner.take(records)?;
            take(&mut runner, &mut sink)
        })?;
        if arguments.durable.is_some() {
            run_on_stored(&mut runner, &mut sink, arguments.until, intake.clock)?;
        } else {
            run_on(&mut runner, &mut sink, arguments.until, intake.clock)?;
        }
        let (profiles, repeats) = runner.profiles_and_repeats();
        let landings = match (&migrate, runner.node()) {
            (Some(new), Some(node)) => Some(migration::landings(node, new)),
            _ => None,
        };
        runner.end();
        let (summary, hash) = sink.finish()?;
        let wall_seconds = started.elapsed().as_secs_f64();
        let counts = intake.counts;
        let hash = hash.map(|hash| hash.to_string());
        let (events, refused, beyond) = (counts.events, counts.refused, counts.beyond);
        Report { summary, hash, events, refused, beyond, profiles, repeats, wall_seconds }.print(arguments, landings.as_ref())
    })
}

fn read_all(arguments: &Arguments, intake: &mut Intake<'_>, apply: &mut intake::Apply<'_>) -> anyhow::Result<()> {
    if let Some(from) = arguments.from {
        return read_log(arguments, from, intake, apply);
    }
    let files = &arguments.files;
    // The size of what is packed or comes through a pipe says nothing about the events.
    let sizes = files.iter().map(|name| if name.ends_with(".gz") { None } else { Some(std::fs::metadata(name).ok()?.len()) });
    let mut progress = Progress::of(sizes.sum());
    let read = files.iter().try_for_each(|name| intake.read_file(name, &mut progress, apply));
    progress.finish();
    read
}

/// Events of a server's log: they come while they are replayed, and lie in no file in between.
fn read_log(arguments: &Arguments, from: Timestamp, intake: &mut Intake<'_>, apply: &mut intake::Apply<'_>) -> anyhow::Result<()> {
    let to = arguments.to.map(|to| format!("&to={to}")).unwrap_or_default();
    let client = arguments.server.connect()?;
    let (reader, mut writer) = std::io::pipe().context("cannot make a pipe")?;
    let mut progress = Progress::of(None);
    intake.clock_of_log();
    let read = std::thread::scope(|scope| {
        let sent =
            scope.spawn(move || client.stream(&format!("/api/v1/export/events?from={from}{to}"), |piece| Ok(writer.write_all(piece)?)));
        let read = intake.read("the server's log", reader, &mut progress, apply);
        let sent = sent.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        read.and(sent)
    });
    progress.finish();
    read
}

/// Lets time run on behind the last event.
///
/// # Errors
/// The node's, and when decisions cannot be written.
fn run_on(runner: &mut Runner<'_>, sink: &mut Sink, until: Option<Timestamp>, last: Option<Timestamp>) -> anyhow::Result<()> {
    runner.wait();
    sink.take(&runner.decisions())?;
    if let Some(until) = until {
        return pass(runner, sink, until);
    }
    let Some(last) = last else { return Ok(()) };
    for day in 1..=DAYS_BEHIND_MAX {
        if sink.summary.running() == 0 {
            break;
        }
        pass(runner, sink, last + Span(Span::DAY.0 * day))?;
    }
    Ok(())
}

/// Lets time pass in pieces, so that decisions do not heap up.
fn pass(runner: &mut Runner<'_>, sink: &mut Sink, until: Timestamp) -> anyhow::Result<()> {
    loop {
        let stop = runner.next_stop(until);
        runner.pass_time(stop)?;
        take(runner, sink)?;
        if stop == until {
            return Ok(());
        }
    }
}

fn take(runner: &mut Runner<'_>, sink: &mut Sink) -> anyhow::Result<()> {
    let decisions = runner.decisions();
    sink.take(&decisions)?;
    runner.recycle(decisions);
    Ok(())
}

/// The same where decisions are rows of the store: they are taken as they become that.
fn run_on_stored(runner: &mut Runner<'_>, sink: &mut Sink, until: Option<Timestamp>, last: Option<Timestamp>) -> anyhow::Result<()> {
    checkpoint(runner, sink, None)?;
    if until.is_some() {
        checkpoint(runner, sink, until)?;
    } else if let Some(last) = last {
        for day in 1..=DAYS_BEHIND_MAX {
            if sink.summary.running() == 0 {
                break;
            }
            checkpoint(runner, sink, Some(last + Span(Span::DAY.0 * day)))?;
        }
    }
    let Some(node) = runner.node() else { bail!("a durable run has one node") };
    node.settle()?;
    take(runner, sink)
}

/// Lets time pass up to `until`, if it is given, and makes rows of everything that was decided.
fn checkpoint(runner: &mut Runner<'_>, sink: &mut Sink, until: Option<Timestamp>) -> anyhow::Result<()> {
    let Some(node) = runner.node() else { bail!("a durable run has one node") };
    if let Some(until) = until {
        node.pass_time(until)?;
    }
    node.checkpoint()?;
    node.finish_commit()?;
    take(runner, sink)
}

fn compare(arguments: &Arguments, one: Arc<Definitions>, other: Arc<Definitions>, intake: &mut Intake<'_>) -> anyhow::Result<()> {
    if one.country != other.country {
        bail!(
            "the workspaces have different countries (`{}` and `{}`), under which phone numbers are read; make them equal",
            one.country,
            other.country
        );
    }
    // Reasons are not compared.
    let options = Options { explain: false, ..options(arguments) };
    let mut sides = [Sink::new(None, false)?, Sink::new(None, false)?];
    let mut comparison = Comparison::default();
    std::thread::scope(|scope| {
        let mut runners = [one, other].map(|definitions| Runner::in_memory(definitions, options.clone(), Some(scope)));
        read_all(arguments, intake, &mut |records| {
            runners[0].take(records.clone())?;
            runners[1].take(records)?;
            for side in 0..2 {
                let decisions = runners[side].decisions();
                comparison.take(side, &decisions);
                sides[side].take(&decisions)?;
            }
            Ok(())
        })?;
        run_on_both(&mut runners, &mut sides, &mut comparison, arguments.until, intake.clock)
    })?;
    let name = |path: &Path| path.display().to_string();
    let names = [name(&arguments.workspace), arguments.against.as_deref().map(name).unwrap_or_default()];
    let found = comparison.finish();
    if let Some(path) = &arguments.out {
        let mut file = BufWriter::new(File::create(path).with_context(|| format!("cannot write `{}`", path.display()))?);
        found.write_lines(&mut file).context("cannot write the differences")?;
    }
    let mut out = terminal::output();
    if arguments.json {
        found.write_lines(&mut out)?;
    } else {
        write!(out, "{}", found.tables(&names, arguments.persons, Paint::for_stdout()))?;
    }
    out.flush()?;
    Ok(())
}

/// Both sides live equally long: without `--until`, until nobody is left on either side.
fn run_on_both(
    runners: &mut [Runner<'_>; 2],
    sides: &mut [Sink; 2],
    comparison: &mut Comparison,
    until: Option<Timestamp>,
    last: Option<Timestamp>,
) -> anyhow::Result<()> {
    let mut drain = |runners: &mut [Runner<'_>; 2], sides: &mut [Sink; 2]| {
        for side in 0..2 {
            runners[side].wait();
            let decisions = runners[side].decisions();
            comparison.take(side, &decisions);
            sides[side].take(&decisions)?;
        }
        anyhow::Ok(())
    };
    drain(runners, sides)?;
    let days = if until.is_some() { 1 } else { DAYS_BEHIND_MAX };
    for day in 1..=days {
        let Some(instant) = until.or(last.map(|last| last + Span(Span::DAY.0 * day))) else { break };
        if until.is_none() && sides.iter().all(|side| side.summary.running() == 0) {
            break;
        }
        runners.iter_mut().try_for_each(|runner| runner.pass_time(instant))?;
        drain(runners, sides)?;
    }
    Ok(())
}

impl Report {
    fn print(&self, arguments: &Arguments, landings: Option<&migration::Landings>) -> anyhow::Result<()> {
        let mut text = String::new();
        let paint = Paint::for_stdout();
        if arguments.json {
            let mut json = self.summary.to_json();
            json["events"] = self.events.into();
            json["repeats"] = self.repeats.into();
            json["refused_lines"] = self.refused.into();
            json["events_after_until"] = self.beyond.into();
            json["profiles"] = self.profiles.into();
            json["seconds"] = self.wall_seconds.into();
            json["cpu_seconds"] = cpu::seconds().into();
            if let Some(hash) = &self.hash {
                json["hash"] = hash.as_str().into();
            }
            if let Some(landings) = landings {
                json["migration"] = landings.to_json();
            }
            text = format!("{json}\n");
        } else {
            text.push_str(&self.head(paint));
            text.push_str(&self.summary.tables(paint));
            if let Some(landings) = landings {
                text.push_str(&landings.tables(paint));
            }
            if let Some(hash) = &self.hash {
                text.push_str(&format!("\n  hash {hash}\n"));
            }
        }
        // Where decisions go to standard output, the summary must not stand between them.
        if arguments.out.as_deref() == Some(Path::new("-")) {
            std::io::stderr().write_all(text.as_bytes())?;
        } else {
            let mut out = terminal::output();
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
        Ok(())
    }

    fn head(&self, paint: Paint) -> String {
        let mut table = Table::new(["#events", "#repeats", "#refused", "#profiles", "#merges", "#decisions", "#seconds", "#CPU seconds"]);
        let numbers = [self.events, self.repeats, self.refused, self.profiles, self.summary.merges, self.summary.decisions];
        let [events, repeats, refused, profiles, merges, decisions] = numbers.map(thousands);
        let cpu = cpu::seconds().map_or("-".to_owned(), |seconds| format!("{seconds:.2}"));
        table.row([events, repeats, refused, profiles, merges, decisions, format!("{:.2}", self.wall_seconds), cpu]);
        let mut text = table.render(paint);
        if self.beyond > 0 {
            text.push_str(&format!("  {} events are later than --until and were left out\n", thousands(self.beyond)));
        }
        text.push('\n');
        text
    }
}

fn complain_about_lines(intake: &Intake<'_>) {
    let mut text = String::new();
    for line in &intake.refused.shown {
        text.push_str(&format!("  {line}\n"));
    }
    let more = intake.counts.refused - intake.refused.shown.len() as u64;
    if more > 0 {
        text.push_str(&format!("  and {} more; --rejected FILE writes all of them\n", thousands(more)));
    }
    if !text.is_empty() {
        // Nobody is left to be told when standard error is closed.
        let _ = write!(std::io::stderr(), "lines that are no events:\n{text}");
    }
}
