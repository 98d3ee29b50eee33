//! Policy files as they were written, and what of them can be wrong.
//!
//! Plain data: the YAML reader fills [`PolicyFile`]s, [`super::Policies::build`] holds them against each
//! other. A field that is not written restricts nothing at that level.

use super::effective::minutes;
use faden_model::{Span, Text, Timestamp};
use serde::{Deserialize, Serialize};

/// One file under `policies/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyFile {
    /// Name that explanations cite, e.g. `global` or `eu`.
    pub name: Text,
    pub level: Level,
    /// `consent: {marketing: opt_in, news: {default: opt_in, sms: double_opt_in}}`.
    pub consent: Vec<ConsentRule>,
    /// Channels that may be used at all; every channel when missing.
    pub channels: Option<Vec<Text>>,
    pub quiet_hours: Vec<QuietHours>,
    /// A message that would be held longer than this after it was due is suppressed instead.
    pub max_hold: Option<Span>,
    pub caps: Vec<Cap>,
    /// Who is never written to: see [`super::suppression`] for the three written forms.
    pub suppressed: Vec<Text>,
    /// Kind of data and how long it may be kept.
    pub retention: Vec<(Text, Span)>,
    /// Languages that may be used; every language when missing.
    pub languages: Option<Vec<Text>>,
    /// Tone of voice, for the people and checks that read templates; means nothing here.
    pub tone: Option<Text>,
}

/// How far a policy file reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Level {
    #[default]
    Global,
    /// Two-letter country codes (ISO 3166-1). A country may belong to several regions; all of them apply.
    Region {
        name: Text,
        countries: Vec<Text>,
    },
    Brand {
        name: Text,
    },
}

/// What a purpose needs before it may be used, in order of strictness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OptIn {
    /// `none`: no consent needed (an order confirmation); only "stop everything" stops it.
    None,
    /// `opt_out`: allowed until withdrawn.
    OptOut,
    /// `opt_in`: allowed once granted.
    OptIn,
    /// `double_opt_in`: allowed once granted and confirmed through the contact point itself.
    DoubleOptIn,
}

/// Consent that a purpose needs, on one channel or in general.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentRule {
    pub purpose: Text,
    /// A rule for a channel stands above the general one of the same file, in both directions.
    pub channel: Option<Text>,
    pub kind: OptIn,
}

/// A local time window in which nothing of these purposes goes out on these channels.
///
/// Half open, `[from, to)`, by the customer's wall clock; `to` at or before `from` is on the next day,
/// so equal times are a whole day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// Minutes after local midnight, 0 to 1439.
    pub from: u16,
    /// Minutes after local midnight, 0 to 1440.
    pub to: u16,
    /// The days on which the window begins; bit 0 is Monday; all seven when not written.
    pub days: u8,
    /// All purposes when empty.
    pub purposes: Vec<Text>,
    /// All channels when empty.
    pub channels: Vec<Text>,
    pub on_quiet: OnQuiet,
}

/// What happens to a message that falls into quiet hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum OnQuiet {
    #[default]
    Hold,
    Suppress,
}

/// At most `max` messages in any `(t - within, t]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    /// All purposes together when missing.
    pub purpose: Option<Text>,
    /// All channels together when missing.
    pub channel: Option<Text>,
    pub max: u32,
    pub within: Span,
    /// Counts the messages of each journey by themselves.
    pub per_journey: bool,
    pub reserve: Option<Reserve>,
}

/// Slots of a cap that only important messages may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserve {
    /// Messages below this priority leave the slots free.
    pub priority: i32,
    pub slots: u32,
}

/// Where the workspace is at home: read when a customer's country and time zone are unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Home {
    /// Two-letter code.
    pub country: Text,
    /// IANA name.
    pub time_zone: Text,
}

/// A narrower policy says less than the global one; it would have no effect, so it is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("policy `{policy}` loosens {field}: global says {global}, here {own}; {help}")]
pub struct Loosening {
    /// Index into the files given to `build`.
    pub file: usize,
    pub policy: Text,
    pub field: Field,
    pub global: String,
    pub own: String,
    /// What to write instead.
    pub help: String,
}

/// The place in a policy file, so that its line can be found; indices count within the file's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    Consent { index: usize },
    Channels { index: usize },
    QuietHours { index: usize },
    MaxHold,
    Cap { index: usize },
    Retention { index: usize },
    Languages { index: usize },
}

impl Loosening {
    /// Stable; `docs/errors/policy-loosens.md` explains it.
    pub const CODE: &'static str = "policy-loosens";
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Field::Consent { .. } => "consent",
            Field::Channels { .. } => "channels",
            Field::QuietHours { .. } => "quiet_hours",
            Field::MaxHold => "max_hold",
            Field::Cap { .. } => "caps",
            Field::Retention { .. } => "retention",
            Field::Languages { .. } => "languages",
        })
    }
}

