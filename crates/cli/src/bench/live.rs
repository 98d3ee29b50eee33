//! `faden bench live`: the cart job over HTTP, against a server of its own on this machine.
//!
//! The server is another process of this same program; the load comes from this one, on the same cores. In
//! the same run a second server only parses, appends and flushes: that is the floor, the most that any
//! server behind this HTTP and this disk could do. Latency is measured at half of the top load, from when a
//! call was due to be sent, so waiting before it counts; the floor gets the same load. At last questions are
//! asked while events come in: each brings an event of its own, and its answer must count that event.

use super::{Report, cart, machine};
use anyhow::{Context, bail, ensure};
use clap::Args;
use serde::Deserialize;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct Arguments {
    /// Events sent in batches; single calls are a tenth of it
    #[arg(long, default_value_t = 1_000_000)]
    events: usize,
    /// Seconds at half of the top load
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Where the servers keep their data; removed afterwards
    #[arg(long, default_value = "faden-bench")]
    pub directory: PathBuf,
    /// Events a second, in place of half of the top load
    #[arg(long)]
    load: Option<f64>,
    /// Only the questions beside intake
    #[arg(long)]
    questions: bool,
    /// Print figures as JSON
    #[arg(long)]
    pub json: bool,
}

/// Events of one batch.
const BATCH: usize = 100;
/// Connections that send batches, and those that send single calls.
const BATCH_CONNECTIONS: usize = 16;
const SINGLE_CONNECTIONS: usize = 64;
/// Questions a second, and the connections that ask them.
const QUESTIONS: usize = 2_000;
const QUESTION_CONNECTIONS: usize = 64;
/// Events a second that come in beside the questions, in batches.
const BESIDE: f64 = 20_000.0;
/// What an answer that counts the event of its question says: the journey which that event began.
const COUNTED: &[u8] = b"\"journey\":\"cart_reminder\"";
/// A server that has not started by then will not.
const START_MAX: Duration = Duration::from_secs(20);

/// The calls of a job, ready to be sent: whole HTTP requests.
struct Calls {
    requests: Vec<Vec<u8>>,
    events_each: usize,
}

/// A server in a process of its own.
struct Server {
    process: Child,
    address: SocketAddr,
    write_key: String,
    admin_key: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[derive(Deserialize)]
struct Greeting {
    address: SocketAddr,
    write_key: Option<String>,
    admin_key: Option<String>,
}

impl Server {
    fn start(directory: &Path, name: &str, log_only: bool) -> anyhow::Result<Server> {
        let workspace = directory.join("workspace");
        cart::write_workspace(&workspace)?;
        let mut command = Command::new(std::env::current_exe().context("this program has no path")?);
        command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(directory.join(name));
        command.arg("--workspace").arg(&workspace);
        if log_only {
            command.arg("--log-only");
        }
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().context("cannot start a server")?;
        let out = process.stdout.take().context("the server has an output")?;
        let mut line = String::new();
        let begun = Instant::now();
        BufReader::new(out).read_line(&mut line).context("the server says nothing")?;
        ensure!(begun.elapsed() < START_MAX && !line.is_empty(), "the server did not start");
        let greeting: Greeting = serde_json::from_str(&line).with_context(|| format!("the server says `{line}`"))?;
        let keys = greeting.write_key.zip(greeting.admin_key);
        let (write_key, admin_key) = keys.context("a new data directory has keys")?;
        Ok(Server { process, address: greeting.address, write_key, admin_key })
    }

    fn resident_bytes(&self) -> u64 {
        machine::resident_bytes_of(&self.process.id().to_string())
    }

    fn request(&self, path: &str, body: &str) -> Vec<u8> {
        self.request_with(&self.write_key, path, body)
    }

    fn request_with(&self, key: &str, path: &str, body: &str) -> Vec<u8> {
        format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .into_bytes()
    }

    fn batches(&self, lines: &[&str]) -> Calls {
        let body = |lines: &[&str]| format!("{{\"batch\":[{}]}}", lines.join(","));
        Calls { requests: lines.chunks(BATCH).map(|lines| self.request("/v1/batch", &body(lines))).collect(), events_each: BATCH }
    }

