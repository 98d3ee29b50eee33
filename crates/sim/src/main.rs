//! Whole nodes under seeded faults: crashes, torn writes, flipped bits, repeats, late letters. Never shipped.
//!
//! One seed is one run, the same on every machine: no clock, no threads, no randomness but the seed's.
//! World A is a node on failing storage, world B are partitions behind a failing transport. Both must
//! come to what one partition in memory makes of the same records. `docs/simulation.md` tells more.

mod durability;
mod faulty;
mod letters;
mod mutation;
mod outcome;
mod people;
mod random;
mod views;
mod workspace;

use clap::{Parser, ValueEnum};
use mutation::Mutation;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

/// A run in which something was wrong.
pub struct Finding {
    pub seed: u64,
    pub world: &'static str,
    /// What the run was like and which faults struck, in order.
    pub schedule: Vec<String>,
    pub difference: String,
}

/// What runs went through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub records: u64,
    pub decisions: u64,
    pub crashes: u64,
}

thread_local! {
    /// Where the last panic was.
    static PLACE: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum World {
    /// A node on failing storage.
    A,
    /// Partitions behind a failing transport.
    B,
    All,
}

/// Looks for seeds under which Faden loses, repeats or changes what it decides.
#[derive(Parser)]
#[command(name = "faden-sim", after_help = "Example: faden-sim --seeds 10000 --world all")]
struct Arguments {
    /// How many seeds, in each world.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first one.
    #[arg(long, default_value_t = 0)]
    first: u64,
    #[arg(long, value_enum, default_value_t = World::All)]
    world: World,
    /// Run this one seed only.
    #[arg(long)]
    seed: Option<u64>,
    /// Go on after a finding, and count.
    #[arg(long)]
    keep_going: bool,
    /// Show that the checkers can fail: build every known fault in and count the seeds until it is found.
    #[arg(long)]
    prove: bool,
}

fn main() -> ExitCode {
    // A panic is a finding like any other, and is printed as one.
    std::panic::set_hook(Box::new(|panic| PLACE.set(panic.location().map(ToString::to_string).unwrap_or_default())));
    let arguments = Arguments::parse();
    if arguments.prove { prove(arguments.seeds) } else { search(&arguments) }
}

fn run(world: World, seed: u64, mutation: Option<Mutation>) -> Result<Tally, Finding> {
    let name = if world == World::B { "b" } else { "a" };
    let one = || if world == World::B { letters::run(seed, mutation) } else { durability::run(seed, mutation) };
    catch_unwind(AssertUnwindSafe(one)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        let difference = format!("it panicked at {}: {}", PLACE.take(), text.unwrap_or("without a text"));
        Err(Finding { seed, world: name, schedule: Vec::new(), difference })
    })
}

fn search(arguments: &Arguments) -> ExitCode {
    let (first, count) = arguments.seed.map_or((arguments.first, arguments.seeds), |seed| (seed, 1));
    let worlds: &[World] = match arguments.world {
        World::All => &[World::A, World::B],
        World::A => &[World::A],
        World::B => &[World::B],
    };
    let mut findings = 0;
    for world in worlds {
        let begin = Instant::now();
        let mut tally = Tally::default();
        for seed in first..first + count {
            match run(*world, seed, None) {
                Ok(one) => {
                    tally.records += one.records;
                    tally.decisions += one.decisions;
                    tally.crashes += one.crashes;
                }
                Err(finding) => {
                    findings += 1;
                    report(&finding);
                    if !arguments.keep_going {
                        return ExitCode::FAILURE;
                    }
                }
            }
            let done = seed - first + 1;
            if done % 1000 == 0 || done == count {
                let rate = done as f64 / begin.elapsed().as_secs_f64();
                let Tally { records, decisions, crashes } = tally;
                println!("world {world:?}: {done} seeds, {rate:.0} a second, {records} records, {decisions} decisions, {crashes} crashes");
            }
        }
    }
    if findings > 0 {
        println!("{findings} findings");
    }
    if findings > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn report(finding: &Finding) {
    println!("\nseed {} of world {}: {}", finding.seed, finding.world, finding.difference);
    finding.schedule.iter().for_each(|line| println!("  {line}"));
    println!("again: faden-sim --world {} --seed {}", finding.world, finding.seed);
}

/// Seeds until a fault that was built in is found; `None` when it was not.
fn seeds_until_found(mutation: Mutation, seeds: u64) -> Option<(u64, Finding)> {
    let world = if mutation.is_of_letters() { World::B } else { World::A };
    (0..seeds).find_map(|seed| run(world, seed, Some(mutation)).err().map(|finding| (seed + 1, finding)))
}

fn prove(seeds: u64) -> ExitCode {
    let mut all = true;
    println!("| fault | seeds until found | found as |\n| --- | --- | --- |");
    for mutation in Mutation::ALL {
        match seeds_until_found(mutation, seeds) {
            Some((count, finding)) => {
                let what = finding.difference.lines().next().unwrap_or_default().to_owned();
                println!("| {mutation:?} | {count} | {what} |");
            }
            None => {
                all = false;
                println!("| {mutation:?} | not within {seeds} | |");
            }
        }
    }
    if all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seeds per test; `faden-sim --seeds 10000` is for the night.
    const SEEDS: u64 = 100;

    fn check(world: World) {
        for seed in 0..SEEDS {
            if let Err(finding) = run(world, seed, None) {
                panic!("seed {seed} of world {world:?}: {}\n{:#?}", finding.difference, finding.schedule);
            }
        }
    }

    #[test]
    fn a_node_on_failing_storage_decides_as_one_that_never_failed() {
        check(World::A);
    }

    #[test]
    fn partitions_behind_a_failing_transport_decide_as_one() {
        check(World::B);
    }

    #[test]
    fn a_seed_is_the_same_run_each_time() {
        for world in [World::A, World::B] {
            let once = || run(world, 7, None).map(|tally| format!("{tally:?}")).map_err(|finding| finding.difference);
            assert_eq!(once(), once());
        }
    }
}
