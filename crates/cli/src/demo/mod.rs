//! `faden demo`: a generated half year of a shop's customers, replayed and shown in the terminal.

mod shop;
mod workspace;

use crate::replay::{Intake, Runner, Summary};
use crate::sparkline::{bar, sparkline};
use crate::table::Table;
use crate::terminal::{self, Paint, thousands};
use crate::{Ending, explain, progress::Progress};
use anyhow::Context;
use clap::Args;
use faden_engine::decision::{Decision, Kind, MessageOutcome};
use faden_engine::workspace as definitions;
use faden_runtime::Options;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Half a year of one shop; another seed, other customers.
const SEED: u64 = 7;
/// Widest bar, in characters.
const BAR: usize = 28;

/// Replay a generated half year of a shop's customers and show what came out
///
/// Nothing is sent and nothing is kept. The customers are the same on every machine.
#[derive(Args)]
#[command(after_help = "Examples:
  faden demo
  faden demo --events events.ndjson --workspace my-shop
  faden replay events.ndjson --workspace my-shop --out decisions.ndjson")]
pub struct Arguments {
    /// Write the generated events here instead
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Write the definitions into this new directory instead
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
}

/// A finished half year.
struct HalfYear {
    summary: Summary,
    events: u64,
    profiles: u64,
    seconds: f64,
    /// An interesting message and the lines around it.
    example: Option<String>,
    lines: String,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    if arguments.events.is_some() || arguments.workspace.is_some() {
        return write_down(arguments);
    }
    let lived = live(&shop::events(SEED))?;
    let mut out = terminal::output();
    if arguments.json {
        writeln!(out, "{}", lived.summary.to_json())?;
    } else {
        write!(out, "{}", lived.text(Paint::for_stdout())?)?;
    }
    out.flush()?;
    Ok(Ending::Well)
}

