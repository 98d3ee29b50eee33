//! The accounts of a workspace: built when definitions are published, each with its queue and its health.

use super::build::{Built, Calls, build};
use super::routing::{Rates, choose, group};
use super::worker;
use crate::keeper::now;
use crate::said::{Code, Said, Wording};
use crate::state::App;
use faden_channels::Channel;
use faden_engine::Definitions;
use faden_engine::definitions::Secret;
use faden_model::{MessageId, Text, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

/// How long messages under way may take when the server ends, and how often it is looked.
const FAREWELL_MAX: Duration = Duration::from_secs(5);
const FAREWELL_LOOK: Duration = Duration::from_millis(20);

/// First pause of an account whose provider could not be used; doubles up to the longest.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// No provider's wish for a pause is heeded for longer.
const PAUSE_ASKED_MAX: Duration = Duration::from_secs(3600);
/// So many messages in a row may be not taken for now before the account goes slower.
const LATER_IN_A_ROW_MAX: u32 = 10;

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
    /// What `last_error` says, for clients that say it themselves.
    pub last_error_wording: Option<Wording>,
    pub queued: u64,
    pub in_flight: u64,
    pub sent_total: u64,
    pub failed_total: u64,
    pub limit_per_second: Option<u32>,
    /// The account whose messages it may take, too.
    pub instead_of: Option<String>,
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
    /// The account whose messages it may take, too; see [`super::routing`].
    pub instead_of: Option<String>,
    /// The settings it was made of, secrets resolved: another text, another account.
    made_of: String,
    pub(super) limits: Limits,
    pub channel: Option<Arc<dyn Channel>>,
    /// Reads what the provider calls us with.
    pub calls: Option<Calls>,
    queue: mpsc::UnboundedSender<MessageId>,
    pub(super) waiting: Waiting,
    pause: Mutex<Pause>,
    health: Mutex<(AccountState, Timestamp, Option<Said>)>,
    pub(super) queued: AtomicU64,
    pub(super) in_flight: AtomicU64,
    pub(super) sent: AtomicU64,
    pub(super) failed: AtomicU64,
    /// It is no longer published, or the server ends: nothing new is begun, what is under way is seen through.
    pub(super) closing: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// When an account is left alone.
struct Pause {
    /// Nothing is begun before.
    until: Instant,
    /// Attempts in a row after which the provider could not be used.
    down: u32,
    /// Messages in a row that were not taken for now, each for itself.
    later: u32,
}

/// The receiving end of an account's queue, shared by its workers.
type Waiting = tokio::sync::Mutex<mpsc::UnboundedReceiver<MessageId>>;

impl Account {
    /// The provider answered, and about this message only.
    pub(super) fn up(&self) {
        let mut pause = lock(&self.pause);
        (pause.down, pause.later) = (0, 0);
        drop(pause);
        let mut health = lock(&self.health);
        if health.0 == AccountState::Down {
            tracing::info!(account = %self.name, "a channel's account works again");
            *health = (AccountState::Up, now(), None);
        }
    }

    /// The provider did not take a message for now. That is the message's matter, until it happens to many in a row.
    pub(super) fn later(&self, code: &str) {
        let later = lock(&self.pause).later + 1;
        self.up();
        lock(&self.pause).later = later;
        if let Some(above) = later.checked_sub(LATER_IN_A_ROW_MAX).filter(|above| *above > 0) {
            self.slow(code, Some(PAUSE_MIN.saturating_mul(above).min(PAUSE_MAX)));
        }
    }

    /// The provider cannot be used: the account rests, longer each time.
    pub(super) fn down(&self, error: Said) {
        let mut pause = lock(&self.pause);
        // Workers that failed together are one failure.
        if pause.until <= Instant::now() {
            let wait = PAUSE_MIN.saturating_mul(1 << pause.down.min(16)).min(PAUSE_MAX);
            (pause.until, pause.down) = (Instant::now() + jittered(wait), pause.down + 1);
        }
        drop(pause);
        let mut health = lock(&self.health);
        if health.0 == AccountState::Up {
            tracing::warn!(account = %self.name, error = error.text, "a channel's account cannot be used, will try again");
            (health.0, health.1) = (AccountState::Down, now());
        }
        health.2 = Some(error);
    }

    /// The provider wants less: nothing goes out for so long.
    pub(super) fn slow(&self, code: &str, after: Option<Duration>) {
        let wait = after.unwrap_or(PAUSE_MIN).min(PAUSE_ASKED_MAX);
        tracing::info!(account = %self.name, code, seconds = wait.as_secs_f32(), "a provider asks for a pause");
        let mut pause = lock(&self.pause);
        pause.until = pause.until.max(Instant::now() + wait);
    }

    /// Waits until the account may be used.
    pub(super) async fn rested(&self) {
        loop {
            let until = lock(&self.pause).until;
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }

    /// What its provider calls a message, told apart from what the provider that it stands in for may call so.
    pub fn own_name(&self, provider_id: &str) -> Text {
        if self.instead_of.is_some() { Text::from(format!("{}/{provider_id}", self.name)) } else { Text::new(provider_id) }
    }

    /// How ready it is to take a message, the smaller the better: at once; when it has rested, or when somebody has
    /// found out whether its provider is back; not at all.
    pub(super) fn readiness(&self) -> u8 {
        if self.channel.is_none() {
            return 2;
        }
        let resting = lock(&self.pause).until > Instant::now();
        let down = lock(&self.health).0 == AccountState::Down;
        let busy = self.queued.load(Ordering::Relaxed) + self.in_flight.load(Ordering::Relaxed) > 0;
        u8::from(resting || (down && busy))
    }

    fn health(&self) -> AccountHealth {
        let (state, since, last_error) = lock(&self.health).clone();
        let (last_error, last_error_wording) = last_error.map(|said| (said.text, said.wording)).unzip();
        AccountHealth {
            name: self.name.clone(),
            kind: self.kind.clone(),
            state,
            since: since.to_string(),
            last_error,
            last_error_wording,
            queued: self.queued.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            sent_total: self.sent.load(Ordering::Relaxed),
            failed_total: self.failed.load(Ordering::Relaxed),
            limit_per_second: self.limits.per_second,
            instead_of: self.instead_of.clone(),
        }
    }
}

/// A message that is in hand, and how often it was tried.
#[derive(Clone, Default)]
pub(super) struct Tries {
    /// Where its customer lives.
    country: Text,
    /// The account that may have handed it over: nobody else tries it, as only its provider may know the message.
    pub with: Option<String>,
    /// Attempts that failed for the message alone.
    pub failed: u32,
    /// Attempts after which nobody knows whether it was taken.
    pub unanswered: u32,
}

/// All accounts of the server.
#[derive(Default)]
pub struct Channels {
    accounts: RwLock<BTreeMap<String, Arc<Account>>>,
    /// Accounts that are no longer published and may have messages under way.
    retired: Mutex<Vec<Arc<Account>>>,
    /// Messages for a channel kind that has no account; they wait for one to be published.
    homeless: Mutex<Vec<(String, MessageId)>>,
    /// Every message that is in our hands is here once, and in one place: a queue, a worker, a pause of its own, or
    /// without a home. So one that is announced again, because its node was opened again, is not sent by two workers.
    in_hand: Mutex<HashMap<MessageId, Tries>>,
    /// How much arrives by which account.
    rates: RwLock<Rates>,
}

impl Channels {
    /// Brings the accounts in line with what is published. What did not change goes on undisturbed; what did
    /// finishes the messages that its workers hold, and all others move to its successor.
    pub fn publish(&self, app: &App, definitions: &Definitions) {
        let mut accounts = self.accounts.write().expect("no holder of this lock panics");
        let mut old = std::mem::take(&mut *accounts);
        for declared in definitions.channels.values() {
            let name = declared.name.to_string();
            let (settings, missing) = resolved(&declared.settings);
            let made_of = settings.to_string();
            let same = |known: &Arc<Account>| known.made_of == made_of && known.kind == declared.kind.as_str();
            if old.get(&name).is_some_and(same) {
                accounts.extend(old.remove_entry(&name));
                continue;
            }
            let closing = CancellationToken::new();
            let built = if missing.is_empty() { build(app, &declared.kind, &name, &settings, &closing) } else { Err(unset(&missing)) };
            accounts.insert(name.clone(), start(app, name, declared.kind.to_string(), settings, closing, built));
        }
        drop(accounts);
        let homeless = std::mem::take(&mut *lock(&self.homeless));
        for (channel, message) in homeless {
            self.place(&channel, message);
        }
        let mut retired = lock(&self.retired);
        retired.retain(|account| account.in_flight.load(Ordering::Relaxed) > 0);
        for account in old.into_values() {
            account.closing.cancel();
            retired.push(account.clone());
            tokio::spawn(clear(app.clone(), account));
        }
    }

    /// Whether any account may take another one's place.
    pub fn have_stand_ins(&self) -> bool {
        let accounts = self.accounts.read().expect("no holder of this lock panics");
        accounts.values().any(|account| account.instead_of.is_some())
    }

    /// Ends all accounts: no message is begun any more, and what is under way has a few seconds.
    pub async fn close(&self) {
        let mut accounts: Vec<Arc<Account>> =
            std::mem::take(&mut *self.accounts.write().expect("no holder of this lock panics")).into_values().collect();
        accounts.append(&mut lock(&self.retired));
        accounts.iter().for_each(|account| account.closing.cancel());
        let deadline = Instant::now() + FAREWELL_MAX;
        let busy = || accounts.iter().any(|account| account.in_flight.load(Ordering::Relaxed) > 0);
        while busy() && Instant::now() < deadline {
            sleep(FAREWELL_LOOK).await;
        }
        for account in accounts {
            lock(&account.tasks).iter().for_each(JoinHandle::abort);
        }
    }

    /// Takes a message in hand that must go out, unless it is already.
    pub fn queue(&self, channel: &str, country: Text, message: MessageId) {
        if let std::collections::hash_map::Entry::Vacant(place) = lock(&self.in_hand).entry(message) {
            place.insert(Tries { country, ..Tries::default() });
        } else {
            return;
        }
        self.place(channel, message);
    }

    /// Puts a message that is in hand into the queue of the best account of its kind.
    pub(super) fn place(&self, channel: &str, message: MessageId) {
        let (country, with) = lock(&self.in_hand).get(&message).map(|hand| (hand.country.clone(), hand.with.clone())).unwrap_or_default();
        let accounts = self.accounts.read().expect("no holder of this lock panics");
        let group = group(&accounts, channel);
        let the_same = group.iter().find(|account| with.as_ref() == Some(&account.name)).copied();
        let rates = self.rates.read().expect("no holder of this lock panics");
        match the_same.or_else(|| choose(&group, &rates, &country)) {
            Some(account) => {
                account.queued.fetch_add(1, Ordering::Relaxed);
                account.queue.send(message).expect("an account holds both ends of its queue");
            }
            None => lock(&self.homeless).push((channel.to_owned(), message)),
        }
    }

    /// Counts an attempt of a message in hand.
    pub(super) fn tried(&self, message: MessageId, count: impl FnOnce(&mut Tries)) -> Tries {
        let mut in_hand = lock(&self.in_hand);
        let tries = in_hand.entry(message).or_default();
        count(tries);
        tries.clone()
    }

    /// What waits for an account that rests goes by another one, where one is ready to take its place.
    pub(super) fn hand_on(&self, account: &Account) {
        let accounts = self.accounts.read().expect("no holder of this lock panics");
        if !group(&accounts, &account.kind).iter().any(|other| other.name != account.name && other.readiness() == 0) {
            return;
        }
        drop(accounts);
        // Whoever holds the queue waits for a message: there is none.
        let Ok(mut waiting) = account.waiting.try_lock() else { return };
        let messages: Vec<MessageId> = std::iter::from_fn(|| waiting.try_recv().ok()).collect();
        drop(waiting);
        account.queued.fetch_sub(messages.len() as u64, Ordering::Relaxed);
        messages.into_iter().for_each(|message| self.place(&account.kind, message));
    }

    /// New figures for those who choose an account.
    pub(super) fn measured(&self, rates: Rates) {
        *self.rates.write().expect("no holder of this lock panics") = rates;
    }

    /// It needs to go out no more: what came of it is written down.
    pub(super) fn let_go(&self, message: MessageId) {
        lock(&self.in_hand).remove(&message);
    }

    pub fn get(&self, name: &str) -> Option<Arc<Account>> {
        self.accounts.read().expect("no holder of this lock panics").get(name).cloned()
    }

    pub fn health(&self) -> Vec<AccountHealth> {
        self.accounts.read().expect("no holder of this lock panics").values().map(|account| account.health()).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of this lock panics")
}

/// Half to the whole of a pause: those that failed together do not come back together.
pub(super) fn jittered(pause: Duration) -> Duration {
    let mut byte = [0];
    // Without random numbers all pauses are of one length, which does no harm.
    let _ = getrandom::fill(&mut byte);
    pause / 2 + pause.mul_f64(f64::from(byte[0]) / 512.0)
}

/// Moves what waits for an account that is no longer published to whoever sends its kind now.
async fn clear(app: App, account: Arc<Account>) {
    // Its workers let go of the queue when they see that it closes.
    let mut waiting = account.waiting.lock().await;
    while let Ok(message) = waiting.try_recv() {
        app.channels.place(&account.kind, message);
    }
}

fn start(app: &App, name: String, kind: String, settings: Value, closing: CancellationToken, built: Result<Built, Said>) -> Arc<Account> {
    let (queue, waiting) = mpsc::unbounded_channel();
    let limits: Limits = serde_json::from_value(settings.clone()).unwrap_or_default();
    let limits = Limits { connections: connections(&settings).unwrap_or(limits.connections).clamp(1, 64), ..limits };
    let (channel, calls, mut tasks, state, error) = match built {
        Ok(Built { channel, calls, tasks }) => (Some(channel), calls, tasks, AccountState::Up, None),
        Err(error) => {
            tracing::warn!(account = %name, error = error.text, "a channel's account cannot be used");
            (None, None, Vec::new(), AccountState::Unconfigured, Some(error))
        }
    };
    let account = Arc::new(Account {
        name,
        kind,
        instead_of: settings.get("instead_of").and_then(Value::as_str).map(str::to_owned),
        made_of: settings.to_string(),
        limits,
        channel,
        calls,
        queue,
        waiting: tokio::sync::Mutex::new(waiting),
        pause: Mutex::new(Pause { until: Instant::now(), down: 0, later: 0 }),
        health: Mutex::new((state, now(), error)),
        queued: AtomicU64::new(0),
        in_flight: AtomicU64::new(0),
        sent: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        closing,
        tasks: Mutex::new(Vec::new()),
    });
    let pace = Arc::new(worker::Pace::new(limits.per_second));
    tasks.extend((0..limits.connections).map(|_| tokio::spawn(worker::run(app.clone(), account.clone(), pace.clone()))));
    *lock(&account.tasks) = tasks;
    account
}

/// Where the protocol has connections of its own, its settings say how many: `smtp: {connections: 4}`, `smpp: {window: 10}`.
fn connections(settings: &Value) -> Option<usize> {
    let named = |section: &str, name: &str| settings.get(section)?.get(name)?.as_u64();
    let found = named("smtp", "connections").or_else(|| named("smpp", "window"));
    found.and_then(|count| usize::try_from(count).ok())
}

/// Settings with their secrets in place, and what is missing of them.
fn resolved(settings: &str) -> (Value, Vec<Secret>) {
    let mut missing = Vec::new();
    let value = serde_json::from_str(settings).map(|value| filled(value, &mut missing)).unwrap_or(Value::Null);
    (value, missing)
}

fn filled(value: Value, missing: &mut Vec<Secret>) -> Value {
    match value {
        Value::Object(map) => match secret_of(&map) {
            Some(secret) => match crate::state::resolve(&secret) {
                Some(text) => Value::String(text),
                None => {
                    missing.push(secret);
                    Value::Null
                }
            },
            None => Value::Object(map.into_iter().map(|(name, value)| (name, filled(value, missing))).collect()),
        },
        Value::Array(items) => items.into_iter().map(|item| filled(item, missing)).collect(),
        other => other,
    }
}

/// Secrets that are not there.
fn unset(missing: &[Secret]) -> Said {
    let called = missing.iter().map(|secret| match secret {
        Secret::Environment(name) => (name.as_str(), format!("the environment variable {name}")),
        Secret::File(path) => (path.as_str(), format!("the file {path}")),
    });
    let (names, called): (Vec<&str>, Vec<String>) = called.unzip();
    let names = names.join(", ");
    Said::new(Code::SecretMissing, [("names", names.as_str().into())], format!("{} is not set", called.join(", ")))
}

/// `{env: NAME}` or `{file: PATH}`.
fn secret_of(map: &Map<String, Value>) -> Option<Secret> {
    if map.len() != 1 {
        return None;
    }
    let (name, value) = map.iter().next()?;
    let value = value.as_str()?;
    match name.as_str() {
        "env" => Some(Secret::Environment(value.into())),
        "file" => Some(Secret::File(value.into())),
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
        assert_eq!(unset(&missing).text, "the environment variable FADEN_TEST_NOT_SET is not set");
    }
}
