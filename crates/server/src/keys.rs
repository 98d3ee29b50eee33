//! API keys: who may do what. Only hashes are kept; a key is shown once, when it is made.
//!
//! A key is 32 random bytes behind `fdk_`, so a plain hash is enough: there is nothing to guess. Keys of
//! sources come from the workspace and the environment and are not kept here.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::RwLock;
use utoipa::ToSchema;

/// What one may do. Every endpoint needs one of these: see `access`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Send events.
    EventsWrite,
    /// Ask for a decision about somebody, with facts about him.
    Decide,
    /// See customers, their messages and decisions.
    ProfilesRead,
    /// Change consent, undo merges.
    ProfilesWrite,
    /// See definitions and numbers.
    WorkspaceRead,
    /// Publish definitions, move enrollments.
    WorkspaceWrite,
    /// See and mend the running of the server: channels, dead letters, audit.
    Operate,
    /// Make and remove keys.
    Admin,
}

/// A set of scopes with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Admin,
    /// Definitions and everything that can be seen.
    Designer,
    /// Everything that can be seen.
    Analyst,
    /// Customers: see and change consent.
    Agent,
    /// A source of events.
    Source,
}

impl Role {
    pub fn scopes(self) -> &'static [Scope] {
        use Scope::{Admin, Decide, EventsWrite, Operate, ProfilesRead, ProfilesWrite, WorkspaceRead, WorkspaceWrite};
        match self {
            Role::Admin => &[EventsWrite, Decide, ProfilesRead, ProfilesWrite, WorkspaceRead, WorkspaceWrite, Operate, Admin],
            Role::Designer => &[Decide, ProfilesRead, WorkspaceRead, WorkspaceWrite, Operate],
            Role::Analyst => &[ProfilesRead, WorkspaceRead],
            Role::Agent => &[Decide, ProfilesRead, ProfilesWrite, WorkspaceRead],
            Role::Source => &[EventsWrite],
        }
    }
}

/// A key without its secret.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Key {
    pub id: String,
    pub name: String,
    pub role: Role,
    /// Instead of the role's, where they are narrower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<Scope>>,
    pub created_at: String,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub name: String,
    pub role: Option<Role>,
    pub scopes: Vec<Scope>,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    /// Hash of the secret, in hexadecimal, to the key.
    keys: BTreeMap<String, Key>,
}

/// The keys of one server, in one file.
pub struct Keys {
    file: PathBuf,
    kept: RwLock<Kept>,
}

fn hash(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

/// The id of the key with this secret.
pub fn id_of(secret: &str) -> String {
    format!("key_{}", &hash(secret)[..12])
}

/// Random text that nobody can guess.
///
/// # Panics
/// When the system has no random numbers.
pub fn secret(prefix: &str) -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{prefix}{hex}")
}

impl Keys {
    /// Reads the file, which need not be there.
    ///
    /// # Errors
    /// When it cannot be read or is not what this program wrote.
    pub fn open(file: PathBuf) -> std::io::Result<Keys> {
        let kept = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(std::io::Error::other)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Kept::default(),
            Err(error) => return Err(error),
        };
        Ok(Keys { file, kept: RwLock::new(kept) })
    }

    pub fn is_empty(&self) -> bool {
        self.kept.read().expect("no holder of this lock panics").keys.is_empty()
    }

    pub fn find(&self, secret: &str) -> Option<Caller> {
        let kept = self.kept.read().expect("no holder of this lock panics");
        let key = kept.keys.get(&hash(secret))?;
        let scopes = key.scopes.clone().unwrap_or_else(|| key.role.scopes().to_vec());
        Some(Caller { name: key.name.clone(), role: Some(key.role), scopes })
    }

    pub fn list(&self) -> Vec<Key> {
        let kept = self.kept.read().expect("no holder of this lock panics");
        let mut keys: Vec<Key> = kept.keys.values().cloned().collect();
        keys.sort_by(|one, next| one.created_at.cmp(&next.created_at).then_with(|| one.id.cmp(&next.id)));
        keys
    }

    /// Makes a key; its secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// When the file cannot be written; there is no new key then.
    pub fn create(&self, name: &str, role: Role, scopes: Option<Vec<Scope>>, now: &str) -> std::io::Result<(String, Key)> {
        let secret = secret("fdk_");
        let id = id_of(&secret);
        let key = Key { id, name: name.to_owned(), role, scopes, created_at: now.to_owned() };
        let mut kept = self.kept.write().expect("no holder of this lock panics");
        kept.keys.insert(hash(&secret), key.clone());
        if let Err(error) = write(&self.file, &kept) {
            kept.keys.remove(&hash(&secret));
            return Err(error);
        }
        Ok((secret, key))
    }

    /// Removes a key; `false` when there is none of this id.
    ///
    /// # Errors
    /// When the file cannot be written; the key still holds then.
    pub fn remove(&self, id: &str) -> std::io::Result<bool> {
        let mut kept = self.kept.write().expect("no holder of this lock panics");
        let Some(hash) = kept.keys.iter().find(|(_, key)| key.id == id).map(|(hash, _)| hash.clone()) else { return Ok(false) };
        let Some(key) = kept.keys.remove(&hash) else { return Ok(false) };
        if let Err(error) = write(&self.file, &kept) {
            kept.keys.insert(hash, key);
            return Err(error);
        }
        Ok(true)
    }
}

fn write(file: &Path, kept: &Kept) -> std::io::Result<()> {
    let bytes = serde_json::to_vec_pretty(kept).map_err(std::io::Error::other)?;
    replace(file, &bytes)
}

/// Replaces a file as a whole: the old one or the new one, never a mixture; readable for the owner only.
///
/// # Errors
/// The system's.
pub fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let beside = file.with_extension("new");
    let mut new = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    new.write_all(bytes)?;
    new.sync_all()?;
    std::fs::rename(&beside, file)?;
    match file.parent() {
        Some(directory) => std::fs::File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_secret_until_it_is_removed_also_after_a_restart() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("keys.json");
        let keys = Keys::open(file.clone()).expect("a new file");
        let (secret, key) = keys.create("ci", Role::Source, None, "2026-03-01T10:00:00Z").expect("it can be written");
        assert_eq!(keys.find(&secret).map(|caller| caller.scopes), Some(vec![Scope::EventsWrite]));
        assert_eq!(keys.find("fdk_wrong"), None);
        let again = Keys::open(file.clone()).expect("the file");
        assert_eq!(again.find(&secret).map(|caller| caller.name), Some("ci".to_owned()));
        assert!(!std::fs::read_to_string(&file).expect("the file").contains(&secret), "the secret is nowhere");
        assert!(again.remove(&key.id).expect("it can be written"));
        assert_eq!(Keys::open(file).expect("the file").find(&secret), None);
    }
}
