//! A small HTTP/1.1 server on a free port of this machine for the tests of channels: it keeps what it was sent and
//! answers with bytes as the test wants them, hostile ones too.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What came in.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub path: String,
    pub headers: http::HeaderMap,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What the server does with a request.
#[derive(Clone)]
pub enum Act {
    /// These bytes, then the connection is closed.
    Say(Vec<u8>),
    /// These bytes, then nothing for ever.
    SayAndHang(Vec<u8>),
}

/// A whole answer.
pub fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Act {
    let body = body.as_ref();
    let mut bytes =
        format!("HTTP/1.1 {status} Status\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    Act::Say(bytes)
}

/// Ends with the test's runtime.
pub struct Server {
    /// Without a slash at the end.
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Everything that came in since the last call.
    pub fn take(&self) -> Vec<Request> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    /// The one request that came in since the last call.
    pub fn take_one(&self) -> Request {
        let mut all = self.take();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }
}

pub async fn serve(act: impl Fn(&Request) -> Act + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (kept, act) = (requests.clone(), Arc::new(act));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (kept, act) = (kept.clone(), act.clone());
            tokio::spawn(async move { one(stream, &kept, &*act).await });
        }
    });
    Server { url, requests }
}

async fn one(mut stream: TcpStream, kept: &Mutex<Vec<Request>>, act: &(impl Fn(&Request) -> Act + Send + Sync)) -> Option<()> {
    let request = read(&mut stream).await?;
    kept.lock().unwrap().push(request.clone());
    match act(&request) {
        Act::Say(bytes) => stream.write_all(&bytes).await.ok()?,
        Act::SayAndHang(bytes) => {
            stream.write_all(&bytes).await.ok()?;
            std::future::pending::<()>().await;
        }
    }
    stream.shutdown().await.ok()
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: http::HeaderMap = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse::<http::HeaderValue>().unwrap()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |value| value.to_str().unwrap().parse().unwrap());
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request { method, path, headers, body: bytes.split_off(end) })
}
