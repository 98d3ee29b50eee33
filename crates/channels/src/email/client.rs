//! One conversation with a mail server (RFC 5321): connect, encrypt, sign in, hand over.
//!
//! Our own client rather than a library's, because everything depends on knowing how far a failed hand-over
//! had come: before the final dot nothing was taken and the mail may go out on another connection at once;
//! after it, a missing answer says nothing. Commands go out together where the server allows it (RFC 2920).
//! Everything read has a limit and everything awaited has a deadline, which the caller sets for each mail.

use super::compose::Mail;
use super::reply::{Reply, Stage};
use super::settings::Tls;
use super::wire::{Broken, Stream, Wire};
use crate::SendError;
use crate::settings::Secret;
use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

/// RFC 5321 allows 512 bytes a line; some servers write more.
const LINE_LENGTH_MAX: usize = 4096;
/// Of one reply; EHLO answers have about ten.
const LINES_MAX: usize = 100;

/// Whom to talk to, and as whom.
pub struct Peer {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub connector: TlsConnector,
    pub login: Option<Login>,
    pub hello: Option<String>,
}

pub struct Login {
    pub username: String,
    pub password: Secret,
}

/// Why a conversation failed.
#[derive(Debug)]
pub enum Failure {
    /// The server said no; the connection is still good unless it said 421.
    Refused { stage: Stage, reply: Reply },
    /// The server stated that the mail is larger than it takes.
    TooLarge,
    /// The connection is of no use any more, and the server did not take the mail.
    Broken(&'static str),
    /// The connection is of no use any more, and the server may have taken the mail.
    UnknownOutcome,
    /// Trying again does not help before somebody changed the account.
    Account(&'static str),
}

/// A connection that is greeted, encrypted and signed in.
pub struct Connection {
    wire: Wire,
    offers: Offers,
    /// A transaction was begun and refused; it has to be reset before the next.
    begun: bool,
}

/// What the server said it can do.
#[derive(Default)]
struct Offers {
    pipelining: bool,
    starttls: bool,
    dsn: bool,
    plain: bool,
    login: bool,
    size_max: Option<usize>,
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Failure {
        Failure::Broken(match broken {
            Broken::Timeout => "timeout",
            Broken::Closed => "closed",
            Broken::TooLong => "garbage",
        })
    }
}

impl From<Failure> for SendError {
    fn from(failure: Failure) -> SendError {
        match failure {
            Failure::Refused { stage, reply } => reply.refusal(stage),
            Failure::TooLarge => SendError::Refused { code: "too large".to_owned() },
            Failure::Broken(code) => SendError::Unavailable { code: code.to_owned() },
            Failure::UnknownOutcome => SendError::NoAnswer { code: super::NO_ANSWER.to_owned() },
            Failure::Account(code) => SendError::Account { code: code.to_owned() },
        }
    }
}

/// Reaches the server and signs in.
///
/// # Errors
/// Every [`Failure`] but [`Failure::UnknownOutcome`] and [`Failure::TooLarge`].
pub async fn connect(peer: &Peer, deadline: Instant) -> Result<Connection, Failure> {
    let connecting = timeout_at(deadline, TcpStream::connect((peer.host.as_str(), peer.port))).await;
    let tcp = connecting.map_err(|_| Failure::Broken("timeout"))?.map_err(|_| Failure::Broken("unreachable"))?;
    tcp.set_nodelay(true).map_err(|_| Failure::Broken("unreachable"))?;
    let hello = match (&peer.hello, tcp.local_addr()) {
        (Some(name), _) => name.clone(),
        (None, Ok(address)) if address.is_ipv4() => format!("[{}]", address.ip()),
        (None, Ok(address)) => format!("[IPv6:{}]", address.ip()),
        (None, Err(_)) => "localhost".to_owned(),
    };
    let io: Box<dyn Stream> = match peer.tls {
        Tls::Tls => encrypt(peer, Box::new(tcp), deadline).await?,
        Tls::None | Tls::Starttls => Box::new(tcp),
    };
    let mut connection = Connection { wire: Wire::new(io), offers: Offers::default(), begun: false };
    let greeting = connection.read_reply(deadline).await?;
    good(Stage::Hello, greeting)?;
    connection.greet(&hello, deadline).await?;
    if peer.tls == Tls::Starttls {
        if !connection.offers.starttls {
            return Err(Failure::Account("no STARTTLS"));
        }
        let reply = connection.ask("STARTTLS\r\n", deadline).await?;
        good(Stage::Hello, reply)?;
        // Whatever came in clear after the answer is an attacker's, pretending to come encrypted.
        let io = connection.wire.into_inner().ok_or(Failure::Broken("garbage"))?;
        let io = encrypt(peer, io, deadline).await?;
        connection = Connection { wire: Wire::new(io), offers: Offers::default(), begun: false };
        connection.greet(&hello, deadline).await?;
    }
    if let Some(login) = &peer.login {
        connection.sign_in(login, deadline).await?;
    }
    Ok(connection)
}

async fn encrypt(peer: &Peer, io: Box<dyn Stream>, deadline: Instant) -> Result<Box<dyn Stream>, Failure> {
    let name = ServerName::try_from(peer.host.clone()).map_err(|_| Failure::Account("host is no name"))?;
    match timeout_at(deadline, peer.connector.connect(name, io)).await {
        Err(_) => Err(Failure::Broken("timeout")),
        Ok(Ok(io)) => Ok(Box::new(io)),
        Ok(Err(error)) => match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(_)) => Err(Failure::Account("certificate not trusted")),
            _ => Err(Failure::Broken("TLS")),
        },
    }
}

