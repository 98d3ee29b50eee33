//! One conversation with a system that brings mail (RFC 5321), the server's side.
//!
//! Takes mail only for the configured domains and addresses. A mail counts as taken, and the other side is
//! told so, when everything in it was kept; if not, it is asked to come again. Only CRLF `.` CRLF ends a
//! mail: other ends are how mail is smuggled past filters. No AUTH, no relaying, no VRFY.

use super::read::{self, Envelope, Ignored};
use super::settings::Inlet;
use super::wire::{Broken, Wire};
use crate::{Inbound, Inbox};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// RFC 5321 wants 512 bytes, with extensions about 1,500.
const LINE_LENGTH_MAX: usize = 2048;
/// Of one mail; RFC 5321 wants at least 100.
const RECIPIENTS_MAX: usize = 100;
/// Refused commands in one conversation.
const MISTAKES_MAX: usize = 20;
/// Commands in one conversation; senders of many mails connect again.
const COMMANDS_MAX: usize = 10_000;
/// A whole mail may take so many times as long as one command.
const MAIL_TIMES: u32 = 2;

/// What holds for every conversation of a listener.
pub struct Rules {
    name: String,
    domains: BTreeSet<String>,
    addresses: BTreeSet<String>,
    size_max: usize,
    time_limit: Duration,
    acceptor: Option<TlsAcceptor>,
    /// Makes something of a mail.
    pub read: fn(&[u8], &Envelope) -> Result<Vec<Inbound>, Ignored>,
}

impl Rules {
    pub fn new(inlet: &Inlet, acceptor: Option<TlsAcceptor>) -> Rules {
        let domains: Vec<String> = inlet.domains.iter().map(|domain| plain_domain(domain)).collect();
        let addresses: Vec<String> = inlet.addresses.iter().filter_map(|address| plain_address(address)).collect();
        let named = domains.first().map(String::as_str).or_else(|| addresses.first()?.rsplit_once('@').map(|(_, domain)| domain));
        Rules {
            name: named.unwrap_or("localhost").to_owned(),
            domains: domains.into_iter().collect(),
            addresses: addresses.into_iter().collect(),
            size_max: usize::try_from(inlet.size_max_bytes.get()).unwrap_or(usize::MAX),
            time_limit: Duration::from_secs(inlet.timeout_seconds.get()),
            acceptor,
            read: read::read,
        }
    }

    fn take(&self, recipient: &str) -> bool {
        // RFC 5321 section 4.5.1: every server has a postmaster.
        let Some(address) = plain_address(recipient) else { return recipient.eq_ignore_ascii_case("postmaster") };
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.domains.contains(domain) || self.addresses.contains(&address)
    }
}

fn plain_domain(domain: &str) -> String {
    idna::domain_to_ascii(domain.trim()).unwrap_or_else(|_| domain.trim().to_ascii_lowercase())
}

fn plain_address(address: &str) -> Option<String> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    Some(format!("{}@{}", local.to_lowercase(), plain_domain(domain)))
}

/// How far the conversation has come.
#[derive(Default)]
struct State {
    greeted: bool,
    encrypted: bool,
    /// Of the mail that was begun.
    sender: Option<String>,
    recipients: Vec<String>,
    mistakes: usize,
}

/// What to do after a command was answered.
enum Next {
    Go(String),
    Data,
    Encrypt,
    End(String),
}