    fn singles(&self, lines: &[&str]) -> Calls {
        let path = |line: &str| if line.contains("\"identify\"") { "/v1/identify" } else { "/v1/track" };
        Calls { requests: lines.iter().map(|line| self.request(path(line), line)).collect(), events_each: 1 }
    }
}

impl Server {
    /// Questions about customers that nobody knows before, each with a cart of his.
    fn questions(&self, count: usize) -> Calls {
        let body = |number| format!(r#"{{"user_id":"q{number}","event":{{"event":"Cart Updated","properties":{{"value":50.0}}}}}}"#);
        let requests = (0..count).map(|number| self.request_with(&self.admin_key, "/api/v1/decide", &body(number))).collect();
        Calls { requests, events_each: 1 }
    }
}

/// One connection that is kept.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(address: SocketAddr) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(address).context("cannot connect to the server")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Connection { stream, buffer: vec![0; 16 << 10] })
    }

    /// Sends one request, reads its whole answer; an error unless it is 200.
    fn call(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        self.stream.write_all(request)?;
        let mut have = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[have..])?;
            ensure!(read > 0, "the server closed the connection");
            have += read;
            let Some(head) = memchr::memmem::find(&self.buffer[..have], b"\r\n\r\n") else { continue };
            let text = std::str::from_utf8(&self.buffer[..head]).context("the answer's head is not text")?;
            let length =
                text.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|length| length.parse::<usize>().ok());
            if have < head + 4 + length.unwrap_or(0) {
                continue;
            }
            if !text.starts_with("HTTP/1.1 200") {
                bail!("the server answered {}", String::from_utf8_lossy(&self.buffer[..have]));
            }
            return Ok(&self.buffer[head + 4..have]);
        }
    }
}

/// Sends everything as fast as it goes. Events a second.
fn top(server: &Server, calls: &Calls, connections: usize) -> anyhow::Result<f64> {
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = Connection::open(server.address)?;
                    while let Some(request) = calls.requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                        connection.call(request)?;
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        senders.into_iter().try_for_each(|sender| sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))?)
    })?;
    Ok((calls.requests.len() * calls.events_each) as f64 / begun.elapsed().as_secs_f64())
}

/// Sends at a fixed rate; the time of each call from when it was due, in order, and how many answers hold `wanted`.
fn steady(
    server: &Server,
    calls: &Calls,
    connections: usize,
    events_per_second: f64,
    wanted: &[u8],
) -> anyhow::Result<(Vec<Duration>, usize)> {
    let gap = Duration::from_secs_f64(calls.events_each as f64 / events_per_second);
    let (next, held) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let begun = Instant::now();
    let mut times = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = Connection::open(server.address)?;
                    let mut times = Vec::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(request) = calls.requests.get(number) else { break };
                        let due = begun + gap.mul_f64(number as f64);
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                        let answer = connection.call(request)?;
                        times.push(due.elapsed());
                        held.fetch_add(usize::from(memchr::memmem::find(answer, wanted).is_some()), Ordering::Relaxed);
                    }
                    anyhow::Ok(times)
                })
            })
            .collect();
        let times = senders.into_iter().map(|sender| sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))?);
        times.collect::<anyhow::Result<Vec<_>>>()
    })?
    .concat();
    times.sort_unstable();
    Ok((times, held.into_inner()))
}

fn say_times(report: &mut Report, times: &[Duration], unit: &'static str) {
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
        let at = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        report.say(name, times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1000.0), unit);
    }
}

