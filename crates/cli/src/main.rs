//! The one program `faden`: reads the command line and hands over to a module per command.
//!
//! Exit codes: 0 done, 1 failed or findings, 2 wrong usage (given by clap). Data goes to standard output,
//! progress and complaints to standard error.

mod backup;
mod bench;
mod check;
mod client;
mod cpu;
mod demo;
mod doctor;
mod explain;
mod export;
mod import;
mod load;
mod memory;
mod profile;
mod progress;
mod publish;
mod replay;
mod serve;
mod settings;
mod table;
mod terminal;
mod test;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

/// Millions of small objects come and go: the system's allocator spent a twentieth of a replay of 2.8
/// million events on joining free pieces alone.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One thread through everything a company and a customer say and do.
#[derive(Parser)]
#[command(name = "faden", version, max_term_width = 100, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Arguments),
    Plan(publish::Plan),
    Apply(publish::Apply),
    Login(publish::Login),
    Import(import::Arguments),
    Export(export::Arguments),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Doctor(doctor::Arguments),
    Check(check::Arguments),
    Test(test::Arguments),
    Replay(Box<replay::Arguments>),
    Explain(explain::Arguments),
    Profile(profile::Arguments),
    Demo(demo::Arguments),
    /// Measure this machine: how fast the engine is on it
    Bench(bench::Arguments),
}

/// What a command found: `Findings` is a failure that was reported in full already.
enum Ending {
    Well,
    Findings,
}

fn main() -> ExitCode {
    memory::set_up();
    match run() {
        Ok(Ending::Well) => ExitCode::SUCCESS,
        Ok(Ending::Findings) => ExitCode::FAILURE,
        // Whoever reads the output has seen enough: `faden ... | head`.
        Err(error) if terminal::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<Ending> {
    let Some(settings) = settings::read(Arguments::command())? else { return Ok(Ending::Findings) };
    let arguments = Arguments::from_arg_matches(&settings.matches).unwrap_or_else(|error| error.exit());
    match arguments.command {
        Command::Serve(arguments) => serve::run(&arguments, &settings),
        Command::Plan(arguments) => publish::plan(&arguments),
        Command::Apply(arguments) => publish::apply(&arguments),
        Command::Login(arguments) => publish::login(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Backup(arguments) => backup::backup(&arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments, &settings),
        Command::Check(arguments) => check::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Profile(arguments) => profile::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
    }
}
