//! The project's own chores: what must hold before a change is pushed, and the long runs.
//!
//! Never shipped. Reads the checkout, starts cargo, prints findings; changes no file but build caches.

mod arrows;
mod fuzz;
mod house;
mod tree;

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, ExitCode};

const USAGE: &str = "\
usage: cargo xtask <task>

  gate              formatting, clippy, tests, arrows and house rules: what must hold before a push
  arrows            holds every crates/*/Cargo.toml against the table of rooms in ARCHITECTURE.md
  house             file and function length, forbidden words, error pages, the Dockerfile, links, machine paths
  sim --seeds N     whole nodes under N seeds of faults; further arguments go to the simulator
  fuzz --seconds N  every fuzz target for N seconds; `fuzz --seconds N TARGET` runs one
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = match arguments.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("--help", [].as_slice()),
    };
    let root = tree::root();
    let outcome = match task {
        "gate" => gate(&root),
        "arrows" => report("arrows", &arrows::findings(&root)),
        "house" => report("house rules", &house::findings(&root)),
        "sim" => sim(&root, rest),
        "fuzz" => fuzz::run(&root, rest),
        "--help" | "-h" | "help" => {
            print!("{USAGE}");
            Ok(())
        }
        other => {
            eprint!("there is no task `{other}`\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What must hold before a change is pushed, cheapest first.
fn gate(root: &Path) -> Result<()> {
    cargo(root, &["fmt", "--all", "--check"])?;
    report("arrows", &arrows::findings(root))?;
    report("house rules", &house::findings(root))?;
    cargo(root, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    cargo(root, &["test", "--workspace"])
}

fn sim(root: &Path, rest: &[String]) -> Result<()> {
    let mut arguments = vec!["run", "--release", "-p", "faden-sim", "--"];
    arguments.extend(rest.iter().map(String::as_str));
    cargo(root, &arguments)
}

fn report(what: &str, findings: &Result<Vec<String>>) -> Result<()> {
    match findings {
        Err(error) => bail!("{what}: {error:#}"),
        Ok(list) if list.is_empty() => {
            println!("{what}: nothing found");
            Ok(())
        }
        Ok(list) => {
            for finding in list {
                eprintln!("{finding}");
            }
            bail!("{what}: {} finding(s)", list.len())
        }
    }
}

/// Runs cargo in the checkout, its output going where ours goes.
fn cargo(root: &Path, arguments: &[&str]) -> Result<()> {
    println!("$ cargo {}", arguments.join(" "));
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(program).args(arguments).current_dir(root).status().context("cannot start cargo")?;
    if !status.success() {
        bail!("`cargo {}` failed", arguments.join(" "));
    }
    Ok(())
}
