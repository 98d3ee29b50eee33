//! `faden doctor`: looks at configuration, disk, clock and channels, and says what to mend.

use crate::Ending;
use crate::client::{Client, Server};
use crate::load;
use crate::settings::Settings;
use crate::terminal::{self, Paint};
use clap::Args;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Less room than this is worth a word.
const ROOM_MIN_BYTES: u64 = 2 << 30;
/// A flush that takes longer makes every event wait as long.
const FLUSH_SLOW: Duration = Duration::from_millis(20);
const FLUSHES: u32 = 20;

/// Look at configuration, disk, clock and channels, and say what to mend
#[derive(Args)]
#[command(after_help = "Examples:
  faden doctor
  faden doctor --data /var/lib/faden --workspace my-shop
  faden doctor --config /etc/faden/server.yaml
  faden doctor --ready")]
pub struct Arguments {
    /// The settings file of the server: its data directory, its workspace and its address are looked at
    #[arg(long, value_name = "FILE", env = "FADEN_CONFIG")]
    config: Option<PathBuf>,
    /// Only ask whether the server takes events, which needs no key: exit code 0 or 1, for health checks
    #[arg(long)]
    ready: bool,
    /// Data directory to look at
    #[arg(long, value_name = "DIR", default_value = "faden-data", env = "FADEN_DATA")]
    data: PathBuf,
    /// Workspace to check
    #[arg(long, value_name = "DIR", env = "FADEN_WORKSPACE")]
    workspace: Option<PathBuf>,
    #[command(flatten)]
    server: Server,
    /// Findings as JSON
    #[arg(long)]
    json: bool,
}

/// How well one thing is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Well,
    Look,
    Mend,
}

struct Finding {
    what: String,
    state: State,
    says: String,
}

pub fn run(arguments: &Arguments, settings: &Settings) -> anyhow::Result<Ending> {
    let mut findings = Vec::new();
    if arguments.ready {
        let ready = readiness(&arguments.server.without_key()?, State::Mend, &mut findings);
        print(arguments, &findings)?;
        // A clock that is behind takes nothing away from whoever sends events.
        return Ok(if ready { Ending::Well } else { Ending::Findings });
    }
    if let Some(file) = &settings.file {
        // Whatever is wrong with it was told before.
        findings.push(Finding { what: "settings".to_owned(), state: State::Well, says: format!("no errors in {}", file.display()) });
    }
    disk(&arguments.data, &mut findings);
    if let Some(workspace) = &arguments.workspace {
        let (state, says) = match load::definitions(workspace) {
            Ok(_) => (State::Well, "no errors".to_owned()),
            Err(error) => (State::Mend, error.to_string()),
        };
        findings.push(Finding { what: "workspace".to_owned(), state, says });
    }
    match arguments.server.connect() {
        Ok(client) => server(&client, &mut findings),
        Err(error) => findings.push(Finding { what: "server".to_owned(), state: State::Look, says: error.to_string() }),
    }
    print(arguments, &findings)?;
    let mend = findings.iter().any(|finding| finding.state == State::Mend);
    Ok(if mend { Ending::Findings } else { Ending::Well })
}

fn print(arguments: &Arguments, findings: &[Finding]) -> anyhow::Result<()> {
    let mut out = terminal::output();
    let paint = Paint::for_stdout();
    if arguments.json {
        let word = |state| match state {
            State::Well => "well",
            State::Look => "look",
            State::Mend => "mend",
        };
        let rows: Vec<Value> =
            findings.iter().map(|finding| json!({"what": finding.what, "state": word(finding.state), "says": finding.says})).collect();
        writeln!(out, "{}", Value::from(rows))?;
    } else {
        for finding in findings {
            let mark = match finding.state {
                State::Well => paint.code("32", "well"),
                State::Look => paint.code("33", "look"),
                State::Mend => paint.code("31", "mend"),
            };
            writeln!(out, "{mark}  {:<22} {}", finding.what, finding.says)?;
        }
    }
    Ok(out.flush()?)
}

