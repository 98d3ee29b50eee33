//! Reads one event from one JSON object.
//!
//! One pass over the line finds the members by name and keeps their bytes, those inside `traits` and
//! `context` that may name a customer or a consent as well; they are then read by kind of call. What comes
//! from one sender looks alike: [`Habits`] spare reading again what stands there byte for byte as before.
//! Of a key that occurs twice the first counts. Malformed parts of traits and context are left alone:
//! they are the sender's own data, and only what can be read becomes an identifier or a consent.

mod habits;

pub use habits::Habits;

use super::{Event, EventError, EventKind, NAME_BYTES_MAX, Receipt};
use crate::identifier::{normalise, trimmed};
use crate::json::scan::{Broken, Scanner, explain};
use crate::{Identifier, IdentifierKind, Text, Timestamp, json};
use smallvec::SmallVec;
use std::borrow::Cow;

/// The members of a call that are read; everything else is ignored.
#[derive(Clone, Copy, Debug)]
enum Member {
    Type,
    MessageId,
    UserId,
    AnonymousId,
    PreviousId,
    GroupId,
    Event,
    Name,
    Category,
    Properties,
    Traits,
    Context,
    Timestamp,
    OriginalTimestamp,
    SentAt,
    ReceivedAt,
    SpecVersion,
    Id,
    Source,
    Subject,
    Data,
    DataBase64,
    Time,
    TraitsEmail,
    TraitsPhone,
    ContextTraits,
    ContextDevice,
    ContextExternalIds,
    ContextConsent,
}

const MEMBERS: usize = Member::ContextConsent as usize + 1;

impl Member {
    fn from_name(name: &str) -> Option<Member> {
        Some(match name {
            "type" => Member::Type,
            "messageId" => Member::MessageId,
            "userId" => Member::UserId,
            "anonymousId" => Member::AnonymousId,
            "previousId" => Member::PreviousId,
            "groupId" => Member::GroupId,
            "event" => Member::Event,
            "name" => Member::Name,
            "category" => Member::Category,
            "properties" => Member::Properties,
            "traits" => Member::Traits,
            "context" => Member::Context,
            "timestamp" => Member::Timestamp,
            "originalTimestamp" => Member::OriginalTimestamp,
            "sentAt" => Member::SentAt,
            "receivedAt" => Member::ReceivedAt,
            "specversion" => Member::SpecVersion,
            "id" => Member::Id,
            "source" => Member::Source,
            "subject" => Member::Subject,
            "data" => Member::Data,
            "data_base64" => Member::DataBase64,
            "time" => Member::Time,
            _ => return None,
        })
    }

    fn in_traits(name: &str) -> Option<Member> {
        match name {
            "email" => Some(Member::TraitsEmail),
            "phone" => Some(Member::TraitsPhone),
            _ => None,
        }
    }

    fn in_context(name: &str) -> Option<Member> {
        match name {
            "traits" => Some(Member::ContextTraits),
            "device" => Some(Member::ContextDevice),
            "externalIds" => Some(Member::ContextExternalIds),
            "consent" => Some(Member::ContextConsent),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Member::Type => "type",
            Member::MessageId => "messageId",
            Member::UserId => "userId",
            Member::AnonymousId => "anonymousId",
            Member::PreviousId => "previousId",
            Member::GroupId => "groupId",
            Member::Event => "event",
            Member::Name => "name",
            Member::Category => "category",
            Member::Properties => "properties",
            Member::Traits => "traits",
            Member::Context => "context",
            Member::Timestamp => "timestamp",
            Member::OriginalTimestamp => "originalTimestamp",
            Member::SentAt => "sentAt",
            Member::ReceivedAt => "receivedAt",
            Member::SpecVersion => "specversion",
            Member::Id => "id",
            Member::Source => "source",
            Member::Subject => "subject",
            Member::Data => "data",
            Member::DataBase64 => "data_base64",
            Member::Time => "time",
            Member::TraitsEmail => "traits.email",
            Member::TraitsPhone => "traits.phone",
            Member::ContextTraits => "context.traits",
            Member::ContextDevice => "context.device",
            Member::ContextExternalIds => "context.externalIds",
            Member::ContextConsent => "context.consent",
        }
    }
}

