//! Wiring: from a data directory to a server that listens.

use crate::audit::Audit;
use crate::channels::Channels;
use crate::dead_letters::DeadLetters;
use crate::idempotency::Answers;
use crate::keeper::{self, Keeper, Running};
use crate::keys::{Caller, Keys, Role, secret};
use crate::live::Live;
use crate::metrics::Timings;
use crate::publish::{Refused, publish};
use crate::signed::Signer;
use crate::state::{App, Parts, Published};
use crate::{access, answer, api, channels, console, idempotency, inbound, ingest, surfaces};
use axum::Router;
use axum::http::{Method, header};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use faden_engine::Definitions;
use faden_engine::workspace::{Files, Finding};
use faden_runtime::{Node, NodeError, SharedStore};
use faden_storage::{FileDisk, FjallStore, Log, LogOptions, LogReaders, StoreOptions};
use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Profiles that stay in memory: as many as a sixteenth of the machine's memory holds, of these.
const PROFILES_IN_MEMORY: RangeInclusive<u64> = 250_000..=500_000;
const PROFILE_BYTES: u64 = 1_500;
const PROFILES_MEMORY_PART: u64 = 16;

/// How to serve.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where everything is kept; created where it is missing.
    pub data: PathBuf,
    pub listen: SocketAddr,
    /// Definitions to publish at the start, where they differ from those in force.
    pub workspace: Option<Files>,
    /// How the outside reaches this server; made from the address where it is not given.
    pub base_url: Option<String>,
    /// 1 to 64; only a new data directory takes it.
    pub partitions: usize,
    /// Bytes of the store's cache.
    pub cache_bytes: u64,
    /// Time between two checkpoints.
    pub checkpoint_after: Duration,
    /// Append and flush only: the floor of load tests. The data directory is of no other use.
    pub log_only: bool,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot use the data directory `{}`; look at its owner and at the disk", path.display())]
    Data {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("another program uses the data directory `{}`; stop it, or name another directory with `--data`", path.display())]
    InUse { path: PathBuf },
    #[error("cannot listen on {address}; another program may use the port: name another with `--listen`")]
    Listen {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("the state in the data directory cannot be opened [{}]", keeper::code(_0))]
    Node(#[from] NodeError),
    #[error("the workspace has errors; `faden check` shows them with their places")]
    Workspace(Vec<Finding>),
    #[error("the workspace could not be published: {0}")]
    Publish(String),
}

/// A running server.
pub struct Started {
    pub address: SocketAddr,
    pub base_url: String,
    /// A link that signs in to the console, once.
    pub login: String,
    /// An admin key, when the data directory was new: shown once.
    pub admin_key: Option<String>,
    /// A key for sources, when the data directory was new.
    pub write_key: Option<String>,
    pub workspace: String,
    app: App,
    stop: watch::Sender<bool>,
    http: tokio::task::JoinHandle<std::io::Result<()>>,
    running: Running,
    _lock: File,
}

impl Started {
    /// Ends after everything that came in was answered and written.
    pub async fn stop(self) {
        self.app.live.tell(api::END, String::new());
        // Nobody listens any more when it has ended by itself.
        let _ = self.stop.send(true);
        if let Ok(Err(error)) = self.http.await {
            tracing::warn!(%error, "the HTTP server ended with an error");
        }
        self.app.channels.close().await;
        self.app.keeper.stop();
        let running = self.running;
        if tokio::task::spawn_blocking(move || running.wait()).await.is_err() {
            tracing::error!("the keeper could not be waited for");
        }
    }
}

