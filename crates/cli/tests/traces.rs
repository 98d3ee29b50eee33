//! A server that is told of a collector sends it what it does, and nothing of a customer.

#![cfg(unix)]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const WAIT_MAX: Duration = Duration::from_secs(30);

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads a call and answers it as a collector does; path and body.
fn answer(connection: TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut write = connection.try_clone()?;
    let mut read = BufReader::new(connection);
    let (mut path, mut bytes) = (String::new(), 0);
    loop {
        let mut line = String::new();
        read.read_line(&mut line)?;
        if let Some(rest) = line.strip_prefix("POST ") {
            path = rest.split(' ').next().unwrap_or_default().to_owned();
        }
        if let Some(length) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            bytes = length.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; bytes];
    read.read_exact(&mut body)?;
    write.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    Ok((path, body))
}

fn collector() -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("it is bound"));
    let (came, calls) = channel();
    // It ends with the test's process.
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            if let Ok(call) = answer(connection)
                && came.send(call).is_err()
            {
                return;
            }
        }
    });
    (address, calls)
}

/// The status of a call.
fn call(address: &str, key: &str, method: &str, path: &str, body: &str) -> String {
    let mut connection = TcpStream::connect(address).expect("the server listens");
    connection.set_read_timeout(Some(WAIT_MAX)).expect("a socket has a time limit");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\nconnection: close\r\n"
    );
    write!(connection, "{head}content-length: {}\r\n\r\n{body}", body.len()).expect("the server reads");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("the server answers");
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn calls_become_spans_with_their_route_and_nothing_of_a_customer() {
    let (endpoint, calls) = collector();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut command = Command::new(env!("CARGO_BIN_EXE_faden"));
    command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(directory.path().join("data"));
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("OTEL_BSP_SCHEDULE_DELAY", "200");
    let mut server = Process(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts"));
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().expect("an output")).read_line(&mut line).expect("a greeting");
    let greeting: Value = serde_json::from_str(&line).expect("a greeting");
    let text = |name: &str| greeting[name].as_str().expect("a text");
    let (address, admin, source) = (text("address"), text("admin_key"), text("write_key"));
    let identify = json!({"userId": "quiet-user", "traits": {"email": "quiet.person@private.example", "phone": "+4915112345678"}});
    assert_eq!(call(address, source, "POST", "/v1/identify", &identify.to_string()), "200");
    assert_eq!(call(address, admin, "GET", "/api/v1/profiles/email:quiet.person@private.example", ""), "200");
    assert_eq!(call(address, admin, "GET", "/api/v1/profiles/user_id:nobody-here", ""), "404");

    let (begun, mut sent) = (Instant::now(), Vec::new());
    let shows = |sent: &[u8], text: &str| sent.windows(text.len()).any(|part| part == text.as_bytes());
    while !shows(&sent, "GET /api/v1/profiles/{id}") || !shows(&sent, "POST /v1/identify") {
        assert!(begun.elapsed() < WAIT_MAX, "the spans do not come: {}", String::from_utf8_lossy(&sent));
        if let Ok((path, body)) = calls.recv_timeout(Duration::from_secs(1)) {
            assert_eq!(path, "/v1/traces");
            sent.extend(body);
        }
    }
    // The end sends what is still there.
    let ended = Command::new("kill").args(["-TERM", &server.0.id().to_string()]).status().expect("kill can be started");
    assert!(ended.success() && server.0.wait().expect("it ends").success());
    sent.extend(calls.try_iter().flat_map(|(_, body)| body));
    for wanted in ["service.name", "faden", "http.response.status_code", "http.route"] {
        assert!(shows(&sent, wanted), "{wanted}");
    }
    for never in ["quiet", "private.example", "4915112345678", "nobody-here", admin, source] {
        assert!(!shows(&sent, never), "a span shows {never}");
    }
}
