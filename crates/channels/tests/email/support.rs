//! What the tests share: Python programs, settings, messages, certificates.

use faden_channels::email::Settings;
use faden_channels::{Accepted, Content, Email, Inbound, Inbox, NotTaken, Outgoing, SendError};
use faden_model::MessageId;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;

/// Everything here takes milliseconds; a wait that is longer is a failure.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The Python that has the packages of `tests/requirements.txt`; `None`, with a word why, if there is none.
pub fn python() -> Option<String> {
    let python = std::env::var("FADEN_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python).args(["-c", "import aiosmtpd, dkim, nacl"]).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    assert!(std::env::var_os("CI").is_none(), "`{python}` lacks the packages of tests/requirements.txt; set FADEN_PYTHON");
    eprintln!("SKIPPED: `{python}` lacks the packages of tests/requirements.txt; set FADEN_PYTHON to a Python that has them");
    None
}

/// A Python program of this folder; it is killed with this.
pub struct Program {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    pub fn start(python: &str, file: &str, arguments: &[&str]) -> Program {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/email").join(file);
        let mut child = tokio::process::Command::new(python)
            .arg(path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Program { _child: child, lines }
    }

    pub async fn line(&mut self) -> Option<String> {
        timeout(PATIENCE, self.lines.next_line()).await.expect("the program says something in time").expect("it is text")
    }

    pub async fn json(&mut self) -> Value {
        serde_json::from_str(&self.line().await.expect("there is one more line")).expect("it is JSON")
    }

    pub async fn port(&mut self) -> u16 {
        self.line().await.expect("the port comes first").parse().expect("it is a number")
    }
}

/// Account settings: what every account has, and `more` over it.
pub fn settings(port: u16, more: Value) -> Settings {
    let mut settings = json!({
        "from": "Ada's Shop <news@shop.example>",
        "smtp": {"host": "127.0.0.1", "port": port, "tls": "none", "timeout_seconds": 20}
    });
    merge(&mut settings, more);
    serde_json::from_value(settings).expect("they are settings")
}

fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more,
    }
}

pub fn message(id: &str, to: &str, email: Email) -> Outgoing {
    Outgoing { message: MessageId::parse(id).expect("an id"), to: to.to_owned(), content: Content::Email(email) }
}

pub fn simple(id: &str) -> Outgoing {
    let email = Email { subject: "Your cart".to_owned(), text: "It waits.\n".to_owned(), ..Email::default() };
    message(id, "ada@example.com", email)
}

/// A result in one line.
pub fn said(result: &Result<Accepted, SendError>) -> String {
    match result {
        Ok(_) => "accepted".to_owned(),
        Err(SendError::Refused { code }) => format!("refused {code}"),
        Err(SendError::AddressGone { code }) => format!("gone {code}"),
        Err(SendError::Throttled { code, .. }) => format!("pause {code}"),
        Err(SendError::Later { code, .. }) => format!("later {code}"),
        Err(SendError::Unavailable { code }) => format!("unavailable {code}"),
        Err(SendError::NoAnswer { code }) => format!("no answer {code}"),
        Err(SendError::Account { code }) => format!("account {code}"),
    }
}

/// A certificate for `localhost` and 127.0.0.1 that nobody but its owner trusts.
pub struct Certificate {
    _folder: tempfile::TempDir,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Certificate {
    pub fn new() -> Certificate {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("it can be made");
        let folder = tempfile::tempdir().expect("a folder");
        let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
        std::fs::write(&certificate, made.cert.pem()).expect("it can be written");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("it can be written");
        Certificate { _folder: folder, certificate, key }
    }

    pub fn certificate(&self) -> &str {
        self.certificate.to_str().expect("the path is text")
    }

    pub fn key(&self) -> &str {
        self.key.to_str().expect("the path is text")
    }
}

/// Keeps what comes in, or refuses while `full`.
#[derive(Default)]
pub struct Shelf {
    pub taken: Mutex<Vec<Inbound>>,
    pub full: std::sync::atomic::AtomicBool,
}

impl Inbox for Shelf {
    fn take(&self, inbound: Inbound) -> faden_channels::BoxFuture<'_, Result<(), NotTaken>> {
        Box::pin(async move {
            if self.full.load(std::sync::atomic::Ordering::SeqCst) {
                return Err(NotTaken);
            }
            self.taken.lock().expect("nobody panics").push(inbound);
            Ok(())
        })
    }
}
