//! `faden demo`: a server with the example company, half a year behind it, and customers who go on.
//!
//! The past is written in a second with the events' own times; then the server starts, and customers keep
//! coming over HTTP. What goes out arrives in a mailbox and in phones of this process. Ctrl-C ends it all.

mod people;
mod story;
mod traffic;

use crate::Ending;
use crate::bench::mix;
use crate::serve::wait_for_the_end;
use crate::terminal::{Paint, thousands};
use anyhow::Context;
use clap::Args;
use faden_engine::workspace::Files;
use faden_model::{MessageId, Receipt, Span, Timestamp};
use faden_server::history::Outcome;
use faden_server::outside::{self, Browsers, Outside};
use faden_server::{Options, Started, history, serve};
use people::Person;
use rust_embed::RustEmbed;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use story::Call;

/// The example company's workspace, as it stands in `examples/company`.
#[derive(RustEmbed)]
#[folder = "../../examples/company"]
struct Company;

/// Start a server with a lively example company, so that every page has something to see
///
/// The company does not exist and nothing leaves this machine: what goes out arrives in a mailbox and in
/// phones that are part of the demo. The data is removed at the end unless `--data` names a place for it.
#[derive(Args)]
#[command(after_help = "Examples:
  faden demo
  faden demo --customers 20000 --per-second 200
  faden demo --listen 127.0.0.1:8080 --data demo-data
  faden demo --events events.ndjson --workspace company     # for `faden replay`, without a server")]
pub struct Arguments {
    /// Address and port to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7700")]
    listen: SocketAddr,
    /// Keep the data here, in a new directory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Customers with half a year behind them
    #[arg(long, value_name = "N", default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    customers: u64,
    /// Visits that begin each second, about four events each
    #[arg(long, value_name = "N", default_value_t = 5)]
    per_second: u64,
    /// Write the half year's events into this file instead of serving
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Write the company's definitions into this new directory instead of serving
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Print what was started as one JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    if arguments.events.is_some() || arguments.workspace.is_some() {
        return write_down(arguments);
    }
    let scratch = std::env::temp_dir().join(format!("faden-demo-{}", std::process::id()));
    let data = arguments.data.clone().unwrap_or_else(|| scratch.clone());
    anyhow::ensure!(!data.exists(), "`{}` exists already; name a new directory", data.display());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the server's threads")?;
    let ended = runtime.block_on(show(arguments, data));
    if arguments.data.is_none() {
        // It may not have been made.
        let _ = std::fs::remove_dir_all(&scratch);
    }
    ended.map(|()| Ending::Well)
}

/// The end of the half year that is written to a file: the same on every day.
const WRITTEN_UNTIL: Timestamp = Timestamp(1_783_296_000_000);

