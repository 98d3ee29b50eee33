//! The accounts of a workspace: built when definitions are published, each with its queue and its health.

use super::build::{Built, Calls, build};
use super::worker;
use crate::keeper::now;
use crate::state::App;
use faden_channels::Channel;
use faden_engine::Definitions;
use faden_model::{MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use utoipa::ToSchema;

/// How long messages under way may take when the server ends, and how often it is looked.
const FAREWELL_MAX: Duration = Duration::from_secs(5);
const FAREWELL_LOOK: Duration = Duration::from_millis(20);

/// Whether an account can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    Up,
    Down,
    /// Its settings or secrets do not make an account.
    Unconfigured,
}

/// What people see of an account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccountHealth {
    pub name: String,
    pub kind: String,
    pub state: AccountState,
    pub since: String,
    pub last_error: Option<String>,
    pub queued: u64,
    pub in_flight: u64,
    pub sent_total: u64,
    pub failed_total: u64,
    pub limit_per_second: Option<u32>,
}

/// What every account may say beside its provider's settings.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
pub(super) struct Limits {
    pub per_second: Option<u32>,
    /// Messages on their way at the same time; a crash can repeat as many.
    pub connections: usize,
    /// A message that did not go out within this time has failed.
    pub deadline_seconds: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { per_second: None, connections: 1, deadline_seconds: 86_400 }
    }
}

/// One account while the server runs.
pub struct Account {
    pub name: String,
    pub kind: String,
    /// The settings it was made of, secrets resolved: another text, another account.
    made_of: String,
    pub(super) limits: Limits,
    pub channel: Option<Arc<dyn Channel>>,
    /// Reads what the provider calls us with.
    pub calls: Option<Calls>,
    queue: mpsc::UnboundedSender<MessageId>,
    health: Mutex<(AccountState, Timestamp, Option<String>)>,
    pub(super) queued: AtomicU64,
    pub(super) in_flight: AtomicU64,
    pub(super) sent: AtomicU64,
    pub(super) failed: AtomicU64,
    /// The server ends: nothing new is begun.
    pub(super) closing: AtomicBool,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Account {
    /// Notes that the provider can be used, or why not.
    pub(super) fn set(&self, state: AccountState, error: Option<String>) {
        let mut health = self.health.lock().expect("no holder of this lock panics");
        if health.0 != state {
            tracing::info!(account = %self.name, ?state, error = error.as_deref().unwrap_or_default(), "a channel's account changed");
            health.1 = now();
        }
        (health.0, health.2) = (state, error.or(health.2.take()).filter(|_| state != AccountState::Up));
    }

    fn health(&self) -> AccountHealth {
        let (state, since, last_error) = self.health.lock().expect("no holder of this lock panics").clone();
        AccountHealth {
            name: self.name.clone(),
            kind: self.kind.clone(),
            state,
            since: since.to_string(),
            last_error,
            queued: self.queued.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            sent_total: self.sent.load(Ordering::Relaxed),
            failed_total: self.failed.load(Ordering::Relaxed),
            limit_per_second: self.limits.per_second,
        }
    }
}

/// All accounts of the server.
#[derive(Default)]
pub struct Channels {
    accounts: RwLock<BTreeMap<String, Arc<Account>>>,
    /// Messages for a channel kind that has no account; they wait for one to be published.
    homeless: Mutex<Vec<(String, MessageId)>>,
}

impl Channels {
    /// Brings the accounts in line with what is published. What did not change goes on undisturbed.
    pub fn publish(&self, app: &App, definitions: &Definitions) {
        let mut accounts = self.accounts.write().expect("no holder of this lock panics");
        let mut old = std::mem::take(&mut *accounts);
        let mut waiting = std::mem::take(&mut *self.homeless.lock().expect("no holder of this lock panics"));
        for declared in definitions.channels.values() {
            let name = declared.name.to_string();
            let (settings, missing) = resolved(&declared.settings);
            let made_of = settings.to_string();
            if let Some(known) = old.remove(&name).filter(|known| known.made_of == made_of && known.kind == declared.kind.as_str()) {
                accounts.insert(name, known);
                continue;
            }
            let built = if missing.is_empty() {
                build(app, &declared.kind, &name, &settings)
            } else {
                Err(format!("{} is not set", missing.join(", ")))
            };
            accounts.insert(name.clone(), start(app, name, declared.kind.to_string(), settings, built));
        }
        // Messages of accounts that are gone are read from the outbox again below.
        let gone: Vec<Arc<Account>> = old.into_values().collect();
        for account in &gone {
            account.tasks.lock().expect("no holder of this lock panics").iter().for_each(JoinHandle::abort);
        }
        drop(accounts);
        for (channel, message) in waiting.drain(..) {
            self.queue(&channel, message);
        }
        if !gone.is_empty() {
            tokio::spawn(again(app.clone()));
        }
    }

    /// Ends all accounts: no message is begun any more, and what is under way has a few seconds.
    pub async fn close(&self) {
        let accounts = std::mem::take(&mut *self.accounts.write().expect("no holder of this lock panics"));
        accounts.values().for_each(|account| account.closing.store(true, Ordering::Relaxed));
        let deadline = tokio::time::Instant::now() + FAREWELL_MAX;
        let busy = || accounts.values().any(|account| account.in_flight.load(Ordering::Relaxed) > 0);
        while busy() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(FAREWELL_LOOK).await;
        }
        for account in accounts.values() {
            account.tasks.lock().expect("no holder of this lock panics").iter().for_each(JoinHandle::abort);
        }
    }

