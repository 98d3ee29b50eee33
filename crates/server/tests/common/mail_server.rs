//! A mail server on this machine that keeps what it takes, and is slow, busy, silent or mad when it is told to.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How it behaves, to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Takes a mail and answers only when the mood changes.
    Slow,
    /// Takes a mail and hangs up instead of answering.
    Curt,
    /// Lets a connection come and says nothing.
    Silent,
    /// Speaks another protocol.
    Mad,
}

/// A mail that it answered for with 250.
#[derive(Clone, Debug)]
pub struct Mail {
    pub to: String,
    pub text: String,
}

#[derive(Clone)]
struct State {
    mood: Mood,
    /// Addresses whose mailbox is full.
    full: BTreeSet<String>,
    /// Addresses that there are not.
    unknown: BTreeSet<String>,
    mails: Vec<Mail>,
    /// Mails whose last byte came, whatever the answer was.
    handed_over: usize,
    connections: usize,
}

pub struct MailServer {
    pub address: SocketAddr,
    state: Arc<watch::Sender<State>>,
}

impl MailServer {
    pub async fn start(mood: Mood) -> MailServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let state = State { mood, full: BTreeSet::new(), unknown: BTreeSet::new(), mails: Vec::new(), handed_over: 0, connections: 0 };
        let state = Arc::new(watch::Sender::new(state));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                shared.send_modify(|state| state.connections += 1);
                // A client that hangs up is no failure.
                tokio::spawn(talk(connection, shared.clone()));
            }
        });
        MailServer { address, state }
    }

    pub fn be(&self, mood: Mood) {
        self.state.send_modify(|state| state.mood = mood);
    }

    /// No mail to this address for now.
    pub fn fill(&self, address: &str) {
        self.state.send_modify(|state| {
            state.full.insert(address.to_owned());
        });
    }

    /// It has room again.
    pub fn empty(&self, address: &str) {
        self.state.send_modify(|state| {
            state.full.remove(address);
        });
    }

    /// There is no such mailbox.
    pub fn close(&self, address: &str) {
        self.state.send_modify(|state| {
            state.unknown.insert(address.to_owned());
        });
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.state.borrow().mails.clone()
    }

    /// To whom mails went, in order of address.
    pub fn recipients(&self) -> Vec<String> {
        let mut all: Vec<String> = self.mails().into_iter().map(|mail| mail.to).collect();
        all.sort();
        all
    }

    pub fn handed_over(&self) -> usize {
        self.state.borrow().handed_over
    }

    pub fn connections(&self) -> usize {
        self.state.borrow().connections
    }
}

async fn talk(connection: TcpStream, state: Arc<watch::Sender<State>>) -> std::io::Result<()> {
    let mut changes = state.subscribe();
    let mood = changes.borrow().mood;
    let (read, mut write) = connection.into_split();
    let mut lines = BufReader::new(read).lines();
    match mood {
        Mood::Silent => {
            // Until the client hangs up.
            while lines.next_line().await?.is_some() {}
            return Ok(());
        }
        Mood::Mad => return write.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await,
        Mood::Well | Mood::Slow | Mood::Curt => write.write_all(b"220 mail.example\r\n").await?,
    }
    let mut to = String::new();
    while let Some(line) = lines.next_line().await? {
        let word = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match word.as_str() {
            "RCPT" => {
                to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                let state = state.borrow();
                match () {
                    () if state.full.contains(&to) => "452 4.2.2 mailbox full",
                    () if state.unknown.contains(&to) => "550 5.1.1 no such user",
                    () => "250 2.1.5 ok",
                }
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    text.push_str(line.strip_prefix("..").map_or(line.as_str(), |_| &line[1..]));
                    text.push('\n');
                }
                state.send_modify(|state| state.handed_over += 1);
                // The sender of the mood outlives every connection.
                let mood = changes.wait_for(|state| state.mood != Mood::Slow).await.map(|state| state.mood);
                if mood.is_ok_and(|mood| mood == Mood::Curt) {
                    return Ok(());
                }
                state.send_modify(|state| state.mails.push(Mail { to: to.clone(), text }));
                "250 2.0.0 kept"
            }
            "QUIT" => {
                write.write_all(b"221 2.0.0 bye\r\n").await?;
                return Ok(());
            }
            _ => "250 ok",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