/// Starts everything; returns when it listens.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(options: Options) -> Result<Started, ServeError> {
    // Installed already where a test or another part was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let lock = lock(&options.data)?;
    let mut open = opener(&options);
    let node = tokio::task::block_in_place(&mut open)?;
    let listener = TcpListener::bind(options.listen).await.map_err(|source| ServeError::Listen { address: options.listen, source })?;
    let address = listener.local_addr().map_err(|source| ServeError::Listen { address: options.listen, source })?;
    let base_url = options.base_url.clone().unwrap_or_else(|| format!("http://{address}")).trim_end_matches('/').to_owned();
    let (outbox, messages) = mpsc::unbounded_channel();
    let (app, running) = assemble(&options, node, open, outbox, base_url.clone())?;
    app.channels.publish(&app, &app.published().definitions);
    if let Some(files) = options.workspace.clone().or_else(|| starter(&app)) {
        publish(&app, files, None, "faden serve").await.map_err(|refused| match refused {
            Refused::Findings(findings) => ServeError::Workspace(findings),
            Refused::Outdated { current } => ServeError::Publish(format!("version {current} is in force")),
            Refused::Problem(problem) => ServeError::Publish(problem.detail),
        })?;
    }
    // Nothing can fail any more: they are shown once.
    let (admin_key, write_key) = first_keys(&app, &options.data)?;
    tokio::spawn(channels::dispatch(app.clone(), messages));
    tokio::spawn(channels::measure(app.clone()));
    tokio::spawn(api::every_second(app.clone()));
    tokio::spawn(api::as_decided(app.clone()));
    let (stop, stopped) = watch::channel(false);
    let router = router(app.clone());
    let http = tokio::spawn(async move {
        let graceful = axum::serve(listener, router).with_graceful_shutdown(until(stopped.clone()));
        // Streams were told to end; whoever reads nothing is not waited for any more a short while after the signal.
        tokio::select! {
            ended = graceful => ended,
            () = async { until(stopped).await; tokio::time::sleep(Duration::from_secs(3)).await } => Ok(()),
        }
    });
    let token = secret("");
    let admin = Caller { name: "console".to_owned(), role: Some(Role::Admin), scopes: Role::Admin.scopes().to_vec() };
    app.logins.lock().expect("no holder of this lock panics").insert(token.clone(), admin);
    let workspace = app.published().definitions.workspace.to_string();
    let login = format!("{base_url}/login?token={token}");
    Ok(Started { address, base_url, login, admin_key, write_key, workspace, app, stop, http, running, _lock: lock })
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // The sender is gone only when the server is.
    let _ = stopped.wait_for(|stop| *stop).await;
}

fn data_error(path: &Path) -> impl FnOnce(std::io::Error) -> ServeError {
    let path = path.to_owned();
    move |source| ServeError::Data { path, source }
}

/// One program per data directory.
fn lock(data: &Path) -> Result<File, ServeError> {
    std::fs::create_dir_all(data).map_err(data_error(data))?;
    let path = data.join("lock");
    let file = File::create(&path).map_err(data_error(data))?;
    file.try_lock().map_err(|_| ServeError::InUse { path: data.to_owned() })?;
    Ok(file)
}

/// Opens the node as often as it must be.
pub(crate) fn opener(options: &Options) -> keeper::Open {
    let (data, partitions, cache_bytes) = (options.data.clone(), options.partitions, options.cache_bytes);
    Box::new(move || {
        let log = Log::open(Arc::new(FileDisk), LogOptions::new(data.join("log")))?;
        let store = FjallStore::open(&StoreOptions { directory: data.join("store"), cache_bytes })?;
        let mut hash_key = [0; 16];
        getrandom::fill(&mut hash_key).expect("the system has random numbers");
        let node = faden_runtime::Options {
            partitions,
            explain: true,
            // The keeper says when: never while the last one is still being written.
            checkpoint_every: u64::MAX,
            warm_max: profiles_in_memory(memory_bytes()),
            awaits_receipts: true,
            overlap: true,
            commit_beside: true,
            views: true,
            hash_key,
            ..faden_runtime::Options::default()
        };
        Node::open(Arc::new(Definitions::default()), node, log, SharedStore::new(Box::new(store)))
    })
}

fn profiles_in_memory(memory_bytes: Option<u64>) -> usize {
    let (fewest, most) = PROFILES_IN_MEMORY.into_inner();
    let fitting = memory_bytes.unwrap_or(0) / PROFILES_MEMORY_PART / PROFILE_BYTES;
    usize::try_from(fitting.clamp(fewest, most)).unwrap_or(usize::MAX)
}