fn write_down(arguments: &Arguments) -> anyhow::Result<Ending> {
    if let Some(path) = &arguments.events {
        let file = std::fs::File::create_new(path).with_context(|| format!("cannot make `{}`; name a new file", path.display()))?;
        let mut out = std::io::BufWriter::new(file);
        for (_, _, call) in past(arguments.customers, &Browsers::new("https://push.example".to_owned()), WRITTEN_UNTIL) {
            writeln!(out, "{call}").with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        out.flush().with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if let Some(directory) = &arguments.workspace {
        anyhow::ensure!(!directory.exists(), "`{}` exists already; name a new directory", directory.display());
        for (path, text) in company()?.0 {
            let file = directory.join(path);
            let folder = file.parent().unwrap_or(directory);
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
            std::fs::write(&file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
        }
    }
    Ok(Ending::Well)
}

/// Port 0 stands for any that is free; the demo's outside world must know it before the server listens.
fn free(asked: SocketAddr) -> std::io::Result<SocketAddr> {
    if asked.port() != 0 {
        return Ok(asked);
    }
    std::net::TcpListener::bind(asked)?.local_addr()
}

async fn show(arguments: &Arguments, data: PathBuf) -> anyhow::Result<()> {
    let listen = free(arguments.listen).context("cannot find a free port")?;
    let base_url = format!("http://{listen}");
    let outside = outside::start(format!("{base_url}/in/whatsapp")).await.context("cannot start the demo's mailbox")?;
    set_secrets();
    let options = Options {
        data,
        listen,
        workspace: None,
        base_url: Some(base_url),
        partitions: 1,
        cache_bytes: 256 << 20,
        checkpoint_after: Duration::from_secs(5),
        log_only: false,
    };
    let now = now();
    let (files, customers) = (workspace(&outside)?, arguments.customers);
    let browsers = Browsers::new(format!("http://{}", outside.http));
    if !arguments.json {
        eprintln!("writing half a year of {} customers ...", thousands(customers));
    }
    let begun = std::time::Instant::now();
    let records = tokio::task::block_in_place(|| history::write(&options, &files, past(customers, &browsers, now), now, outcome))?;
    let taken = begun.elapsed().as_secs_f64();
    let started = serve(options).await?;
    greet(arguments, &started, &outside, &format!("{} records in {taken:.1} s", thousands(records)))?;
    let key = started.admin_key.clone().context("a new data directory has an admin key")?;
    let traffic = tokio::spawn(traffic::run(started.base_url.clone(), key, customers, arguments.per_second));
    wait_for_the_end().await?;
    traffic.abort();
    started.stop().await;
    Ok(())
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The secrets that the company's accounts ask for; they are worth nothing anywhere.
fn set_secrets() {
    let values = [
        ("FADEN_WEB_KEY", "demo-web"),
        ("FADEN_WAREHOUSE_KEY", "demo-warehouse"),
        ("FADEN_ENERGY_KEY", "demo-energy"),
        ("FADEN_SMS_PASSWORD", "demo"),
        ("FADEN_WHATSAPP_TOKEN", "demo"),
        ("FADEN_WHATSAPP_SECRET", outside::APP_SECRET),
        ("FADEN_PUSH_KEY", outside::PUSH_KEYS.0),
        ("FADEN_CRM_SECRET", "whsec_ZGVtb25zdHJhdGlvbi1kZW1vbnN0cmF0aW9u"),
    ];
    faden_server::set_secrets(values.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

fn company() -> anyhow::Result<Files> {
    let mut files = BTreeMap::new();
    for path in Company::iter().filter(|path| !path.ends_with(".md")) {
        let file = Company::get(&path).context("an embedded file is there")?;
        let text = std::str::from_utf8(&file.data).context("the company's files are text")?;
        files.insert(path.to_string(), text.to_owned());
    }
    Ok(Files(files))
}

/// The company's files, its accounts turned to this process.
fn workspace(outside: &Outside) -> anyhow::Result<Files> {
    let mut files = company()?.0;
    let settings = files.get_mut("faden.yaml").context("the company has a faden.yaml")?;
    let (before, rest) = settings.split_once("\nchannels:\n").context("faden.yaml has channels")?;
    let (_, after) = rest.split_once("\ntraits:\n").context("faden.yaml has traits behind its channels")?;
    let (smtp, http) = (outside.smtp.port(), outside.http);
    let push_key = outside::PUSH_KEYS.1;
    *settings = format!(
        "{before}\nchannels:\n\
         \x20 - {{name: mail, kind: email, from: \"Nordlicht <hello@nordlicht.example>\", smtp: {{host: 127.0.0.1, port: {smtp}, tls: none, connections: 4}}}}\n\
         \x20 - {{name: sms, kind: sms, allow_private: true, connections: 4, twilio: {{account_sid: AC0, auth_token: {{env: FADEN_SMS_PASSWORD}}, from: \"+4915550000000\", base_url: \"http://{http}\"}}}}\n\
         \x20 - {{name: whatsapp, kind: whatsapp, allow_private: true, connections: 4, cloud_api: {{phone_number_id: \"100200300\", access_token: {{env: FADEN_WHATSAPP_TOKEN}}, app_secret: {{env: FADEN_WHATSAPP_SECRET}}, verify_token: {{env: FADEN_WHATSAPP_TOKEN}}, base_url: \"http://{http}\"}}}}\n\
         \x20 - {{name: browser, kind: web_push, allow_private: true, vapid: {{private_key: {{env: FADEN_PUSH_KEY}}, public_key: {push_key}, subject: \"mailto:push@nordlicht.example\"}}}}\n\
         \x20 - {{name: crm, kind: webhook, allow_private: true, connections: 4, webhook: {{url: \"http://{http}/faden\", secret: {{env: FADEN_CRM_SECRET}}}}}}\n\
         traits:\n{after}"
    );
    Ok(Files(files))
}

/// Everybody's past, in one order.
fn past(customers: u64, browsers: &Browsers, now: Timestamp) -> impl Iterator<Item = (Timestamp, &'static str, String)> {
    let mut calls: Vec<Call> = (0..customers).flat_map(|number| story::past(&Person::new(number), browsers, now)).collect();
    let day = Span::DAY.0;
    calls.extend((0..story::DAYS as u64 / 9).map(|round| story::business(round, Timestamp(now.0 - (round as i64 * 9 + 2) * day))));
    calls.sort();
    calls.into_iter().map(|call| (call.at, call.source, call.body))
}

/// What providers said of a message of the past: most arrive, many are read, a few bounce.
fn outcome(message: MessageId, channel: &str) -> Outcome {
    let dice = mix(message.0.under.0.wrapping_mul(61).wrapping_add(u64::from(message.0.count)));
    let seconds = |seconds: i64| Span(seconds * 1000);
    if dice.is_multiple_of(41) {
        let code = if channel == "email" { "550 5.1.1" } else { "131026" };
        return vec![(seconds(2), Receipt::Failed, code)];
    }
    let mut said = vec![(seconds(1), Receipt::Sent, "")];
    if !dice.is_multiple_of(13) {
        said.push((seconds(5 + (dice % 40) as i64), Receipt::Delivered, ""));
        if channel != "sms" && dice % 10 < 6 {
            said.push((seconds(300 + (dice % 9_000) as i64), Receipt::Read, ""));
        }
    }
    said
}

fn greet(arguments: &Arguments, started: &Started, outside: &Outside, past: &str) -> anyhow::Result<()> {
    let mailbox = format!("http://{}", outside.http);
    if arguments.json {
        let keys = (&started.admin_key, &started.write_key);
        println!(
            "{}",
            serde_json::json!({"base_url": started.base_url, "login": started.login, "mailbox": mailbox, "admin_key": keys.0, "write_key": keys.1})
        );
        return Ok(());
    }
    let paint = Paint::for_stdout();
    println!("\n{}\n", paint.code("1", "Nordlicht, an outdoor and energy shop that does not exist"));
    println!("  console    {}", paint.code("1;36", &started.login));
    println!("  mailbox    {}", paint.code("1;36", &mailbox));
    println!("             what customers receive, on every channel");
    println!("  past       half a year of {} customers, {past}", thousands(arguments.customers));
    println!("  now        {} visits a second begin", arguments.per_second);
    if let Some(key) = &started.admin_key {
        println!("  API key    {key}\n             curl -H 'authorization: Bearer {key}' {}/api/v1/overview", started.base_url);
    }
    println!("\n  Ctrl-C ends it\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_company_with_its_accounts_turned_is_a_workspace_without_errors() {
        let here = SocketAddr::from(([127, 0, 0, 1], 2525));
        let files = workspace(&Outside { http: here, smtp: here }).expect("the company's files");
        let read = faden_engine::workspace::read(&files);
        let errors: Vec<_> =
            read.findings.iter().filter(|finding| finding.problem.severity == faden_model::diagnostic::Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}