impl Connection {
    async fn greet(&mut self, hello: &str, deadline: Instant) -> Result<(), Failure> {
        let (reply, lines) = self.ask_for_lines(&format!("EHLO {hello}\r\n"), deadline).await?;
        if reply.is_good() {
            self.offers = Offers::read(&lines);
            return Ok(());
        }
        // A server from before EHLO.
        if !matches!(reply.code, 500..=504) {
            return Err(Failure::Refused { stage: Stage::Hello, reply });
        }
        let reply = self.ask(&format!("HELO {hello}\r\n"), deadline).await?;
        good(Stage::Hello, reply)
    }

    async fn sign_in(&mut self, login: &Login, deadline: Instant) -> Result<(), Failure> {
        let (username, password) = (login.username.as_str(), login.password.reveal());
        let reply = if self.offers.plain {
            let secret = STANDARD.encode(format!("\0{username}\0{password}"));
            self.ask(&format!("AUTH PLAIN {secret}\r\n"), deadline).await?
        } else if self.offers.login {
            let mut reply = self.ask("AUTH LOGIN\r\n", deadline).await?;
            for answer in [username, password] {
                if reply.code != 334 {
                    break;
                }
                reply = self.ask(&format!("{}\r\n", STANDARD.encode(answer)), deadline).await?;
            }
            reply
        } else {
            return Err(Failure::Account("no AUTH"));
        };
        good(Stage::SignIn, reply)
    }