    /// Puts a message into the queue of the first account of its kind.
    pub fn queue(&self, channel: &str, message: MessageId) {
        let accounts = self.accounts.read().expect("no holder of this lock panics");
        let mut able: Vec<&Arc<Account>> = accounts.values().filter(|account| account.kind == channel).collect();
        able.sort_by_key(|account| account.channel.is_none());
        match able.first() {
            Some(account) => {
                account.queued.fetch_add(1, Ordering::Relaxed);
                // A worker that is gone is being replaced; the outbox is read again then.
                let _ = account.queue.send(message);
            }
            None => self.homeless.lock().expect("no holder of this lock panics").push((channel.to_owned(), message)),
        }
    }

    pub fn get(&self, name: &str) -> Option<Arc<Account>> {
        self.accounts.read().expect("no holder of this lock panics").get(name).cloned()
    }

    pub fn health(&self) -> Vec<AccountHealth> {
        self.accounts.read().expect("no holder of this lock panics").values().map(|account| account.health()).collect()
    }
}

/// Puts every open message into a queue again: workers ask before they send, so twice queued is sent once.
async fn again(app: App) {
    let open = app.keeper.look(|node| {
        let Some(store) = node.store().cloned() else { return Vec::new() };
        node.views().map(|views| views.messages.open(&store)).unwrap_or_default()
    });
    for (channel, message) in open.await.unwrap_or_default() {
        app.channels.queue(&channel, message);
    }
}

fn start(app: &App, name: String, kind: String, settings: Value, built: Result<Built, String>) -> Arc<Account> {
    let (queue, waiting) = mpsc::unbounded_channel();
    let limits: Limits = serde_json::from_value(settings.clone()).unwrap_or_default();
    let limits = Limits { connections: connections(&settings).unwrap_or(limits.connections).clamp(1, 64), ..limits };
    let (channel, calls, mut tasks, state, error) = match built {
        Ok(Built { channel, calls, tasks }) => (Some(channel), calls, tasks, AccountState::Up, None),
        Err(error) => {
            tracing::warn!(account = %name, error, "a channel's account cannot be used");
            (None, None, Vec::new(), AccountState::Unconfigured, Some(error))
        }
    };
    let account = Arc::new(Account {
        name,
        kind,
        made_of: settings.to_string(),
        limits,
        channel,
        calls,
        queue,
        health: Mutex::new((state, now(), error)),
        queued: AtomicU64::new(0),
        in_flight: AtomicU64::new(0),
        sent: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        closing: AtomicBool::new(false),
        tasks: Mutex::new(Vec::new()),
    });
    let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
    let pace = Arc::new(worker::Pace::new(limits.per_second));
    tasks.extend((0..limits.connections).map(|_| tokio::spawn(worker::run(app.clone(), account.clone(), waiting.clone(), pace.clone()))));
    *account.tasks.lock().expect("no holder of this lock panics") = tasks;
    account
}

/// `connections` as the provider's own settings name it: `smtp: {connections: 4}`, `smpp: {window: 10}`.
fn connections(settings: &Value) -> Option<usize> {
    let named = |section: &str, name: &str| settings.get(section)?.get(name)?.as_u64();
    let found = named("smtp", "connections").or_else(|| named("smpp", "window")).or_else(|| named("webhook", "connections"));
    found.and_then(|count| usize::try_from(count).ok())
}

/// Settings with their secrets in place, and what is missing of them.
pub fn resolved(settings: &str) -> (Value, Vec<String>) {
    let mut missing = Vec::new();
    let value = serde_json::from_str(settings).map(|value| filled(value, &mut missing)).unwrap_or(Value::Null);
    (value, missing)
}

fn filled(value: Value, missing: &mut Vec<String>) -> Value {
    match value {
        Value::Object(map) => match secret_of(&map) {
            Some((secret, name)) => match crate::state::resolve(&secret) {
                Some(text) => Value::String(text),
                None => {
                    missing.push(name);
                    Value::Null
                }
            },
            None => Value::Object(map.into_iter().map(|(name, value)| (name, filled(value, missing))).collect()),
        },
        Value::Array(items) => items.into_iter().map(|item| filled(item, missing)).collect(),
        other => other,
    }
}

/// `{env: NAME}` or `{file: PATH}`, and how people call it.
fn secret_of(map: &Map<String, Value>) -> Option<(faden_engine::definitions::Secret, String)> {
    use faden_engine::definitions::Secret;
    if map.len() != 1 {
        return None;
    }
    let (name, value) = map.iter().next()?;
    let value = value.as_str()?;
    match name.as_str() {
        "env" => Some((Secret::Environment(value.into()), format!("the environment variable {value}"))),
        "file" => Some((Secret::File(value.into()), format!("the file {value}"))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_filled_in_and_what_is_missing_is_named() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("secret");
        std::fs::write(&file, "hush\n").expect("written");
        let settings =
            format!(r#"{{"smtp":{{"password":{{"file":"{}"}},"port":25}},"key":{{"env":"FADEN_TEST_NOT_SET"}}}}"#, file.display());
        let (value, missing) = resolved(&settings);
        assert_eq!(value.to_string(), r#"{"key":null,"smtp":{"password":"hush","port":25}}"#);
        assert_eq!(missing, ["the environment variable FADEN_TEST_NOT_SET"]);
    }
}