fn disk(data: &Path, findings: &mut Vec<Finding>) {
    let place = if data.exists() { data } else { data.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")) };
    let mut say = |what: &str, state, says: String| findings.push(Finding { what: what.to_owned(), state, says });
    match rustix::fs::statvfs(place) {
        Ok(facts) => {
            let free = facts.f_bavail.saturating_mul(facts.f_frsize);
            let state = if free < ROOM_MIN_BYTES { State::Mend } else { State::Well };
            say("disk, room", state, format!("{:.1} GB free under {}", free as f64 / 1e9, place.display()));
        }
        Err(error) => say("disk, room", State::Mend, format!("{} cannot be looked at: {error}", place.display())),
    }
    match flush_time(place) {
        Ok(time) if time > FLUSH_SLOW => {
            say(
                "disk, flush",
                State::Look,
                format!("{:.1} ms; every event waits as long: use a disk with a faster flush", time.as_secs_f64() * 1000.0),
            );
        }
        Ok(time) => say("disk, flush", State::Well, format!("{:.2} ms", time.as_secs_f64() * 1000.0)),
        Err(error) => {
            say("disk, flush", State::Mend, format!("{} cannot be written: {error}; look at its owner and its mount", place.display()))
        }
    }
}

/// Median time of a small write and its flush.
fn flush_time(place: &Path) -> std::io::Result<Duration> {
    let path = place.join(format!(".faden-doctor-{}", std::process::id()));
    let mut file = std::fs::File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..FLUSHES {
        let begun = Instant::now();
        let written = file.write_all(&[0; 512]).and_then(|()| file.sync_data());
        if written.is_err() {
            // The write's error is the one that counts.
            let _ = std::fs::remove_file(&path);
        }
        written?;
        times.push(begun.elapsed());
    }
    std::fs::remove_file(&path)?;
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

/// Whether the server takes events, and its clock; `unready` is how bad it is when it does not.
fn readiness(client: &Client, unready: State, findings: &mut Vec<Finding>) -> bool {
    let mut say = |what: &str, state, says: String| findings.push(Finding { what: what.to_owned(), state, says });
    let ready = match client.get::<Value>("/readyz") {
        Ok(ready) => ready,
        Err(error) => {
            say("server", unready, format!("{error:#}"));
            return false;
        }
    };
    say("server", State::Well, "takes events".to_owned());
    match ready["clock_behind_ms"].as_i64().unwrap_or(0) {
        0 => say("clock", State::Well, "not behind the log".to_owned()),
        behind => {
            let says = format!("{} s behind the log; timers wait until it has caught up: set it by NTP", behind / 1000);
            say("clock", State::Mend, says);
        }
    }
    true
}

fn server(client: &Client, findings: &mut Vec<Finding>) {
    if !readiness(client, State::Look, findings) {
        return;
    }
    let mut say = |what: String, state, says: String| findings.push(Finding { what, state, says });
    match client.get::<Value>("/api/v1/channels") {
        Ok(channels) => {
            for channel in channels["items"].as_array().into_iter().flatten() {
                let field = |name: &str| channel[name].as_str().unwrap_or_default();
                let state = if field("state") == "up" { State::Well } else { State::Mend };
                let says = format!("{} {}, {} waiting {}", field("kind"), field("state"), channel["queued"], field("last_error"));
                say(format!("channel {}", field("name")), state, says.trim_end().to_owned());
            }
        }
        Err(error) => say("channels".to_owned(), State::Look, format!("{error:#}")),
    }
    match client.get::<Value>("/api/v1/dead_letters?limit=1") {
        Ok(letters) if letters["items"].as_array().is_some_and(|items| !items.is_empty()) => {
            say(
                "dead letters".to_owned(),
                State::Look,
                "some calls could not be taken; look at them in the console under Sources".to_owned(),
            );
        }
        Ok(_) => say("dead letters".to_owned(), State::Well, "none".to_owned()),
        Err(error) => say("dead letters".to_owned(), State::Look, format!("{error:#}")),
    }
}