    /// Hands one mail over; `id` comes back in a bounce where the server can do that (RFC 3461).
    ///
    /// # Errors
    /// Any [`Failure`]. [`Failure::leaves_connection`] says whether the next mail may use the connection.
    pub async fn hand_over(&mut self, mail: &Mail, id: &str, deadline: Instant) -> Result<(), Failure> {
        if self.offers.size_max.is_some_and(|max| mail.bytes.len() > max) {
            return Err(Failure::TooLarge);
        }
        let mut sender = format!("MAIL FROM:<{}>", mail.sender);
        if self.offers.size_max.is_some() {
            sender.push_str(&format!(" SIZE={}", mail.bytes.len()));
        }
        if self.offers.dsn {
            sender.push_str(&format!(" RET=HDRS ENVID={id}"));
        }
        let recipient = format!("RCPT TO:<{}>", mail.recipient);
        let mut commands = Vec::with_capacity(4);
        if self.begun {
            commands.push(("RSET\r\n".to_owned(), Stage::Hello));
        }
        commands.push((sender + "\r\n", Stage::Sender));
        commands.push((recipient + "\r\n", Stage::Recipient));
        commands.push(("DATA\r\n".to_owned(), Stage::Mail));
        self.begun = true;
        self.announce(&commands, deadline).await?;

        let wire = stuffed(&mail.bytes);
        if let Err(failure) = self.write(&wire, deadline).await {
            // The last bytes did not leave us, so the mail was not taken; perhaps the server said why.
            return match self.read_reply(deadline).await {
                Ok(reply) if reply.code >= 400 => Err(Failure::Refused { stage: Stage::Mail, reply }),
                _ => Err(failure),
            };
        }
        let reply = self.read_reply(deadline).await.map_err(|_| Failure::UnknownOutcome)?;
        self.begun = false;
        good(Stage::Mail, reply)
    }

