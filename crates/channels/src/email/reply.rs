//! What a server answers, and what that means for the message and the account.
//!
//! The same number means different things at different points: a 5xx to the sign-in is about the account, a
//! 5xx to the recipient about the address or the message. Codes that come out are the server's own, such as
//! `550 5.7.1`; its texts are read, never handed on, since they quote addresses.

use super::status::{Status, address_is_gone};
use crate::SendError;
use std::time::Duration;

/// How far a conversation had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Greeting, EHLO, STARTTLS.
    Hello,
    SignIn,
    Sender,
    Recipient,
    /// DATA and the mail itself.
    Mail,
}

/// One reply, all of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    pub status: Option<Status>,
    /// Without codes, lines joined by spaces.
    pub text: String,
}

/// Texts of 4xx replies that ask for fewer mails rather than for another time.
const PAUSE_TEXTS: [&str; 7] = ["too many", "too much", "rate limit", "rate exceeded", "throttl", "slow down", "limit exceeded"];

/// No server's advice holds us longer than this.
const PAUSE_SECONDS_MAX: u64 = 3600;

impl Reply {
    /// From the code and the lines after it.
    pub fn new(code: u16, lines: &[String]) -> Reply {
        let status = lines.first().and_then(|line| Status::parse(line)).filter(|status| u16::from(status.class) == code / 100);
        let texts = lines.iter().map(|line| match Status::parse(line) {
            Some(_) => line.split_once(' ').map_or("", |(_, text)| text),
            None => line.as_str(),
        });
        Reply { code, status, text: texts.collect::<Vec<_>>().join(" ") }
    }

    pub fn is_good(&self) -> bool {
        self.code / 100 == 2
    }

    /// `550 5.1.1`, or `550` without an enhanced code.
    fn name(&self) -> String {
        self.status.map_or_else(|| self.code.to_string(), |status| format!("{} {status}", self.code))
    }

    /// What a refusal at `stage` means.
    pub fn refusal(&self, stage: Stage) -> SendError {
        let code = self.name();
        let subject = self.status.map(|status| (status.subject, status.detail));
        match (self.code, stage) {
            // About this mail only: others go on. 421 closes the connection, so it is about all of them.
            (400..500, Stage::Recipient | Stage::Mail) if self.code != 421 => SendError::Later { code, after: pause(&self.text) },
            (400..500, _) if self.asks_for_a_pause(stage) => SendError::Throttled { code, after: pause(&self.text) },
            (400..500, _) => SendError::Unavailable { code },
            // Sign in first; encrypt first; the way of signing in is too weak.
            (530 | 534 | 535 | 538, _) | (500..600, Stage::Hello | Stage::SignIn) => SendError::Account { code },
            // Too large: about this mail, though said early.
            (552, Stage::Sender) => SendError::Refused { code },
            (500..600, Stage::Sender) if subject != Some((3, 4)) => SendError::Account { code },
            (500..600, Stage::Recipient) if self.refuses_to_relay() => SendError::Account { code },
            (500..600, Stage::Recipient | Stage::Mail) if address_is_gone(self.status, &self.text) => SendError::AddressGone { code },
            (500..600, _) => SendError::Refused { code },
            // Neither yes nor no, where only those make sense.
            _ => SendError::Unavailable { code },
        }
    }

    /// 4.7.x is policy: rate limits, but at the sign-in a failing password store.
    fn asks_for_a_pause(&self, stage: Stage) -> bool {
        let subject = self.status.map(|status| (status.subject, status.detail));
        let text = self.text.to_ascii_lowercase();
        stage != Stage::SignIn
            && (matches!(subject, Some((7, _) | (5, 3)))
                || matches!(self.code, 421 | 450 | 451 | 452) && PAUSE_TEXTS.iter().any(|pause| text.contains(pause)))
    }

    /// The server does not carry our mail to others: we are not signed in, or not allowed.
    fn refuses_to_relay(&self) -> bool {
        let text = self.text.to_ascii_lowercase();
        self.status.is_none_or(|status| status.subject == 7 || status.is_general())
            && (text.contains("relay") || text.contains("authentication required"))
    }
}