/// What this process may use of the machine's memory, as Linux and the group that it runs in (a container, a
/// service) say; `None` where nobody says.
fn memory_bytes() -> Option<u64> {
    let kilobytes = |line: &str| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok();
    let machine = std::fs::read_to_string("/proc/meminfo").ok()?.lines().find_map(kilobytes)? << 10;
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|limit| limit.trim().parse().ok());
    Some(group.map_or(machine, |limit: u64| limit.min(machine)))
}

fn assemble(
    options: &Options,
    node: Node,
    open: keeper::Open,
    outbox: mpsc::UnboundedSender<faden_model::MessageId>,
    base_url: String,
) -> Result<(App, Running), ServeError> {
    let data = &options.data;
    let (files, at) = node.files();
    let published = Published::new(node.index().definitions.clone(), Files(files.clone()), at.to_string());
    let log = Arc::new(RwLock::new(node.log_readers().expect("an opened node has a log")));
    let open = follow_log(open, log.clone());
    let keeper_options = keeper::Options { checkpoint_after: options.checkpoint_after, log_only: options.log_only };
    let (keeper, running) = Keeper::start(node, open, keeper_options, outbox).map_err(data_error(data))?;
    let parts = Parts {
        data: data.clone(),
        keeper,
        keys: Keys::open(data.join("keys.json")).map_err(data_error(data))?,
        sessions: Mutex::new(BTreeMap::new()),
        logins: Mutex::new(BTreeMap::new()),
        audit: Audit::open(data.join("audit.ndjson")).map_err(data_error(data))?,
        dead_letters: DeadLetters::open(data.join("dead_letters.ndjson")).map_err(data_error(data))?,
        published: RwLock::new(Arc::new(published)),
        publishing: tokio::sync::Mutex::new(()),
        log,
        channels: Channels::default(),
        live: Live::default(),
        overview: Mutex::default(),
        timings: Timings::default(),
        answers: Answers::default(),
        signer: Signer::open(&data.join("signing.key")).map_err(data_error(data))?,
        base_url,
    };
    Ok((App(Arc::new(parts)), running))
}

/// A node that was opened again has a log of its own: whoever reads events must read that one.
fn follow_log(mut open: keeper::Open, log: Arc<RwLock<LogReaders>>) -> keeper::Open {
    Box::new(move || {
        let node = open()?;
        if let Some(readers) = node.log_readers() {
            *log.write().expect("no holder of this lock panics") = readers;
        }
        Ok(node)
    })
}

/// Keys of a new data directory: one for its owner, one for sources.
fn first_keys(app: &App, data: &Path) -> Result<(Option<String>, Option<String>), ServeError> {
    if !app.keys.is_empty() {
        return Ok((None, None));
    }
    let now = keeper::now().to_string();
    let mut made = Vec::new();
    for (name, role) in [("admin", Role::Admin), ("source", Role::Source)] {
        app.audit.write(&now, "faden serve", "key.created", name, "first start").map_err(data_error(data))?;
        made.push(app.keys.create(name, role, None, &now).map_err(data_error(data))?.0);
    }
    let mut made = made.into_iter();
    Ok((made.next(), made.next()))
}

/// The workspace of a new data directory for which none was given.
fn starter(app: &App) -> Option<Files> {
    let text = "# Your workspace. Publish another with `faden apply DIR`.\n\
                workspace: my_company\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en, de]\n";
    let empty = app.published().files.0.is_empty();
    empty.then(|| Files(BTreeMap::from([("faden.yaml".to_owned(), text.to_owned())])))
}

fn router(app: App) -> Router {
    let checked = || from_fn_with_state(app.clone(), access::check);
    let traced = || from_fn_with_state(app.clone(), crate::telemetry::trace);
    let intake = Router::new().merge(ingest::segment::router()).merge(ingest::cloud_events::router());
    let once = || from_fn_with_state(app.clone(), idempotency::once);
    let others = Router::new().merge(api::router()).merge(surfaces::router()).merge(inbound::router());
    // A refusal must reach the page as well, so what lets browsers in stands outside of the check.
    let all = intake
        .route_layer(checked())
        .route_layer(traced())
        .layer(cors())
        .merge(others.route_layer(once()).route_layer(checked()).route_layer(traced()));
    all.fallback(console::file)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), answer::complete))
        .with_state(app)
}