/// Talks until one side has had enough.
pub async fn serve(mut wire: Wire, rules: &Rules, inbox: &dyn Inbox, stop: &CancellationToken) {
    let mut state = State::default();
    let deadline = || Instant::now() + rules.time_limit;
    if wire.write(format!("220 {} ESMTP\r\n", rules.name).as_bytes(), deadline()).await.is_err() {
        return;
    }
    for _ in 0..COMMANDS_MAX {
        let line = tokio::select! {
            () = stop.cancelled() => return bid_farewell(&mut wire, "421 4.3.2 shutting down, try again later", deadline()).await,
            line = wire.read_line(LINE_LENGTH_MAX, deadline()) => line,
        };
        let next = match line {
            Ok(line) => state.answer(&String::from_utf8_lossy(&line), rules),
            Err(Broken::TooLong) => Next::End("500 5.5.6 line too long".to_owned()),
            Err(Broken::Timeout) => Next::End("421 4.4.2 timeout".to_owned()),
            Err(Broken::Closed) => return,
        };
        let reply = match next {
            Next::Go(reply) => reply,
            Next::End(reply) => return bid_farewell(&mut wire, &reply, deadline()).await,
            Next::Data => {
                let envelope = Envelope { from: state.sender.take().unwrap_or_default(), to: std::mem::take(&mut state.recipients) };
                match take_mail(&mut wire, rules, inbox, &envelope).await {
                    Ok(reply) => reply.to_owned(),
                    Err(_) => return,
                }
            }
            Next::Encrypt => match encrypt(wire, rules).await {
                Some(encrypted) => {
                    wire = encrypted;
                    state = State { encrypted: true, ..State::default() };
                    continue;
                }
                None => return,
            },
        };
        if wire.write(format!("{reply}\r\n").as_bytes(), deadline()).await.is_err() {
            return;
        }
        state.mistakes += usize::from(reply.starts_with('5'));
        if state.mistakes > MISTAKES_MAX {
            return bid_farewell(&mut wire, "421 4.7.0 too many mistakes", deadline()).await;
        }
    }
    bid_farewell(&mut wire, "421 4.7.0 too many commands, connect again", deadline()).await;
}

async fn bid_farewell(wire: &mut Wire, reply: &str, deadline: Instant) {
    let _ = wire.write(format!("{reply}\r\n").as_bytes(), deadline).await;
    wire.close(deadline).await;
}

async fn encrypt(mut wire: Wire, rules: &Rules) -> Option<Wire> {
    let acceptor = rules.acceptor.as_ref()?;
    wire.write(b"220 2.0.0 go on\r\n", Instant::now() + rules.time_limit).await.ok()?;
    let io = wire.into_inner()?;
    let encrypted = timeout(rules.time_limit, acceptor.accept(io)).await.ok()?.ok()?;
    Some(Wire::new(Box::new(encrypted)))
}

/// Reads the mail and hands over what is in it; the answer says whether it was kept.
async fn take_mail(wire: &mut Wire, rules: &Rules, inbox: &dyn Inbox, envelope: &Envelope) -> Result<&'static str, Broken> {
    let deadline = Instant::now() + rules.time_limit * MAIL_TIMES;
    wire.write(b"354 go on, end with a dot\r\n", deadline).await?;
    let mut data = Data::new(rules.size_max);
    while !data.is_complete() {
        let used = data.add(wire.read_some(deadline).await?);
        wire.use_up(used);
    }
    if data.is_too_large {
        return Ok("552 5.3.4 mail too large");
    }
    let inbound = match (rules.read)(&data.mail, envelope) {
        Ok(inbound) => inbound,
        Err(reason) => {
            tracing::debug!(%reason, "mail ignored");
            return Ok("250 2.0.0 taken");
        }
    };
    for one in inbound {
        if !matches!(timeout(rules.time_limit, inbox.take(one)).await, Ok(Ok(()))) {
            return Ok("451 4.3.0 cannot be kept right now, try again later");
        }
    }
    Ok("250 2.0.0 taken")
}