    /// Up to the server's word that the mail may come.
    async fn announce(&mut self, commands: &[(String, Stage)], deadline: Instant) -> Result<(), Failure> {
        let mut refused = None;
        if self.offers.pipelining {
            let together: String = commands.iter().map(|(command, _)| command.as_str()).collect();
            self.write(together.as_bytes(), deadline).await?;
        }
        for (command, stage) in commands {
            if !self.offers.pipelining {
                self.write(command.as_bytes(), deadline).await?;
            }
            let reply = self.read_reply(deadline).await?;
            if reply.code == 421 {
                return Err(Failure::Refused { stage: *stage, reply });
            }
            let wanted = if *stage == Stage::Mail { reply.code == 354 } else { reply.is_good() };
            match (wanted, &refused) {
                (true, Some(_)) if *stage == Stage::Mail => {
                    // It waits for a mail that must not come: the connection is lost, the reason is not.
                    self.wire.close(deadline).await;
                }
                (false, None) => refused = Some(Failure::Refused { stage: *stage, reply }),
                _ => {}
            }
            if refused.is_some() && !self.offers.pipelining {
                break;
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Says goodbye; whether anybody listens does not matter.
    pub async fn quit(mut self, deadline: Instant) {
        if self.write(b"QUIT\r\n", deadline).await.is_ok() {
            let _ = self.read_reply(deadline).await;
        }
    }

    async fn ask(&mut self, command: &str, deadline: Instant) -> Result<Reply, Failure> {
        Ok(self.ask_for_lines(command, deadline).await?.0)
    }

    async fn ask_for_lines(&mut self, command: &str, deadline: Instant) -> Result<(Reply, Vec<String>), Failure> {
        self.write(command.as_bytes(), deadline).await?;
        self.read_lines(deadline).await
    }

    async fn write(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), Failure> {
        Ok(self.wire.write(bytes, deadline).await?)
    }

    async fn read_reply(&mut self, deadline: Instant) -> Result<Reply, Failure> {
        Ok(self.read_lines(deadline).await?.0)
    }

    async fn read_lines(&mut self, deadline: Instant) -> Result<(Reply, Vec<String>), Failure> {
        let mut lines = Vec::new();
        let mut first = None;
        while lines.len() < LINES_MAX {
            let line = self.wire.read_line(LINE_LENGTH_MAX, deadline).await?;
            let (code, is_last, text) = reply_line(&line).ok_or(Failure::Broken("garbage"))?;
            if *first.get_or_insert(code) != code {
                return Err(Failure::Broken("garbage"));
            }
            lines.push(text);
            if is_last {
                return Ok((Reply::new(code, &lines), lines));
            }
        }
        Err(Failure::Broken("garbage"))
    }
}

impl Failure {
    /// Whether the connection can carry the next mail.
    pub fn leaves_connection(&self) -> bool {
        match self {
            Failure::Refused { reply, .. } => reply.code != 421,
            Failure::TooLarge => true,
            Failure::Broken(_) | Failure::UnknownOutcome | Failure::Account(_) => false,
        }
    }

    /// Whether it may be no more than a connection that had lain idle for too long.
    pub fn may_be_staleness(&self) -> bool {
        match self {
            Failure::Refused { reply, .. } => reply.code == 421,
            Failure::Broken(code) => *code == "closed",
            Failure::TooLarge | Failure::UnknownOutcome | Failure::Account(_) => false,
        }
    }
}

impl Offers {
    /// From the lines of an EHLO answer; the first is the server's name.
    fn read(lines: &[String]) -> Offers {
        let mut offers = Offers::default();
        for line in lines.iter().skip(1) {
            let line = line.to_ascii_uppercase();
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            match words.next() {
                Some("PIPELINING") => offers.pipelining = true,
                Some("STARTTLS") => offers.starttls = true,
                Some("DSN") => offers.dsn = true,
                // 0 means that there is no fixed limit.
                Some("SIZE") => {
                    offers.size_max = words.next().and_then(|size| size.parse().ok()).map(|size| if size == 0 { usize::MAX } else { size })
                }
                Some("AUTH") => {
                    for way in words {
                        offers.plain |= way == "PLAIN";
                        offers.login |= way == "LOGIN";
                    }
                }
                _ => {}
            }
        }
        offers
    }
}

fn good(stage: Stage, reply: Reply) -> Result<(), Failure> {
    if reply.is_good() { Ok(()) } else { Err(Failure::Refused { stage, reply }) }
}

/// `250-text`, `250 text` or `250`.
fn reply_line(line: &[u8]) -> Option<(u16, bool, String)> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let code = std::str::from_utf8(line.get(..3)?).ok()?;
    let code: u16 = code.bytes().all(|byte| byte.is_ascii_digit()).then(|| code.parse().ok())?.filter(|code| (200..600).contains(code))?;
    let (is_last, text) = match line.get(3) {
        None => (true, &line[3..]),
        Some(b' ') => (true, &line[4..]),
        Some(b'-') => (false, &line[4..]),
        Some(_) => return None,
    };
    Some((code, is_last, String::from_utf8_lossy(text).trim().to_owned()))
}

/// RFC 5321 section 4.5.2, with the final dot.
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(mail.len() + mail.len() / 64 + 8);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    if !wire.ends_with(b"\r\n") {
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_reply_is_three_digits_and_what_belongs_after_them() {
        for (line, expected) in [
            ("250 ok\r\n", Some((250, true, "ok"))),
            ("250-ok\r\n", Some((250, false, "ok"))),
            ("250\n", Some((250, true, ""))),
            ("250", Some((250, true, ""))),
            ("25 ok\r\n", None),
            ("+50 ok\r\n", None),
            ("199 ok\r\n", None),
            ("600 ok\r\n", None),
            ("2500 ok\r\n", None),
            ("HTTP/1.1 400 Bad Request\r\n", None),
            ("", None),
        ] {
            let read = reply_line(line.as_bytes());
            assert_eq!(read.as_ref().map(|(code, last, text)| (*code, *last, text.as_str())), expected, "{line:?}");
        }
    }

    #[test]
    fn a_dot_at_the_beginning_of_a_line_is_doubled() {
        for (mail, expected) in
            [("a\r\n.b\r\n", "a\r\n..b\r\n.\r\n"), (".", "..\r\n.\r\n"), ("", "\r\n.\r\n"), ("a.b\r\n..\r\n", "a.b\r\n...\r\n.\r\n")]
        {
            assert_eq!(String::from_utf8(stuffed(mail.as_bytes())).as_deref(), Ok(expected), "{mail:?}");
        }
    }
}