/// Questions at a fixed rate while batches come in.
fn decide(server: &Server, lines: &[&str], seconds: u64, report: &mut Report) -> anyhow::Result<()> {
    let batches = server.batches(&lines[..lines.len().min(BESIDE as usize * seconds as usize)]);
    let questions = server.questions(QUESTIONS * seconds as usize);
    report.head(&format!("{QUESTIONS} questions/s for {seconds} s, each with an event, beside {BESIDE} events/s in batches of {BATCH}"));
    let (beside, (times, counted)) = std::thread::scope(|scope| {
        let beside = scope.spawn(|| steady(server, &batches, BATCH_CONNECTIONS, BESIDE, b""));
        let asked = steady(server, &questions, QUESTION_CONNECTIONS, QUESTIONS as f64, COUNTED);
        let beside = beside.join().map_err(|_| anyhow::anyhow!("a sender panicked"));
        anyhow::Ok((beside??, asked?))
    })?;
    say_times(report, &times, "ms, question to answer");
    report.say("answers that count the event of their question", counted as f64, "");
    ensure!(counted == questions.requests.len(), "{} answers do not count the event of their question", questions.requests.len() - counted);
    say_times(report, &beside.0, "ms, batch beside the questions");
    Ok(())
}

/// Runs the whole comparison.
pub fn measure(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    // Rates, then half a minute at half load at most: customers for both, none of them twice.
    let text = cart::lines((arguments.events as u64 * 4).div_ceil(5));
    let lines: Vec<&str> = text.lines().collect();
    let (events, singles) = (arguments.events, arguments.events / 10);
    ensure!(lines.len() > events + singles, "the job has too few events");
    let (first, rest) = lines.split_at(events);
    let (second, rest) = rest.split_at(singles);
    let directory = &arguments.directory;
    if arguments.questions {
        let server = Server::start(directory, "questions", false)?;
        return decide(&server, first, arguments.seconds, report);
    }

    report.head(&format!("floor: {events} events in batches of {BATCH}, {singles} single calls; parsed, appended, flushed, not applied"));
    let floor = Server::start(directory, "floor", true)?;
    let floor_batches = top(&floor, &floor.batches(first), BATCH_CONNECTIONS)?;
    report.say("floor, batches", floor_batches, "events/s");
    let floor_singles = top(&floor, &floor.singles(second), SINGLE_CONNECTIONS)?;
    report.say("floor, single calls", floor_singles, "events/s");
    drop(floor);

    report.head("server: the same, applied: identity, journeys, decisions, store");
    let server = Server::start(directory, "server", false)?;
    let batches = top(&server, &server.batches(first), BATCH_CONNECTIONS)?;
    report.say("batches", batches, "events/s");
    report.say("batches, share of the floor", batches / floor_batches, "");
    let resident = server.resident_bytes();
    let alone = top(&server, &server.singles(second), SINGLE_CONNECTIONS)?;
    report.say("single calls", alone, "events/s");
    report.say("single calls, share of the floor", alone / floor_singles, "");

    let load = arguments.load.unwrap_or(batches / 2.0);
    let (at_load, rest) = rest.split_at(rest.len().min(load as usize * arguments.seconds as usize) / BATCH * BATCH);
    let what = if arguments.load.is_some() { "load as asked" } else { "half of the top load" };
    report.head(&format!("{what}, {load:.0} events/s in batches, {:.1} s", at_load.len() as f64 / load));
    let (times, _) = steady(&server, &server.batches(at_load), BATCH_CONNECTIONS, load, b"")?;
    say_times(report, &times, "ms, request to committed decision");
    let (singles_at_load, rest) = rest.split_at(rest.len().min((alone / 2.0) as usize * arguments.seconds as usize));
    report.head(&format!("half of the top load of single calls, {:.0} events/s", alone / 2.0));
    let (times, _) = steady(&server, &server.singles(singles_at_load), SINGLE_CONNECTIONS, alone / 2.0, b"")?;
    say_times(report, &times, "ms, single call to committed decision");
    report.say("server's memory after the batches", resident as f64 / 1e6, "MB");
    report.say("server's memory at the end", server.resident_bytes() as f64 / 1e6, "MB");
    decide(&server, rest, arguments.seconds, report)?;
    drop(server);

    report.head(&format!("floor at the same load, {load:.0} events/s in batches"));
    let floor = Server::start(directory, "floor-at-load", true)?;
    let (times, _) = steady(&floor, &floor.batches(at_load), BATCH_CONNECTIONS, load, b"")?;
    say_times(report, &times, "ms, request to flushed record");
    Ok(())
}
