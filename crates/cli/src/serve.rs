//! `faden serve`: intake, engine, channels, API and console in one process.

use crate::Ending;
use crate::load;
use crate::settings::{CACHE_MB_MAX, PARTITIONS_MAX, Settings};
use anyhow::Context;
use clap::{ArgAction, Args};
use faden_engine::workspace::{Colours, render};
use faden_server::telemetry::{self, LogFormat};
use faden_server::{Options, ServeError, Started, serve};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Run everything in one process: intake, engine, channels, console
///
/// The first start makes the data directory and prints a link to the console and two keys, once.
/// Events that were answered survive a crash and a power cut. Ctrl-C ends it cleanly.
///
/// Each setting is taken from its flag, else from the environment, else from the settings file, else it has its
/// default.
#[derive(Args)]
#[command(after_help = "Examples:
  faden serve
  faden serve --workspace my-shop
  faden serve --data /var/lib/faden --listen 0.0.0.0:7700 --base-url https://faden.example.com
  faden serve --config /etc/faden/server.yaml
  faden serve --config /etc/faden/server.yaml --print-config

A settings file has the flags' names with `_` for `-`; its paths are from where it lies:
  data: /var/lib/faden
  listen: 0.0.0.0:7700
  base_url: https://faden.example.com")]
pub struct Arguments {
    /// A file with settings, in YAML
    #[arg(long, value_name = "FILE", env = "FADEN_CONFIG")]
    config: Option<PathBuf>,
    /// Print the settings that hold and where each comes from, as a settings file; start nothing
    #[arg(long)]
    print_config: bool,
    /// Where everything is kept
    #[arg(long, value_name = "DIR", default_value = "faden-data", env = "FADEN_DATA")]
    data: PathBuf,
    /// Address and port to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7700", env = "FADEN_LISTEN")]
    listen: SocketAddr,
    /// Publish this workspace at the start
    #[arg(long, value_name = "DIR", env = "FADEN_WORKSPACE")]
    workspace: Option<PathBuf>,
    /// How customers and providers reach this server, for links in messages
    #[arg(long, value_name = "URL", env = "FADEN_BASE_URL")]
    base_url: Option<String>,
    /// Partitions, 1 to 64; only a new data directory takes it
    #[arg(long, value_name = "N", default_value_t = 1, env = "FADEN_PARTITIONS", value_parser = clap::value_parser!(u16).range(1..=PARTITIONS_MAX))]
    partitions: u16,
    /// Memory for reading state from disk, in megabytes
    #[arg(long, value_name = "MB", default_value_t = 256, env = "FADEN_CACHE", value_parser = clap::value_parser!(u64).range(1..=CACHE_MB_MAX))]
    cache: u64,
    /// Write log lines as JSON; FADEN_LOG chooses which, such as faden_server=debug,warn
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set, env = "FADEN_LOG_JSON")]
    log_json: bool,
    /// Print what was started as one JSON object
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set)]
    json: bool,
    /// Append and flush only, apply nothing: the floor of `faden bench`
    #[arg(long, hide = true)]
    log_only: bool,
}

pub fn run(arguments: &Arguments, settings: &Settings) -> anyhow::Result<Ending> {
    if arguments.print_config {
        write!(std::io::stdout(), "{}", settings.effective()).context("cannot write to standard output")?;
        return Ok(Ending::Well);
    }
    let workspace = arguments.workspace.as_deref().map(load::files).transpose()?;
    let options = Options {
        data: arguments.data.clone(),
        listen: arguments.listen,
        workspace,
        base_url: arguments.base_url.clone(),
        partitions: usize::from(arguments.partitions),
        cache_bytes: arguments.cache << 20,
        checkpoint_after: Duration::from_secs(10),
        log_only: arguments.log_only,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the server's threads")?;
    runtime.block_on(async {
        let _telemetry = telemetry::start(if arguments.log_json { LogFormat::Json } else { LogFormat::Text });
        let files = options.workspace.clone().unwrap_or_default();
        let started = match serve(options).await {
            Ok(started) => started,
            Err(ServeError::Workspace(findings)) => {
                for finding in &findings {
                    let text = files.0.get(&finding.file).map_or("", String::as_str);
                    // Nobody is left to be told when standard error is closed.
                    let _ = writeln!(std::io::stderr(), "{}", render(finding, text, Colours::Off));
                }
                return Ok(Ending::Findings);
            }
            Err(error) => return Err(error.into()),
        };
        greet(arguments, &started)?;
        wait_for_the_end().await?;
        started.stop().await;
        Ok(Ending::Well)
    })
}

fn greet(arguments: &Arguments, started: &Started) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let text = if arguments.json {
        let keys = (&started.admin_key, &started.write_key);
        serde_json::json!({"address": started.address, "base_url": started.base_url, "login": started.login, "admin_key": keys.0, "write_key": keys.1})
            .to_string()
    } else {
        let mut text = format!(
            "Faden serves `{}` at {}\n\n  console    {}\n             (signs in once; `faden login` prints another link)\n",
            started.workspace, started.base_url, started.login
        );
        if let (Some(admin), Some(write)) = (&started.admin_key, &started.write_key) {
            text.push_str(&format!(
                "  admin key  {admin}\n  write key  {write}\n             (shown once; for programs and for sources of events)\n"
            ));
        }
        text.push_str("\n  Ctrl-C ends it\n");
        text
    };
    writeln!(out, "{text}").and_then(|()| out.flush()).context("cannot write to standard output")
}

pub async fn wait_for_the_end() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).context("cannot wait for signals")?;
    tokio::select! {
        signal = tokio::signal::ctrl_c() => signal.context("cannot wait for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}