/// `try again in 300 seconds`: the first number that is followed by a unit of time.
fn pause(text: &str) -> Option<Duration> {
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.windows(2).find_map(|pair| {
        let unit = match pair[1].to_ascii_lowercase().as_str() {
            "s" | "sec" | "secs" | "second" | "seconds" => 1,
            "m" | "min" | "mins" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => 3600,
            _ => return None,
        };
        let count: u64 = pair[0].parse().ok()?;
        Some(Duration::from_secs(count.saturating_mul(unit).min(PAUSE_SECONDS_MAX)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(error: &SendError) -> String {
        match error {
            SendError::Refused { code } => format!("refused {code}"),
            SendError::AddressGone { code } => format!("gone {code}"),
            SendError::Throttled { code, after } => format!("pause {code} {}", after.map_or(0, |after| after.as_secs())),
            SendError::Later { code, after } => format!("later {code} {}", after.map_or(0, |after| after.as_secs())),
            SendError::Unavailable { code } => format!("unavailable {code}"),
            SendError::NoAnswer { code } => format!("no answer {code}"),
            SendError::Account { code } => format!("account {code}"),
        }
    }

    #[test]
    fn a_reply_means_what_its_codes_and_its_stage_say() {
        for (stage, code, text, expected) in [
            (Stage::Recipient, 550, "5.1.1 <ada@example.com>: user unknown", "gone 550 5.1.1"),
            (Stage::Recipient, 556, "5.1.10 recipient address has null MX", "gone 556 5.1.10"),
            (Stage::Recipient, 551, "5.1.6 has moved", "gone 551 5.1.6"),
            (Stage::Recipient, 550, "No such user here", "gone 550"),
            (Stage::Recipient, 550, "5.2.1 mailbox disabled", "gone 550 5.2.1"),
            (Stage::Recipient, 552, "5.2.2 mailbox full", "refused 552 5.2.2"),
            (Stage::Recipient, 550, "5.7.1 blocked by policy", "refused 550 5.7.1"),
            (Stage::Recipient, 550, "mailbox unavailable", "refused 550"),
            (Stage::Recipient, 554, "5.7.1 <ada@example.com>: Relay access denied", "account 554 5.7.1"),
            (Stage::Recipient, 550, "relay not permitted", "account 550"),
            (Stage::Recipient, 530, "5.7.0 Authentication required", "account 530 5.7.0"),
            (Stage::Mail, 554, "5.7.1 looks like spam", "refused 554 5.7.1"),
            (Stage::Mail, 550, "5.1.1 unknown after all", "gone 550 5.1.1"),
            (Stage::Mail, 552, "5.3.4 too big", "refused 552 5.3.4"),
            (Stage::Sender, 552, "5.3.4 too big", "refused 552 5.3.4"),
            (Stage::Sender, 553, "5.1.8 sender's domain unknown", "account 553 5.1.8"),
            (Stage::Sender, 550, "5.7.1 not your address", "account 550 5.7.1"),
            (Stage::SignIn, 535, "5.7.8 wrong password", "account 535 5.7.8"),
            (Stage::SignIn, 454, "4.7.0 temporary authentication failure", "unavailable 454 4.7.0"),
            (Stage::Hello, 554, "no service for you", "account 554"),
            (Stage::Hello, 421, "4.3.2 shutting down", "unavailable 421 4.3.2"),
            (Stage::Hello, 421, "Too many connections, try again later", "pause 421 0"),
            (Stage::Sender, 421, "4.7.0 slow down", "pause 421 4.7.0 0"),
            (Stage::Recipient, 450, "4.7.1 Greylisted, try again in 5 minutes", "later 450 4.7.1 300"),
            (Stage::Recipient, 451, "greylisted, retry in 300s", "later 451 0"),
            (Stage::Recipient, 451, "rate limit exceeded; wait 99 hours", "later 451 3600"),
            (Stage::Recipient, 452, "4.5.3 too many recipients", "later 452 4.5.3 0"),
            (Stage::Recipient, 452, "4.2.2 mailbox full", "later 452 4.2.2 0"),
            (Stage::Mail, 451, "4.3.0 queue file write error", "later 451 4.3.0 0"),
            (Stage::Mail, 421, "4.3.2 shutting down", "unavailable 421 4.3.2"),
            (Stage::Sender, 451, "4.3.0 queue file write error", "unavailable 451 4.3.0"),
            (Stage::Mail, 354, "go on", "unavailable 354"),
            // A status of another class than the code is the text's, not the server's.
            (Stage::Mail, 550, "4.7.1 mixed up", "refused 550"),
        ] {
            let reply = Reply::new(code, &[text.to_owned()]);
            assert_eq!(said(&reply.refusal(stage)), expected, "{stage:?} {code} {text}");
        }
    }

    #[test]
    fn all_lines_of_a_reply_are_read() {
        let reply = Reply::new(550, &["5.7.1 first".to_owned(), "5.7.1 second".to_owned(), "third".to_owned()]);
        assert_eq!(reply.text, "first second third");
    }
}