/// The bytes of each member that the sender wrote.
struct Call<'a> {
    raw: [Option<&'a str>; MEMBERS],
    /// A bit for each member that is a string without escapes.
    plain: u32,
}

impl<'a> Event<'a> {
    /// Reads a line of a file. `country` is the two-letter code that national phone numbers are read under.
    ///
    /// # Errors
    /// [`EventError`] with what is wrong and what to send instead; no input panics.
    pub fn parse(line: &'a str, country: &str) -> Result<Event<'a>, EventError> {
        Event::parse_received(line, country, &Receipt::default())
    }

    /// Reads the next line of a stream; see [`Event::parse`].
    ///
    /// # Errors
    /// As [`Event::parse`].
    pub fn parse_next(line: &'a str, country: &str, habits: &mut Habits) -> Result<Event<'a>, EventError> {
        Event::read(line, country, &Receipt::default(), Some(habits))
    }

    /// Reads a call that came in; see [`Event::parse`].
    ///
    /// # Errors
    /// As [`Event::parse`].
    pub fn parse_received(line: &'a str, country: &str, receipt: &Receipt) -> Result<Event<'a>, EventError> {
        Event::read(line, country, receipt, None)
    }

    fn read(line: &'a str, country: &str, receipt: &Receipt, habits: Option<&mut Habits>) -> Result<Event<'a>, EventError> {
        let mut call = Call { raw: [None; MEMBERS], plain: 0 };
        call.scan(line, habits).map_err(|_| EventError::Json(explain(line, '{')))?;
        if call.raw(Member::SpecVersion).is_some() { call.cloud_event(country) } else { call.segment_call(country, receipt) }
    }
}

impl<'a> Call<'a> {
    fn scan(&mut self, line: &'a str, mut habits: Option<&mut Habits>) -> Result<(), Broken> {
        let mut scanner = Scanner::new(line);
        if !scanner.take(b'{') {
            return Err(Broken);
        }
        if !scanner.take(b'}') {
            let mut before = None;
            loop {
                let member = match &mut habits {
                    Some(habits) => habits.name(&mut scanner, before)?,
                    None => Member::from_name(&scanner.name()?),
                };
                self.member(&mut scanner, member, &mut habits)?;
                before = member;
                if !scanner.take(b',') {
                    break;
                }
            }
            if !scanner.take(b'}') {
                return Err(Broken);
            }
        }
        scanner.end()
    }

    fn member(&mut self, scanner: &mut Scanner<'a>, member: Option<Member>, habits: &mut Option<&mut Habits>) -> Result<(), Broken> {
        match member.filter(|member| self.raw(*member).is_none()) {
            Some(Member::Traits) if scanner.peek() == b'{' => self.scan_inner(scanner, Member::Traits, Member::in_traits),
            Some(Member::Context) if scanner.peek() == b'{' => {
                let before = *scanner;
                let Some(habits) = habits else { return self.scan_inner(scanner, Member::Context, Member::in_context) };
                if !habits.context.is_empty() && scanner.skip(&habits.context) {
                    // An object ends where its bytes end, whatever follows.
                    self.raw[Member::Context as usize] = Some(before.until(scanner));
                    return Ok(());
                }
                self.scan_inner(scanner, Member::Context, Member::in_context)?;
                habits.note_context(self);
                Ok(())
            }
            known => self.keep(known, scanner),
        }
    }

    /// Moves past a value, and keeps it as this member unless it is null.
    fn keep(&mut self, member: Option<Member>, scanner: &mut Scanner<'a>) -> Result<(), Broken> {
        let (value, plain) = scanner.value_and_form()?;
        if let Some(member) = member {
            let place = &mut self.raw[member as usize];
            if place.is_none() && value != "null" {
                *place = Some(value);
                self.plain |= u32::from(plain) << member as u32;
            }
        }
        Ok(())
    }

    fn scan_inner(&mut self, scanner: &mut Scanner<'a>, outer: Member, inner: fn(&str) -> Option<Member>) -> Result<(), Broken> {
        let before = *scanner;
        scanner.object(|scanner, name| self.keep(inner(name), scanner))?;
        self.raw[outer as usize] = Some(before.until(scanner));
        Ok(())
    }

    fn raw(&self, member: Member) -> Option<&'a str> {
        self.raw[member as usize]
    }

    /// Whether the member is a string written without escapes.
    fn is_plain(&self, member: Member) -> bool {
        self.plain >> member as u32 & 1 == 1
    }

    fn segment_call(&self, country: &str, receipt: &Receipt) -> Result<Event<'a>, EventError> {
        let kind = self.kind(receipt)?;
        let mut event = Event {
            kind,
            message_id: self.text(Member::MessageId)?,
            name: self.segment_name(kind)?,
            timestamp: self.segment_time(receipt)?,
            identifiers: Vec::with_capacity(2),
            properties: self.object(Member::Properties)?,
            traits: self.object(Member::Traits)?,
            context: self.object(Member::Context)?,
            consents: SmallVec::new(),
        };
        let mut found = Found { country, identifiers: &mut event.identifiers, consents: &mut event.consents };
        self.named_identifiers(&mut found)?;
        if kind == EventKind::Alias {
            if found.identifiers.is_empty() {
                return Err(EventError::Nobody);
            }
            let previous = self.text(Member::PreviousId)?;
            if previous.is_empty() {
                return Err(EventError::NoPreviousId);
            }
            // The spec does not say what kind the previous id is. Its use is to join the id a visitor had
            // before he logged in, so that is how it is read.
            found.add(IdentifierKind::AnonymousId, previous);
        }
        // A group's traits describe the group, not the customer.
        if kind == EventKind::Identify {
            found.add_raw(IdentifierKind::Email, self.raw(Member::TraitsEmail));
            found.add_raw(IdentifierKind::Phone, self.raw(Member::TraitsPhone));
        }
        self.read_context(&mut found);
        if event.identifiers.is_empty() { Err(EventError::Nobody) } else { Ok(event) }
    }

    fn cloud_event(&self, country: &str) -> Result<Event<'a>, EventError> {
        let version = self.text(Member::SpecVersion)?;
        if version != "1.0" {
            return Err(EventError::UnknownSpecVersion(excerpt(&version)));
        }
        let needed = |member: Member| {
            let text = self.text(member)?;
            if text.is_empty() { Err(EventError::CloudEventLacks(member.name())) } else { Ok(text) }
        };
        let (id, source, name) = (needed(Member::Id)?, needed(Member::Source)?, needed(Member::Type)?);
        // A source is a URI reference and cannot contain `|`, so two pairs never make one message id.
        let message_id = within_limit("id", Cow::Owned(format!("{source}|{id}")))?;
        if self.raw(Member::DataBase64).is_some() {
            return Err(EventError::NotAnObject("data"));
        }
        let mut event = Event {
            kind: EventKind::Track,
            message_id,
            name,
            timestamp: self.time(Member::Time)?,
            identifiers: Vec::with_capacity(2),
            properties: self.object(Member::Data)?,
            traits: Cow::Borrowed("{}"),
            context: self.object(Member::Context)?,
            consents: SmallVec::new(),
        };
        let mut found = Found { country, identifiers: &mut event.identifiers, consents: &mut event.consents };
        if let Some((kind, value)) = split_subject(self.text(Member::Subject)?) {
            found.add(kind, value);
        }
        self.named_identifiers(&mut found)?;
        self.read_context(&mut found);
        Ok(event)
    }

    fn named_identifiers(&self, found: &mut Found<'a, '_>) -> Result<(), EventError> {
        found.add(IdentifierKind::UserId, self.text(Member::UserId)?);
        found.add(IdentifierKind::AnonymousId, self.text(Member::AnonymousId)?);
        Ok(())
    }

    fn read_context(&self, found: &mut Found<'a, '_>) {
        if let Some(traits) = self.raw(Member::ContextTraits) {
            let [email, phone] = pick(traits, ["email", "phone"]);
            found.add_raw(IdentifierKind::Email, email);
            found.add_raw(IdentifierKind::Phone, phone);
        }
        if let Some(device) = self.raw(Member::ContextDevice) {
            let [id] = pick(device, ["id"]);
            found.add_raw(IdentifierKind::DeviceId, id);
        }
        if let Some(external) = self.raw(Member::ContextExternalIds) {
            found.read_external(external);
        }
        if let Some(consent) = self.raw(Member::ContextConsent)
            && let [Some(preferences)] = pick(consent, ["categoryPreferences"])
        {
            found.read_consents(preferences);
        }
    }

    fn kind(&self, receipt: &Receipt) -> Result<EventKind, EventError> {
        let Some(raw) = self.raw(Member::Type) else {
            return receipt.kind.ok_or(EventError::NoType);
        };
        match raw {
            r#""track""# => Ok(EventKind::Track),
            r#""identify""# => Ok(EventKind::Identify),
            r#""page""# => Ok(EventKind::Page),
            r#""screen""# => Ok(EventKind::Screen),
            r#""group""# => Ok(EventKind::Group),
            r#""alias""# => Ok(EventKind::Alias),
            other => Err(EventError::UnknownType(excerpt(other.trim_matches('"')))),
        }
    }

    fn segment_name(&self, kind: EventKind) -> Result<Cow<'a, str>, EventError> {
        let missing = match kind {
            EventKind::Track => (self.text(Member::Event)?, EventError::NoName),
            EventKind::Group => (self.text(Member::GroupId)?, EventError::NoGroupId),
            EventKind::Page | EventKind::Screen => {
                let name = self.text(Member::Name)?;
                return if name.is_empty() { self.text(Member::Category) } else { Ok(name) };
            }
            EventKind::Identify | EventKind::Alias => return Ok(Cow::Borrowed("")),
        };
        match missing {
            (name, error) if name.is_empty() => Err(error),
            (name, _) => Ok(name),
        }
    }