fn write_down(arguments: &Arguments) -> anyhow::Result<Ending> {
    if let Some(path) = &arguments.events {
        std::fs::write(path, shop::events(SEED)).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if let Some(directory) = &arguments.workspace {
        if directory.exists() {
            anyhow::bail!("`{}` exists already; name a new directory", directory.display());
        }
        for (path, text) in workspace::files().0 {
            let path = directory.join(path);
            let folder = path.parent().unwrap_or(directory);
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
            std::fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        }
    }
    Ok(Ending::Well)
}

fn live(events: &str) -> anyhow::Result<HalfYear> {
    let definitions = definitions::read(&workspace::files()).definitions.context("the demo's own workspace has errors")?;
    let started = Instant::now();
    let country = definitions.country.to_string();
    let mut intake = Intake::new(&country, None, None);
    let mut runner = Runner::in_memory(Arc::new(definitions), Options { explain: true, ..Options::default() }, None);
    let mut lived = HalfYear { summary: Summary::default(), events: 0, profiles: 0, seconds: 0.0, example: None, lines: String::new() };
    intake.read("demo", events.as_bytes(), &mut Progress::none(), &mut |records| {
        runner.take(records)?;
        lived.take(&runner.decisions());
        Ok(())
    })?;
    runner.pass_time(shop::LAST)?;
    lived.take(&runner.decisions());
    (lived.events, lived.profiles) = (intake.counts.events, runner.profiles_and_repeats().0);
    lived.seconds = started.elapsed().as_secs_f64();
    Ok(lived)
}

impl HalfYear {
    fn take(&mut self, decisions: &[Decision]) {
        for decision in decisions {
            self.summary.add(decision);
            decision.write_json(&mut self.lines, true);
            self.lines.push('\n');
            // A second message of a journey has the longest story; the last one is as good as any.
            if let Kind::Message(message) = &decision.kind
                && message.template == "free_delivery"
                && message.outcome == MessageOutcome::Sent
            {
                self.example = Some(message.id.to_string());
            }
        }
    }

    fn text(&self, paint: Paint) -> anyhow::Result<String> {
        let parts =
            [self.head(paint), self.weeks(paint), self.journeys(paint), self.reasons(paint), self.one_decision(paint)?, closing(paint)];
        Ok(format!("\n{}\n", parts.join("\n")))
    }

    fn head(&self, paint: Paint) -> String {
        let days = [shop::FIRST, shop::LAST].map(|at| at.to_string().chars().take(10).collect::<String>());
        let people = self.profiles - self.summary.merges;
        format!(
            "  {}\n  {} events from {} to {}, replayed in {:.2} s: {} decisions\n  {} people in three countries, known under {} names at first: {} were merged\n",
            paint.code("1", "Half a year of a shop that does not exist"),
            thousands(self.events),
            days[0],
            days[1],
            self.seconds,
            thousands(self.summary.decisions),
            thousands(people),
            thousands(self.profiles),
            thousands(self.summary.merges),
        )
    }

    fn weeks(&self, paint: Paint) -> String {
        let weeks = &self.summary.weeks;
        let (Some(first), Some(last)) = (weeks.keys().next(), weeks.keys().next_back()) else { return String::new() };
        let count =
            |of: fn(&crate::replay::Outcomes) -> u64| -> Vec<u64> { (*first..=*last).map(|week| weeks.get(&week).map_or(0, of)).collect() };
        let mut out = heading("messages by week", paint);
        let kinds: [(&str, &str, Vec<u64>); 3] = [
            ("sent", "32", count(|week| week.sent)),
            ("held over night", "33", count(|week| week.held)),
            ("suppressed", "31", count(|week| week.suppressed)),
        ];
        for (name, colour, counts) in kinds {
            let total = thousands(counts.iter().sum());
            out.push_str(&format!("  {name:<16} {}  {total:>7}\n", paint.code(colour, &sparkline(&counts))));
        }
        out
    }

    fn journeys(&self, paint: Paint) -> String {
        let mut out = heading("journeys: who entered, and how many reached the goal", paint);
        let most = self.summary.journeys.values().map(|passages| passages.entered).max().unwrap_or(1);
        for (name, passages) in &self.summary.journeys {
            let (full, rest) = bar(passages.goal, passages.entered, most, BAR);
            let space = " ".repeat(BAR - full.chars().count() - rest.chars().count());
            let goal = match (passages.goal * 100).checked_div(passages.entered) {
                Some(share) if passages.goal > 0 => format!("goal {:>6}  {share:>3} %", thousands(passages.goal)),
                _ => String::new(),
            };
            let line =
                format!("  {name:<17} {}{}{space} {:>7}  {goal}", paint.code("32", &full), paint.dim(&rest), thousands(passages.entered));
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    fn reasons(&self, paint: Paint) -> String {
        let mut table = Table::new(["rule", "#messages"]);
        for (rule, count) in self.summary.top_rules().into_iter().take(6) {
            table.row([rule.to_owned(), thousands(count)]);
        }
        format!("{}{}", heading("why messages were suppressed", paint), table.render(paint))
    }

    fn one_decision(&self, paint: Paint) -> anyhow::Result<String> {
        let Some(id) = &self.example else { return Ok(String::new()) };
        let found = explain::of_lines(id, &self.lines)?;
        Ok(format!("{}{}", heading("one decision explained", paint), explain::text(id, &found, paint)))
    }
}

fn heading(text: &str, paint: Paint) -> String {
    format!("  {}\n", paint.code("1;36", text))
}

fn closing(paint: Paint) -> String {
    let commands =
        "faden demo --events events.ndjson --workspace shop\n  faden replay events.ndjson --workspace shop --out decisions.ndjson";
    format!("{}  {commands}\n", heading("the same by hand", paint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_fits_a_terminal_and_shows_every_journey() {
        let mut lived = live(&shop::events(SEED)).expect("the demo runs");
        lived.seconds = 0.0;
        let text = lived.text(Paint { on: false }).expect("the example can be explained");
        let widest = text.lines().max_by_key(|line| line.chars().count()).unwrap_or_default();
        assert!(widest.chars().count() <= 100, "{widest}");
        for (name, passages) in &lived.summary.journeys {
            assert!(passages.entered > 0, "nobody enters {name}");
        }
        insta::assert_snapshot!(text);
    }
}
