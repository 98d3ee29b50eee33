//! A server of its own for each test: a new data directory, a small workspace, a free port, real HTTP.
//!
//! Tests need `#[tokio::test(flavor = "multi_thread")]`. A call that brings no answer ends after [`WAIT_MAX`].

pub mod mail_server;
mod options;

use faden_engine::workspace::Files;
use faden_server::{Options, Started, serve};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longest wait for one answer.
pub const WAIT_MAX: Duration = Duration::from_secs(20);

/// Looks until it is so.
pub async fn wait_until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < WAIT_MAX, "in {WAIT_MAX:?} it did not come to this: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A running server and its admin's key.
pub struct Server {
    pub key: String,
    pub write_key: String,
    client: Client,
    base: String,
    started: Started,
    data: TempDir,
}

/// Server-sent events, one after the other.
pub struct Stream {
    answer: reqwest::Response,
    text: String,
}

impl Stream {
    /// Reads on until `enough` says so of an event's name and data.
    pub async fn until(&mut self, mut enough: impl FnMut(&str, &Value) -> bool) {
        let deadline = std::time::Instant::now() + WAIT_MAX;
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n").map(|(event, rest)| (event.to_owned(), rest.to_owned())) {
                self.text = rest;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
                let data = serde_json::from_str(&field("data:")).unwrap_or_default();
                if enough(&field("event:"), &data) {
                    return;
                }
            }
            assert!(std::time::Instant::now() < deadline, "the stream does not bring it");
            let chunk = self.answer.chunk().await.expect("the stream goes on").expect("the stream goes on");
            self.text.push_str(std::str::from_utf8(&chunk).expect("a text"));
        }
    }
}

impl Stream {
    /// Reads on until the server has ended it, as a whole answer.
    pub async fn ends(mut self) {
        while self.answer.chunk().await.expect("the stream ends as an answer does").is_some() {}
    }
}

/// A page for people.
pub struct Page {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Server {
    /// Starts on these files of a workspace: path and text.
    pub async fn start(files: &[(&str, &str)]) -> Server {
        Server::start_in(tempfile::tempdir().expect("a temporary directory"), files, None).await
    }

    async fn start_in(data: TempDir, files: &[(&str, &str)], keys: Option<(String, String)>) -> Server {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let options = Options { workspace: Some(Files(files)), ..options::options(data.path()) };
        let started = serve(options).await.expect("the server starts");
        let made = started.admin_key.clone().zip(started.write_key.clone());
        let (key, write_key) = keys.or(made).expect("a new data directory has keys");
        let base = format!("http://{}", started.address);
        let client = Client::builder().timeout(WAIT_MAX).redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Server { key, write_key, client, base, started, data }
    }

    /// Stops, which writes a checkpoint, and starts again on the same data.
    pub async fn restart(self, files: &[(&str, &str)]) -> Server {
        self.started.stop().await;
        Server::start_in(self.data, files, Some((self.key, self.write_key))).await
    }

    /// A call with the admin's key: status and body, which is null where it is no JSON.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        self.call_with(&self.key, method, path, body, &[]).await
    }

    pub async fn call_with(&self, key: &str, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> (u16, Value) {
        let mut request = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the server answers");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// A call with no more headers and bytes than these.
    pub async fn raw(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (u16, Value) {
        let request = self.client.request(method, format!("{}{path}", self.base)).body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.expect("the server answers");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// A header of an answer to a call without a key.
    pub async fn header(&self, method: Method, path: &str, headers: &[(&str, &str)], wanted: &str) -> Option<String> {
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.expect("the server answers");
        answer.headers().get(wanted).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }

    /// A page as a browser without cookies gets it; `form` goes along with a POST.
    pub async fn page(&self, method: Method, path: &str, form: &str) -> Page {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.base));
        if method == Method::POST {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
        }
        let answer = request.send().await.expect("the server answers");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Page { status, headers, text: answer.text().await.expect("a text") }
    }

    /// The body of a GET that must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Server-sent events of a stream.
    pub async fn stream(&self, path: &str) -> Stream {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.key);
        let answer = request.send().await.expect("the server answers");
        assert_eq!(answer.status(), 200);
        Stream { answer, text: String::new() }
    }

    /// Sends Segment calls, applied when this returns.
    pub async fn send(&self, calls: &[Value]) {
        let (status, body) = self.call_with(&self.write_key, Method::POST, "/v1/batch", Some(json!({ "batch": calls })), &[]).await;
        assert_eq!((status, &body["accepted"]), (200, &json!(calls.len())), "{body}");
    }
}