    /// `receivedAt - (sentAt - originalTimestamp)`, where a call that arrives may write `timestamp` for
    /// `originalTimestamp`. A `timestamp` beside `originalTimestamp` or in a file is corrected already.
    fn segment_time(&self, receipt: &Receipt) -> Result<Option<Timestamp>, EventError> {
        let (timestamp, original) = (self.time(Member::Timestamp)?, self.time(Member::OriginalTimestamp)?);
        let device = match (timestamp, original) {
            (Some(at), Some(_)) => return Ok(Some(at)),
            (Some(at), None) if receipt.received_at.is_none() => return Ok(Some(at)),
            (Some(at), None) | (None, Some(at)) => at,
            (None, None) => return Ok(None),
        };
        let sent = self.time(Member::SentAt)?.or(receipt.sent_at);
        let received = match receipt.received_at {
            Some(at) => Some(at),
            None => self.time(Member::ReceivedAt)?,
        };
        Ok(Some(match (sent, received) {
            (Some(sent), Some(received)) => received - (sent - device),
            _ => device,
        }))
    }

    fn time(&self, member: Member) -> Result<Option<Timestamp>, EventError> {
        let Some(raw) = self.raw(member) else {
            return Ok(None);
        };
        let text = if self.is_plain(member) { Cow::Borrowed(unquoted(raw)) } else { string(raw).unwrap_or(Cow::Borrowed(raw)) };
        if text.len() > NAME_BYTES_MAX {
            return Err(EventError::TooLong { field: member.name(), length: text.len(), limit: NAME_BYTES_MAX });
        }
        Timestamp::parse(text.trim()).map(Some).map_err(|source| EventError::Time { field: member.name(), source })
    }

