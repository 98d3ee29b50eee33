//! Writes the mail: headers, parts, encodings, signature.
//!
//! Every retry of a message has the same `Message-ID`, made from the message's id, so that mailboxes which
//! drop repeats can, and so that replies and bounces name the message.

use super::dkim::Signer;
use super::settings::Settings;
use crate::settings::{Fault, SettingsError};
use crate::{Email, MessageId, SendError};
use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MessageBuilder, MultiPart, MultiPartKind, SinglePart, header::ContentType};
use std::time::{SystemTime, UNIX_EPOCH};

/// No `Message-ID` that people's programs write is longer; RFC 5322 has lines of at most 998.
const MESSAGE_ID_LENGTH_MAX: usize = 500;

/// With it, too, a local part has to keep to its 64 bytes.
const LONGEST_ID: &str = "msg_fzzzzzzzzzzzz_3zzzzzz";

/// What is the same in every mail of an account.
pub struct Letterhead {
    from: Mailbox,
    reply_to: Option<Mailbox>,
    bounces: Bounces,
    signer: Option<Signer>,
}

/// The envelope sender.
enum Bounces {
    Fixed(Address),
    /// The message's id stands between the two.
    PerMessage(String, String),
}

/// A mail ready for the wire.
pub struct Mail {
    pub sender: String,
    pub recipient: String,
    /// Lines end with CRLF, none is longer than 998, all is ASCII.
    pub bytes: Vec<u8>,
}

impl Letterhead {
    /// # Errors
    /// [`SettingsError`] for what is no address, and for a key that cannot sign.
    pub fn new(settings: &Settings) -> Result<Letterhead, SettingsError> {
        let from = mailbox("from", &settings.from)?;
        let bounces = match &settings.bounces {
            None => Bounces::Fixed(from.email.clone()),
            Some(text) => bounces(text)?,
        };
        Ok(Letterhead {
            reply_to: settings.reply_to.as_deref().map(|text| mailbox("reply_to", text)).transpose()?,
            bounces,
            signer: settings.dkim.as_ref().map(Signer::new).transpose()?,
            from,
        })
    }

    /// # Errors
    /// [`SendError::AddressGone`] for a recipient that is no address, [`SendError::Refused`] for one that
    /// only mail in UTF-8 throughout could reach.
    pub fn write(&self, message: MessageId, to: &str, email: &Email, now: SystemTime) -> Result<Mail, SendError> {
        let to = address(to.trim()).ok_or_else(|| SendError::AddressGone { code: "bad address".to_owned() })?;
        if !to.user().is_ascii() {
            return Err(SendError::Refused { code: "address not ASCII".to_owned() });
        }
        let recipient = to.to_string();
        let mut builder =
            MessageBuilder::new().from(self.from.clone()).to(Mailbox::new(None, to)).subject(one_line(&email.subject)).date(now);
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        builder = builder.message_id(Some(format!("<{message}@{}>", self.from.email.domain())));
        match email.in_reply_to.as_deref().and_then(message_id) {
            Some(id) => builder = builder.in_reply_to(id.clone()).references(id),
            // RFC 3834: whoever answers by a program should not answer this.
            None => builder = builder.raw_header(header("Auto-Submitted", "auto-generated".to_owned())),
        }
        if let Some(url) = &email.unsubscribe_url {
            builder = builder
                .raw_header(header("List-Unsubscribe", format!("<{url}>")))
                .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        }
        let plain = || part(ContentType::TEXT_PLAIN, &email.text);
        let written = match &email.html {
            None => builder.singlepart(plain()),
            Some(html) if email.text.trim().is_empty() => builder.singlepart(part(ContentType::TEXT_HTML, html)),
            Some(html) => {
                // `=_` cannot occur in quoted-printable text, so no content contains the boundary.
                let parts = MultiPart::builder().kind(MultiPartKind::Alternative).boundary(format!("=_{message}"));
                builder.multipart(parts.singlepart(plain()).singlepart(part(ContentType::TEXT_HTML, html)))
            }
        };
        let mail = written.map_err(|_| SendError::Refused { code: "mail cannot be written".to_owned() })?.formatted();
        let mut bytes = Vec::with_capacity(mail.len() + 1024);
        if let Some(signer) = &self.signer {
            let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            bytes.extend_from_slice(signer.sign(&mail, seconds).as_bytes());
        }
        bytes.extend_from_slice(&mail);
        Ok(Mail { sender: self.bounces.address(message), recipient, bytes })
    }
}

impl Bounces {
    fn address(&self, message: MessageId) -> String {
        match self {
            Bounces::Fixed(address) => address.to_string(),
            Bounces::PerMessage(before, after) => format!("{before}{message}{after}"),
        }
    }
}

fn bounces(text: &str) -> Result<Bounces, SettingsError> {
    let wrong = || SettingsError { key: "bounces", fault: Fault::NoBounces };
    let split = text.split_once("{message}").or_else(|| text.split_once("+@").map(|(before, _)| text.split_at(before.len() + 1)));
    let Some((before, after)) = split else { return address(text).map(Bounces::Fixed).ok_or_else(wrong) };
    let longest = address(&format!("{before}{LONGEST_ID}{after}")).filter(|longest| longest.user().is_ascii()).ok_or_else(wrong)?;
    let (before, after) = longest.user().split_once(LONGEST_ID).ok_or_else(wrong)?;
    Ok(Bounces::PerMessage(before.to_owned(), format!("{after}@{}", longest.domain())))
}

/// An address with its domain in ASCII.
fn address(text: &str) -> Option<Address> {
    let (user, domain) = text.rsplit_once('@')?;
    Address::new(user, idna::domain_to_ascii(domain).ok()?).ok()
}

fn mailbox(key: &'static str, text: &str) -> Result<Mailbox, SettingsError> {
    let wrong = || SettingsError { key, fault: Fault::NoMail };
    let read: Mailbox = text.trim().parse().map_err(|_| wrong())?;
    let email = address(read.email.as_ref()).filter(|address| address.user().is_ascii()).ok_or_else(wrong)?;
    Ok(Mailbox::new(read.name, email))
}

/// A `Message-ID` of somebody else, in its angle brackets, if it is safe to repeat.
fn message_id(text: &str) -> Option<String> {
    let id = text.trim().trim_start_matches('<').trim_end_matches('>');
    let sound =
        !id.is_empty() && id.len() <= MESSAGE_ID_LENGTH_MAX && id.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>".contains(&byte));
    sound.then(|| format!("<{id}>"))
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// Line breaks and other control characters become spaces.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn part(kind: ContentType, text: &str) -> SinglePart {
    let body = Body::new_with_encoding(text.to_owned(), ContentTransferEncoding::QuotedPrintable)
        .expect("every text can be written as quoted-printable");
    SinglePart::builder().content_type(kind).body(body)
}
