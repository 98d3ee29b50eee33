//! Enhanced status codes (RFC 3463 and its registry): what they say about an address.

use std::fmt;

/// `5.1.1`: class, subject, detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    pub class: u8,
    pub subject: u16,
    pub detail: u16,
}

/// The address does not exist or takes no mail at all: no mailbox, no such host, not an address, moved
/// without forwarding, mailbox disabled, a domain that says it takes no mail.
const GONE: [(u16, u16); 6] = [(1, 1), (1, 2), (1, 3), (1, 6), (2, 1), (1, 10)];

/// What servers write that give no enhanced code, or only `5.0.0`.
const GONE_TEXTS: [&str; 18] = [
    "user unknown",
    "unknown user",
    "no such user",
    "no such recipient",
    "no such mailbox",
    "no such address",
    "no such person",
    "no mailbox here",
    "unknown recipient",
    "recipient unknown",
    "unknown address",
    "user not found",
    "recipient not found",
    "mailbox not found",
    "mailbox unavailable: unknown",
    "does not exist",
    "doesn't exist",
    "account has been disabled",
];

impl Status {
    /// The status at the beginning of `text`, which ends there or goes on with a space or punctuation.
    pub fn parse(text: &str) -> Option<Status> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let mut parts = text.get(..end)?.trim_end_matches('.').split('.');
        let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
        let small = |part: &str| (part.len() <= 3).then(|| part.parse::<u16>().ok())?;
        let class = match class {
            "2" => 2,
            "4" => 4,
            "5" => 5,
            _ => return None,
        };
        parts.next().is_none().then_some(())?;
        Some(Status { class, subject: small(subject)?, detail: small(detail)? })
    }

    pub fn is_general(self) -> bool {
        (self.subject, self.detail) == (0, 0)
    }
}

/// Whether a permanent refusal means that the address takes nothing any more.
///
/// A full mailbox (5.2.2) or a refusal by policy (5.7.x) does not; nor does a refusal without an enhanced
/// code, unless its text says so: a suppressed living address is worse than one more bounce.
pub fn address_is_gone(status: Option<Status>, text: &str) -> bool {
    match status {
        Some(status) if !status.is_general() => status.class == 5 && GONE.contains(&(status.subject, status.detail)),
        _ => {
            let text = text.to_ascii_lowercase();
            GONE_TEXTS.iter().any(|gone| text.contains(gone))
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_only_where_one_stands() {
        for (text, expected) in [
            ("5.1.1 user unknown", Some("5.1.1")),
            ("5.1.10", Some("5.1.10")),
            ("4.7.650 too many", Some("4.7.650")),
            ("5.1.1. Thanks", Some("5.1.1")),
            ("5.1.1: no", Some("5.1.1")),
            ("3.1.1", None),
            ("5.1", None),
            ("5.1.1.2 is an address", None),
            ("5.1.1234", None),
            ("5..1", None),
            ("", None),
            ("user 5.1.1", None),
        ] {
            assert_eq!(Status::parse(text).map(|status| status.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn an_address_is_gone_only_when_the_refusal_says_so() {
        for (text, gone) in [
            ("5.1.1 unknown", true),
            ("5.1.10 recipient has null MX", true),
            ("5.1.6 moved", true),
            ("5.2.1 disabled", true),
            ("4.1.1 not sure", false),
            ("5.2.2 mailbox full", false),
            ("5.7.1 user unknown to our policy", false),
            ("5.0.0 User unknown", true),
            ("No such user here", true),
            ("Message rejected", false),
        ] {
            assert_eq!(address_is_gone(Status::parse(text), text), gone, "{text}");
        }
    }
}