impl State {
    fn answer(&mut self, line: &str, rules: &Rules) -> Next {
        let line = line.trim_end_matches(['\r', '\n']);
        let (verb, argument) = line.split_once(' ').map_or((line, ""), |(verb, argument)| (verb, argument.trim()));
        let go = |reply: &str| Next::Go(reply.to_owned());
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" if argument.is_empty() => go("501 5.5.4 say who you are"),
            "EHLO" => {
                *self = State { greeted: true, encrypted: self.encrypted, mistakes: self.mistakes, ..State::default() };
                Next::Go(self.offers(rules))
            }
            "HELO" => {
                *self = State { greeted: true, encrypted: self.encrypted, mistakes: self.mistakes, ..State::default() };
                Next::Go(format!("250 {}", rules.name))
            }
            "MAIL" => Next::Go(self.begin(argument, rules).unwrap_or_else(str::to_owned)),
            "RCPT" => go(self.add_recipient(argument, rules)),
            "DATA" if !argument.is_empty() => go("501 5.5.4 DATA stands alone"),
            "DATA" if self.recipients.is_empty() => go("503 5.5.1 no recipient yet"),
            "DATA" => Next::Data,
            "RSET" => {
                (self.sender, self.recipients) = (None, Vec::new());
                go("250 2.0.0 forgotten")
            }
            "NOOP" => go("250 2.0.0 here"),
            "QUIT" => Next::End("221 2.0.0 bye".to_owned()),
            "STARTTLS" if !argument.is_empty() => go("501 5.5.4 STARTTLS stands alone"),
            "STARTTLS" if self.encrypted || rules.acceptor.is_none() => go("502 5.5.1 no STARTTLS here"),
            "STARTTLS" => Next::Encrypt,
            "VRFY" => go("252 2.5.0 cannot say, but will take a mail"),
            "HELP" => go("214 2.0.0 RFC 5321"),
            "EXPN" | "AUTH" | "TURN" | "BDAT" => go("502 5.5.1 not done here"),
            _ => go("500 5.5.2 unknown command"),
        }
    }

    fn offers(&self, rules: &Rules) -> String {
        let mut lines = vec![rules.name.clone(), "PIPELINING".to_owned(), "8BITMIME".to_owned(), "SMTPUTF8".to_owned()];
        lines.push("ENHANCEDSTATUSCODES".to_owned());
        lines.push(format!("SIZE {}", rules.size_max));
        if rules.acceptor.is_some() && !self.encrypted {
            lines.push("STARTTLS".to_owned());
        }
        let last = lines.len() - 1;
        let line = |(at, text): (usize, &String)| format!("250{}{text}", if at == last { ' ' } else { '-' });
        lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\r\n")
    }

    fn begin(&mut self, argument: &str, rules: &Rules) -> Result<String, &'static str> {
        if !self.greeted {
            return Err("503 5.5.1 greet first");
        }
        if self.sender.is_some() {
            return Err("503 5.5.1 a mail was begun already");
        }
        let (sender, parameters) = path(argument, "FROM:").ok_or("501 5.5.4 write MAIL FROM:<address>")?;
        for parameter in parameters.split_ascii_whitespace() {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match (name.to_ascii_uppercase().as_str(), value.to_ascii_uppercase().as_str()) {
                ("SIZE", size) => {
                    let size: u64 = size.parse().map_err(|_| "501 5.5.4 SIZE is a number")?;
                    if usize::try_from(size).map_or(true, |size| size > rules.size_max) {
                        return Err("552 5.3.4 mail too large");
                    }
                }
                ("BODY", "7BIT" | "8BITMIME") | ("SMTPUTF8", "") => {}
                _ => return Err("555 5.5.4 unknown parameter"),
            }
        }
        self.sender = Some(sender);
        Ok("250 2.1.0 sender taken".to_owned())
    }

    fn add_recipient(&mut self, argument: &str, rules: &Rules) -> &'static str {
        if self.sender.is_none() {
            return "503 5.5.1 no sender yet";
        }
        let Some((recipient, parameters)) = path(argument, "TO:") else { return "501 5.5.4 write RCPT TO:<address>" };
        if !parameters.is_empty() {
            return "555 5.5.4 unknown parameter";
        }
        if !rules.take(&recipient) {
            return "550 5.7.1 no mail for others is taken here";
        }
        if self.recipients.len() >= RECIPIENTS_MAX {
            return "452 4.5.3 too many recipients";
        }
        self.recipients.push(recipient);
        "250 2.1.5 recipient taken"
    }
}

/// The address in `FROM:<address> parameters`, without a source route (RFC 5321 appendix C).
fn path(argument: &str, word: &str) -> Option<(String, String)> {
    let rest = argument.get(..word.len()).filter(|begin| begin.eq_ignore_ascii_case(word)).map(|_| argument[word.len()..].trim_start())?;
    let (inside, parameters) = rest.strip_prefix('<')?.split_once('>')?;
    let address = if inside.starts_with('@') { inside.split_once(':')?.1 } else { inside };
    let sound = !address.contains(|c: char| c.is_control() || c == '<');
    (sound && (parameters.is_empty() || parameters.starts_with(' '))).then(|| (address.to_owned(), parameters.trim().to_owned()))
}