    /// The trimmed text of a member, empty when it is missing; numbers as the sender wrote them.
    fn text(&self, member: Member) -> Result<Cow<'a, str>, EventError> {
        match self.raw(member) {
            None => Ok(Cow::Borrowed("")),
            Some(raw) if self.is_plain(member) => within_limit(member.name(), Cow::Borrowed(trimmed(unquoted(raw)))),
            Some(raw) => within_limit(member.name(), text_or_number(raw).ok_or(EventError::NotText(member.name()))?),
        }
    }

    fn object(&self, member: Member) -> Result<Cow<'a, str>, EventError> {
        match self.raw(member) {
            None => Ok(Cow::Borrowed("{}")),
            Some(raw) if raw.starts_with('{') => Ok(Cow::Borrowed(raw)),
            Some(_) => Err(EventError::NotAnObject(member.name())),
        }
    }
}

/// Collects identifiers and consents, each once.
struct Found<'a, 'e> {
    country: &'e str,
    identifiers: &'e mut Vec<Identifier<'a>>,
    consents: &'e mut SmallVec<[(Text, bool); 1]>,
}

impl<'a> Found<'a, '_> {
    fn add(&mut self, kind: IdentifierKind, value: Cow<'a, str>) {
        if value.len() > NAME_BYTES_MAX {
            return;
        }
        let value = match value {
            Cow::Borrowed(text) => normalise(&kind, text, self.country),
            Cow::Owned(text) => normalise(&kind, &text, self.country).map(|value| Cow::Owned(value.into_owned())),
        };
        let Some(value) = value else {
            return;
        };
        let identifier = Identifier { kind, value };
        if !self.identifiers.contains(&identifier) {
            self.identifiers.push(identifier);
        }
    }

    fn add_raw(&mut self, kind: IdentifierKind, raw: Option<&'a str>) {
        if let Some(value) = raw.and_then(text_or_number) {
            self.add(kind, value);
        }
    }

    /// `[{"id": "...", "type": "..."}]`; entries of another shape are left alone.
    fn read_external(&mut self, raw: &'a str) {
        // A broken entry cannot occur: the whole line was read before.
        let _ = json::for_each_item(raw, |entry| {
            let [id, kind] = pick(entry, ["id", "type"]);
            let (Some(id), Some(kind)) = (id, kind.and_then(string)) else {
                return;
            };
            if !kind.trim().is_empty() && kind.len() <= NAME_BYTES_MAX {
                self.add_raw(IdentifierKind::from_name(kind.trim()), Some(id));
            }
        });
    }

    fn read_consents(&mut self, raw: &'a str) {
        // As above; what is not true or false is not an answer.
        let _ = json::for_each_member(raw, |purpose, value| {
            let agrees = match value {
                "true" => true,
                "false" => false,
                _ => return,
            };
            if purpose.len() <= NAME_BYTES_MAX && !self.consents.iter().any(|(known, _)| known == purpose) {
                self.consents.push((Text::new(purpose), agrees));
            }
        });
    }
}

