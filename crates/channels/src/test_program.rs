//! Programs of others that tests hold our work against: they lie in `tests/` of this crate and need what
//! `tests/requirements.txt` and `tests/package.json` of the checkout name.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
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
