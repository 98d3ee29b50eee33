//! `faden demo` as somebody meets it who starts it for the first time.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// It ends with the test.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(address: &str, path: &str, key: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    write!(stream, "GET {path} HTTP/1.0\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer.split_once("\r\n\r\n").expect("a body").1.to_owned()
}

#[test]
fn a_new_demo_listens_where_it_is_told_has_nothing_red_and_ends_when_asked() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
    let (directory, address) = (tempfile::tempdir().expect("a directory can be made"), format!("127.0.0.1:{port}"));
    let data = directory.path().join("data");
    let mut command = Command::new(env!("CARGO_BIN_EXE_faden"));
    command.args(["demo", "--json", "--customers", "30", "--per-second", "1", "--listen", &address, "--data"]).arg(&data);
    let mut demo = Demo(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program can be started"));
    let mut line = String::new();
    BufReader::new(demo.0.stdout.take().expect("an output")).read_line(&mut line).expect("a greeting");
    let greeting: Value = serde_json::from_str(&line).expect("a greeting");
    assert_eq!(greeting["base_url"], format!("http://{address}"));
    let read =
        |path: &str| -> Value { serde_json::from_str(&get(&address, path, greeting["admin_key"].as_str().expect("a key"))).expect("JSON") };
    assert_eq!(read("/api/v1/overview")["attention"], Value::Array(Vec::new()));
    let accounts = read("/api/v1/channels")["items"].as_array().expect("a list").clone();
    let down: Vec<&Value> = accounts.iter().filter(|account| account["state"] != "up").collect();
    assert!(accounts.len() == 5 && down.is_empty(), "{accounts:?}");
    let mailbox = greeting["mailbox"].as_str().and_then(|url| url.strip_prefix("http://")).expect("an address");
    assert!(get(mailbox, "/", "").contains("What customers receive"));

    let ended = Command::new("kill").arg(demo.0.id().to_string()).status().expect("a signal can be sent");
    assert!(ended.success());
    let begun = Instant::now();
    while demo.0.try_wait().expect("it is our child").is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(data.is_dir(), "what was given a place stays");
}