/// A mail as it comes in: dots at the beginning of lines taken away, the end recognised.
struct Data {
    mail: Vec<u8>,
    at: At,
    size_max: usize,
    is_too_large: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    LineStart,
    /// After a dot that begins a line.
    Dot,
    DotReturn,
    Text,
    Return,
    End,
}

impl Data {
    fn new(size_max: usize) -> Data {
        Data { mail: Vec::new(), at: At::LineStart, size_max, is_too_large: false }
    }

    fn is_complete(&self) -> bool {
        self.at == At::End
    }

    /// How many of the bytes belong to this mail.
    fn add(&mut self, bytes: &[u8]) -> usize {
        for (index, byte) in bytes.iter().enumerate() {
            self.at = match (self.at, byte) {
                (At::LineStart, b'.') => At::Dot,
                (At::Dot, b'\r') => At::DotReturn,
                (At::DotReturn, b'\n') => {
                    self.at = At::End;
                    return index + 1;
                }
                (At::DotReturn, b'\r') => {
                    self.keep(b'\r');
                    At::DotReturn
                }
                (at, byte) => {
                    if at == At::DotReturn {
                        self.keep(b'\r');
                    }
                    self.keep(*byte);
                    match (at, byte) {
                        (_, b'\r') => At::Return,
                        (At::Return, b'\n') => At::LineStart,
                        _ => At::Text,
                    }
                }
            };
        }
        bytes.len()
    }

    fn keep(&mut self, byte: u8) {
        if self.mail.len() < self.size_max {
            self.mail.push(byte);
        } else {
            self.is_too_large = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_ends_only_where_the_standard_says_however_it_is_cut() {
        for (wire, mail, rest) in [
            ("a\r\n.\r\nQUIT", Some("a\r\n"), "QUIT"),
            (".\r\n", Some(""), ""),
            ("..a\r\n.\r\n", Some(".a\r\n"), ""),
            (".a\r\n.\r\n", Some("a\r\n"), ""),
            ("a\n.\n.\r\n", None, ""),
            ("a\n.\r\n", None, ""),
            ("a\r.\r\n", None, ""),
            ("a\r\n.\n", None, ""),
            ("a\r\n.\r.\r\n", None, ""),
            ("a\r\r\n.\r\n", Some("a\r\r\n"), ""),
            ("a\r\n", None, ""),
        ] {
            for size in 1..=wire.len() {
                let mut data = Data::new(100);
                let mut used = 0;
                for chunk in wire.as_bytes().chunks(size) {
                    if !data.is_complete() {
                        used += data.add(chunk);
                    }
                }
                assert_eq!(data.is_complete(), mail.is_some(), "{wire:?} in {size}");
                if let Some(mail) = mail {
                    assert_eq!((String::from_utf8_lossy(&data.mail).as_ref(), &wire[used..]), (mail, rest), "{wire:?} in {size}");
                }
            }
        }
    }

    #[test]
    fn an_address_is_read_out_of_its_command() {
        for (argument, expected) in [
            ("FROM:<ada@example.com>", Some(("ada@example.com", ""))),
            ("from: <ada@example.com> SIZE=10 BODY=8BITMIME", Some(("ada@example.com", "SIZE=10 BODY=8BITMIME"))),
            ("FROM:<>", Some(("", ""))),
            ("FROM:<@a,@b:ada@example.com>", Some(("ada@example.com", ""))),
            ("FROM:ada@example.com", None),
            ("FROM:<ada@example.com>SIZE=1", None),
            ("FROM:<a\u{1}@example.com>", None),
            ("TO:<ada@example.com>", None),
            ("FRÖM:<a@b>", None),
            ("", None),
        ] {
            let read = path(argument, "FROM:");
            assert_eq!(read.as_ref().map(|(address, parameters)| (address.as_str(), parameters.as_str())), expected, "{argument}");
        }
    }
}