impl OptIn {
    pub const ALL: [OptIn; 4] = [OptIn::None, OptIn::OptOut, OptIn::OptIn, OptIn::DoubleOptIn];

    pub fn name(self) -> &'static str {
        match self {
            OptIn::None => "none",
            OptIn::OptOut => "opt_out",
            OptIn::OptIn => "opt_in",
            OptIn::DoubleOptIn => "double_opt_in",
        }
    }

    pub fn from_name(name: &str) -> Option<OptIn> {
        OptIn::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Default for QuietHours {
    /// 20:00 to 09:00, every day, everything, held.
    fn default() -> QuietHours {
        QuietHours { from: 20 * 60, to: 9 * 60, days: 0b111_1111, purposes: Vec::new(), channels: Vec::new(), on_quiet: OnQuiet::Hold }
    }
}

impl Cap {
    /// `max` messages of everything within `within`.
    pub fn new(max: u32, within: Span) -> Cap {
        Cap { purpose: None, channel: None, max, within, per_journey: false, reserve: None }
    }
}

/// What is known of the customer when a message is about to go out.
#[derive(Clone, Copy, Debug)]
pub struct Contact<'a> {
    /// Two-letter code; anything else counts as unknown: then the rules of all regions apply.
    pub country: Option<&'a str>,
    /// Of the journey, else of the profile. A brand without a policy file has the global rules.
    pub brand: Option<&'a str>,
    /// IANA name; anything else counts as unknown: see `quiet_hours`.
    pub time_zone: Option<&'a str>,
    /// When he wants to be written to, by his wall clock; heeded by every purpose that heeds consent.
    pub contact_times: Option<ContactTimes>,
    /// One address per channel kind, normalised; the first of a kind is used.
    pub addresses: &'a [Address<'a>],
    /// Is tried first when the message may use it.
    pub preferred_channel: Option<&'a str>,
    pub consents: &'a [super::ConsentEntry],
    /// In any order.
    pub sent: &'a [super::SentEntry],
    /// Addresses of this profile that bounced or complained.
    pub suppressed: &'a [super::SuppressedAddress],
}

/// Hours of the day, by the customer's wall clock, in which he wants to be written to: `09:00-18:00`.
///
/// Half open, `[from, to)`; `to` before `from` is on the next day. They never allow what a policy forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContactTimes {
    from: u16,
    to: u16,
}

impl ContactTimes {
    /// Reads `HH:MM-HH:MM`, the end up to `24:00`; `None` for any other text, and for equal times, which would leave
    /// no time or all of it.
    pub fn parse(text: &str) -> Option<ContactTimes> {
        let minute = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let two = |part: &str| {
                if part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()) { part.parse::<u16>().ok() } else { None }
            };
            Some(two(hour)? * 60 + two(minute).filter(|minute| *minute < 60)?)
        };
        let (from, to) = text.split_once('-')?;
        let (from, to) = (minute(from)?, minute(to)?);
        (from < 1440 && to <= 1440 && from != to % 1440).then_some(ContactTimes { from, to })
    }

    /// The rest of the day.
    pub(super) fn quiet_hours(self) -> QuietHours {
        QuietHours { from: self.to % 1440, to: self.from, ..QuietHours::default() }
    }
}

impl std::fmt::Display for ContactTimes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", minutes(self.from), minutes(self.to))
    }
}

/// Where a channel reaches a customer: `("email", "ada@example.com")`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    pub channel: &'a str,
    pub value: &'a str,
}

/// The message that asks to go out.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub at: Timestamp,
    /// When the message was first due: equals `at` unless it was held. `max_hold` counts from here.
    pub due: Timestamp,
    pub purpose: &'a str,
    /// In the order in which they are tried.
    pub channels: &'a [Text],
    pub priority: i32,
    /// `audience::key_of` of the journey's name.
    pub journey: u64,
}

/// May it go out, and when?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    Send {
        channel: &'a Text,
        address: &'a str,
    },
    /// Ask again at `until`; the answer may have changed by then.
    Hold {
        until: Timestamp,
        rule: Rule,
    },
    /// For good.
    Suppress {
        rule: Rule,
    },
}

/// The rule that decided, and the policy file it stands in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rule {
    /// E.g. `consent.marketing.opt_in`, `cap.marketing.1_in_20d`, `quiet_hours.20:00-09:00`, `address.missing`.
    pub code: Text,
    /// [`PolicyFile::name`]; empty for rules that always hold.
    pub policy: Text,
}

/// One rule that was looked at, for `faden explain`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub rule: Rule,
    pub channel: Text,
    pub outcome: Outcome,
    /// What the rule saw, in words.
    pub facts: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Passed,
    Held,
    Stopped,
}
