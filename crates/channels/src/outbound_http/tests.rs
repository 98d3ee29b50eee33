//! The client against a server on this machine that behaves, and that does not.

use super::*;
use crate::test_http::{Act, answer, serve};

fn get(url: &str) -> http::Request<Vec<u8>> {
    http::Request::get(url).body(Vec::new()).unwrap()
}

fn anywhere() -> Http {
    Http::new(Reach::Anywhere, None).unwrap()
}

/// Long enough for a busy machine.
const PATIENT: Duration = Duration::from_secs(20);

async fn outcome(http: &Http, url: &str) -> Result<(u16, Vec<u8>), CallError> {
    outcome_within(http, url, PATIENT).await
}

async fn outcome_within(http: &Http, url: &str, limit: Duration) -> Result<(u16, Vec<u8>), CallError> {
    let answer = http.call(get(url), limit).await?;
    Ok((answer.status().as_u16(), answer.body().await?))
}

#[tokio::test]
async fn a_public_client_refuses_private_addresses_however_they_are_written() {
    let server = serve(|_| answer(200, "", "inside")).await;
    let port = server.url.rsplit(':').next().unwrap();
    let http = Http::new(Reach::Public, None).unwrap();
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0", "[::1]", "[::ffff:127.0.0.1]", "localhost", "LOCALHOST"] {
        let url = format!("http://{host}:{port}/");
        assert_eq!(outcome(&http, &url).await, Err(CallError::PrivateAddress), "{url}");
    }
    assert_eq!(server.take().len(), 0);
    assert_eq!(outcome(&anywhere(), &format!("http://127.0.0.1:{port}/")).await, Ok((200, b"inside".to_vec())));
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let inside = serve(|_| answer(200, "", "inside")).await;
    let location = format!("Location: {}/\r\n", inside.url);
    let server = serve(move |_| answer(302, &location, "moved")).await;
    assert_eq!(outcome(&anywhere(), &server.url).await, Ok((302, b"moved".to_vec())));
    assert_eq!(inside.take().len(), 0);
}

#[tokio::test]
async fn a_bad_server_costs_no_more_than_the_time_limit() {
    let long = answer(200, "", vec![b'x'; MAX_ANSWER + 1]);
    let endless = Act::SayAndHang(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal".to_vec());
    let table: Vec<(&str, Act, CallError)> = vec![
        ("hangs at once", Act::SayAndHang(Vec::new()), CallError::Timeout),
        ("hangs in the head", Act::SayAndHang(b"HTTP/1.1 20".to_vec()), CallError::Timeout),
        ("hangs in the body", endless, CallError::Timeout),
        ("closes at once", Act::Say(Vec::new()), CallError::Broken),
        ("garbage", Act::Say(b"\x00\xffgarbage\r\n\r\n".to_vec()), CallError::Broken),
        ("half a body", Act::Say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal".to_vec()), CallError::Broken),
        ("too long", long, CallError::TooLong),
    ];
    for (what, act, expected) in table {
        let server = serve(move |_| act.clone()).await;
        let limit = if expected == CallError::Timeout { Duration::from_millis(300) } else { PATIENT };
        assert_eq!(outcome_within(&anywhere(), &server.url, limit).await, Err(expected), "{what}");
    }
}

#[tokio::test]
async fn what_cannot_be_called_says_why() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(outcome(&anywhere(), &format!("http://{free}/")).await, Err(CallError::Connect));
    assert_eq!(outcome(&anywhere(), "/no/host").await, Err(CallError::Url));
    assert_eq!(outcome(&anywhere(), "ftp://127.0.0.1/").await, Err(CallError::Url));
}

#[tokio::test]
async fn only_a_trusted_certificate_is_believed() {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = key.cert.der().clone();
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], private).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").await;
                let _ = stream.shutdown().await;
            }
        }
    });
    assert_eq!(outcome(&anywhere(), &url).await, Err(CallError::Certificate));
    let trusting = Http::new(Reach::Anywhere, Some(&key.cert.pem())).unwrap();
    assert_eq!(outcome(&trusting, &url).await, Ok((200, b"ok".to_vec())));
    assert!(Http::new(Reach::Anywhere, Some("no certificate")).is_err());
}

#[test]
fn retry_after_is_read_as_seconds_or_as_a_date() {
    let now = 784_111_000;
    let table = [
        ("120", Some(120)),
        (" 0 ", Some(0)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(777)),
        ("Sun, 06 Nov 1993 08:49:37 GMT", Some(0)),
        ("-5", None),
        ("soon", None),
        ("", None),
    ];
    for (text, seconds) in table {
        assert_eq!(read_retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
    }
}