/// Browsers of any page may send events: the key is what counts, and it may not do anything else.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::mirror_request())
        .allow_methods([Method::POST, Method::OPTIONS])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::CONTENT_ENCODING])
        .max_age(Duration::from_secs(86_400))
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    use axum::response::IntoResponse;
    tracing::error!("a call made the server panic; this is a mistake in Faden");
    let hint = "report it with the request id; other calls go on";
    let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
    crate::problem::Problem::new(status, "server-mistake", "this call met a mistake in the server", hint).into_response()
}

#[cfg(test)]
#[path = "../tests/common/options.rs"]
mod test_options;

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::Client;
    use std::sync::mpsc::channel;

    #[test]
    fn as_many_profiles_stay_as_the_memory_allows_within_bounds() {
        let kept = [None, Some(1 << 30), Some(8 << 30), Some(256 << 30)].map(profiles_in_memory);
        assert_eq!(kept, [250_000, 250_000, 357_913, 500_000]);
    }

    /// Nearly as long as a batch may be.
    fn batch(number: usize) -> String {
        let event =
            format!("{{\"type\":\"track\",\"userId\":\"u1\",\"event\":\"Seen\",\"properties\":{{\"x\":\"{}\"}}}}", "x".repeat(30_000));
        let events: Vec<String> = (0..16).map(|at| event.replacen("u1", &format!("u{number}-{at}"), 1)).collect();
        format!("{{\"batch\":[{}]}}", events.join(","))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn more_than_memory_may_hold_is_turned_away_at_once_and_what_was_taken_is_not_lost() {
        const CALLS: usize = 180;
        let data = tempfile::tempdir().expect("a temporary directory");
        let started = serve(test_options::options(data.path())).await.expect("the server starts");
        let key = started.write_key.clone().expect("a new data directory has keys");
        // The disk hangs: nothing is written until it is let go.
        let (let_go, held) = channel::<()>();
        let keeper = started.app.keeper.clone();
        let hanging = tokio::spawn(async move { keeper.look(move |_| held.recv().is_ok()).await });
        let client = Client::builder().timeout(Duration::from_secs(60)).build().expect("a client");
        let calls: Vec<_> = (0..CALLS)
            .map(|number| {
                let call = client.post(format!("http://{}/v1/batch", started.address)).bearer_auth(&key).body(batch(number));
                tokio::spawn(async move {
                    let answer = call.send().await.expect("it answers");
                    let after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
                    (answer.status().as_u16(), after)
                })
            })
            .collect();
        let turned_away = || started.app.live.turned_away.load(std::sync::atomic::Ordering::Relaxed);
        // 64 MB may wait; the others are answered while nothing is written at all.
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        let room = (64 << 20) / batch(0).len();
        while turned_away() < (CALLS - room) as u64 {
            assert!(std::time::Instant::now() < deadline, "only {} were turned away", turned_away());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(!hanging.is_finished());
        let_go.send(()).expect("it hangs");
        let mut counts = BTreeMap::new();
        for call in calls {
            let (status, after) = call.await.expect("a call");
            assert_eq!(after.is_some_and(|seconds| seconds > 0), status == 429);
            *counts.entry(status).or_insert(0) += 1;
        }
        let taken = counts.get(&200).copied().unwrap_or(0);
        assert_eq!(counts.keys().copied().collect::<Vec<u16>>(), [200, 429], "{counts:?}");
        assert!(taken > room / 2 && taken <= room, "{taken} of {room}");
        let events = started.app.keeper.look(|node| node.views().map(|views| views.counts.events)).await.expect("it goes on");
        assert_eq!(events, Some(taken as u64 * 16));
        started.stop().await;
    }
}