/// The bytes of the named members of an object; all `None` for anything that is not an object.
fn pick<'a, const N: usize>(raw: &'a str, names: [&str; N]) -> [Option<&'a str>; N] {
    let mut found = [None; N];
    let _ = json::for_each_member(raw, |name, value| {
        if let Some(at) = names.iter().position(|wanted| *wanted == name)
            && found[at].is_none()
        {
            found[at] = Some(value);
        }
    });
    found
}

/// The trimmed text of a JSON string, or a number as written; `None` for any other value.
fn text_or_number(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first()? {
        b'"' => string(raw).map(trim),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(raw)),
        _ => None,
    }
}

/// What stands between the quotes.
fn unquoted(raw: &str) -> &str {
    raw.get(1..raw.len() - 1).unwrap_or_default()
}

/// The content of a JSON string; `None` for any other value and for a broken surrogate pair.
fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.bytes().any(|byte| byte == b'\\') {
        serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(trimmed(text)),
        Cow::Owned(text) if trimmed(&text).len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(trimmed(&text).to_owned()),
    }
}

fn within_limit<'a>(field: &'static str, text: Cow<'a, str>) -> Result<Cow<'a, str>, EventError> {
    if text.len() > NAME_BYTES_MAX {
        return Err(EventError::TooLong { field, length: text.len(), limit: NAME_BYTES_MAX });
    }
    Ok(text)
}

/// `kind:value`, where the kind is written in lower case, digits and `_`; anything else names nobody.
fn split_subject(subject: Cow<'_, str>) -> Option<(IdentifierKind, Cow<'_, str>)> {
    let (kind, _) = subject.split_once(':')?;
    let name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if kind.is_empty() || !kind.bytes().all(name) {
        return None;
    }
    let (known, start) = (IdentifierKind::from_name(kind), kind.len() + 1);
    Some(match subject {
        Cow::Borrowed(text) => (known, Cow::Borrowed(&text[start..])),
        Cow::Owned(text) => (known, Cow::Owned(text[start..].to_owned())),
    })
}

/// The beginning of a text, short enough for a message.
fn excerpt(text: &str) -> String {
    const CHARACTERS_MAX: usize = 60;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
