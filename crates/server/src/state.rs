//! What every part of the server shares.

use crate::api::overview::Overview;
use crate::audit::Audit;
use crate::channels::Channels;
use crate::dead_letters::DeadLetters;
use crate::idempotency::Answers;
use crate::keeper::Keeper;
use crate::keys::{Caller, Keys, Role};
use crate::live::Live;
use crate::metrics::Timings;
use crate::signed::Signer;
use faden_engine::Definitions;
use faden_engine::definitions::Secret;
use faden_engine::workspace::Files;
use faden_storage::LogReaders;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, RwLock};

/// Definitions as they hold now, with the files they were read from.
pub struct Published {
    pub definitions: Arc<Definitions>,
    pub files: Files,
    /// A hash of all files.
    pub version: String,
    pub published_at: String,
    /// Key of a source to its name; made from the workspace and the environment.
    pub write_keys: BTreeMap<String, String>,
}

/// The server's shared parts; cheap to clone.
#[derive(Clone)]
pub struct App(pub Arc<Parts>);

pub struct Parts {
    pub data: PathBuf,
    pub keeper: Keeper,
    pub keys: Keys,
    /// Console sessions: secret to who it is. They end with the process.
    pub sessions: Mutex<BTreeMap<String, Caller>>,
    /// One-time tokens that become sessions.
    pub logins: Mutex<BTreeMap<String, Caller>>,
    pub audit: Audit,
    pub dead_letters: DeadLetters,
    pub published: RwLock<Arc<Published>>,
    /// One publication at a time.
    pub publishing: tokio::sync::Mutex<()>,
    /// Of the node as it was opened last.
    pub log: Arc<RwLock<LogReaders>>,
    pub channels: Channels,
    pub live: Live,
    /// As it was when the node could be asked last.
    pub overview: Mutex<Option<Overview>>,
    pub timings: Timings,
    /// Answers to writes that may be sent again.
    pub answers: Answers,
    pub signer: Signer,
    /// How the outside reaches this server, without a slash at the end.
    pub base_url: String,
}

impl std::ops::Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Parts {
    /// Who has this secret: an API key, a source's write key or a session.
    pub fn caller(&self, secret: &str) -> Option<Caller> {
        if secret.is_empty() {
            return None;
        }
        if let Some(source) = self.published().write_keys.get(secret) {
            return Some(Caller { name: source.clone(), role: Some(Role::Source), scopes: Role::Source.scopes().to_vec() });
        }
        let session = self.sessions.lock().expect("no holder of this lock panics").get(secret).cloned();
        session.or_else(|| self.keys.find(secret))
    }

    pub fn published(&self) -> Arc<Published> {
        self.published.read().expect("no holder of this lock panics").clone()
    }
}

impl Published {
    pub fn new(definitions: Arc<Definitions>, files: Files, published_at: String) -> Published {
        let write_keys = definitions
            .sources
            .values()
            .filter_map(|source| Some((resolve(source.write_key.as_ref()?)?, source.name.to_string())))
            .collect();
        Published { version: fingerprint(&files), definitions, files, published_at, write_keys }
    }
}

/// Secrets of a demonstration, which stand before the environment.
static GIVEN: OnceLock<BTreeMap<String, String>> = OnceLock::new();

/// Gives secrets by name instead of setting them in the environment; only the first call counts.
pub fn set_secrets(secrets: BTreeMap<String, String>) {
    // A second demonstration in one process has the same ones.
    let _ = GIVEN.set(secrets);
}

/// The value of a secret; `None` where it is not set.
pub fn resolve(secret: &Secret) -> Option<String> {
    let value = match secret {
        Secret::Environment(name) => {
            let given = GIVEN.get().and_then(|given| given.get(name.as_str()).cloned());
            given.or_else(|| std::env::var(name.as_str()).ok())?
        }
        Secret::File(path) => std::fs::read_to_string(path.as_str()).ok()?.trim_end_matches(['\n', '\r']).to_owned(),
    };
    (!value.is_empty()).then_some(value)
}

/// A hash of all texts: the same files, the same version.
pub fn fingerprint(files: &Files) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in files.0.iter().flat_map(|(path, text)| [path, text]) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}
