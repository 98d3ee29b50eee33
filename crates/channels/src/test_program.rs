//! Programs of others that tests hold our work against: they lie in `tests/` of this crate and need what
//! `tests/requirements.txt` and `tests/package.json` of the checkout name.

use serde_json::Value;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

pub fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// Runs a Python script of `tests/` with this input; gives its output without the end of the line.
pub async fn python(name: &str, input: &str) -> String {
    let program = std::env::var("FADEN_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut child = Command::new(program)
        .arg(script(name))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("python3 is there, or FADEN_PYTHON names it");
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = tokio::time::timeout(Duration::from_secs(60), child.wait_with_output()).await.expect("in a minute").unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// A Node script of `tests/` that speaks in JSON lines; it ends with its owner.
pub struct Node {
    _child: tokio::process::Child,
    input: tokio::process::ChildStdin,
    output: tokio::io::Lines<tokio::io::BufReader<tokio::process::ChildStdout>>,
    unheard: VecDeque<Value>,
}

impl Node {
    pub fn start(name: &str, arguments: &[&Path]) -> Node {
        let modules = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/node_modules");
        let mut child = Command::new("node")
            .arg(script(name))
            .args(arguments)
            .env("NODE_PATH", modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node is there");
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Node { _child: child, input, output: BufReader::new(output).lines(), unheard: VecDeque::new() }
    }

    /// Returns when the program has done it.
    pub async fn tell(&mut self, line: Value) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        let mut before = std::mem::take(&mut self.unheard);
        loop {
            let line = self.line("done").await;
            if line["event"] == "done" {
                break;
            }
            before.push_back(line);
        }
        self.unheard = before;
    }

    /// The next line with this `event`; others before it are dropped.
    pub async fn hear(&mut self, event: &str) -> Value {
        loop {
            let line = self.line(event).await;
            if line["event"] == event {
                return line;
            }
        }
    }

    /// Every line before the next one with this `event`.
    pub async fn hear_until(&mut self, event: &str) -> Vec<Value> {
        let mut before = Vec::new();
        loop {
            let line = self.line(event).await;
            if line["event"] == event {
                return before;
            }
            before.push(line);
        }
    }

    async fn line(&mut self, event: &str) -> Value {
        if let Some(line) = self.unheard.pop_front() {
            return line;
        }
        let line = tokio::time::timeout(Duration::from_secs(20), self.output.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("`{event}` did not come")).unwrap();
        serde_json::from_str(&line.expect("the program runs: npm ci in tests/ was done")).unwrap()
    }
}
