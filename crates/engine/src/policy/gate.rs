//! The one gate that every message passes: all rules together, per channel in the order of wish.
//!
//! On each channel: allowed at all, address known, not suppressed, consent, quiet hours, caps. The first
//! channel that passes sends. Else the earliest hold, if any channel is only quiet. Else the message is
//! suppressed by the rule that stopped the channel which came furthest (of equal ones the first).
//! Without `checks` and when a message is allowed nothing is allocated.

use super::consent::{self, Consent, Use};
use super::effective::{Effective, Policies, rule};
use super::frequency_cap;
use super::plan::{Check, Contact, OnQuiet, OptIn, Outcome, Request, Rule, Verdict};
use super::quiet_hours;
use faden_model::{Text, Timestamp};

/// The customer's own wish, which no policy file has to name.
const CONTACT_TIMES: Rule = Rule { code: Text::const_new("contact_times"), policy: Text::const_new("") };

/// How far a channel came; the message is explained by the one that came furthest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Allowed,
    Addressed,
    NotSuppressed,
    Consented,
    Awake,
    Capped,
}

/// What one channel says.
enum Answer<'a> {
    Send(&'a str),
    Hold(Timestamp, Rule),
    Stop(Stage, Rule),
}

/// May this message go out, on which channel, and when? `checks` gets every rule that was looked at.
pub fn gate<'a>(policies: &Policies, contact: &Contact<'a>, request: &Request<'a>, checks: Option<&mut Vec<Check>>) -> Verdict<'a> {
    let effective = policies.effective(contact.country, contact.brand);
    let mut inspection = Inspection { policies, effective, contact, request, checks };
    let mut hold: Option<(Timestamp, Rule)> = None;
    let mut stop: Option<(Stage, Rule)> = None;
    let preferred = contact.preferred_channel.and_then(|wish| request.channels.iter().find(|channel| *channel == wish));
    let others = request.channels.iter().filter(|channel| preferred.is_none_or(|first| *channel != first));
    for channel in preferred.into_iter().chain(others) {
        match inspection.channel(channel) {
            Answer::Send(address) => return Verdict::Send { channel, address },
            Answer::Hold(until, rule) if hold.as_ref().is_none_or(|(known, _)| until < *known) => hold = Some((until, rule)),
            Answer::Stop(stage, rule) if stop.as_ref().is_none_or(|(known, _)| stage > *known) => stop = Some((stage, rule)),
            Answer::Hold(..) | Answer::Stop(..) => {}
        }
    }
    match (hold, stop) {
        (Some((until, rule)), _) => Verdict::Hold { until, rule },
        (None, Some((_, rule))) => Verdict::Suppress { rule },
        (None, None) => Verdict::Suppress { rule: rule("channel.none", &Text::default()) },
    }
}

struct Inspection<'i, 'a> {
    policies: &'i Policies,
    effective: &'i Effective,
    contact: &'i Contact<'a>,
    request: &'i Request<'a>,
    checks: Option<&'i mut Vec<Check>>,
}

impl<'a> Inspection<'_, 'a> {
    fn channel(&mut self, channel: &'a Text) -> Answer<'a> {
        if let Some(rule) = self.not_allowed(channel) {
            return Answer::Stop(Stage::Allowed, rule);
        }
        let Some(address) = self.contact.addresses.iter().find(|address| address.channel == channel.as_str()) else {
            let rule = rule("address.missing", &Text::default());
            self.note(channel, &rule, Outcome::Stopped, || "the profile has no address for this channel".to_owned());
            return Answer::Stop(Stage::Addressed, rule);
        };
        let address = address.value;
        if let Some(rule) = self.suppressed(channel, address) {
            return Answer::Stop(Stage::NotSuppressed, rule);
        }
        if let Some(rule) = self.without_consent(channel, address) {
            return Answer::Stop(Stage::Consented, rule);
        }
        if let Some(answer) = self.quiet(channel) {
            return answer;
        }
        match self.capped(channel) {
            Some(rule) => Answer::Stop(Stage::Capped, rule),
            None => Answer::Send(address),
        }
    }

    fn not_allowed(&mut self, channel: &Text) -> Option<Rule> {
        let effective = self.effective;
        for (allowed, policy) in &effective.channels {
            let outcome = if allowed.contains(channel) { Outcome::Passed } else { Outcome::Stopped };
            if outcome == Outcome::Stopped || self.checks.is_some() {
                let rule = rule(&format!("channel.{channel}.allowed"), policy);
                self.note(channel, &rule, outcome, || format!("allowed are {}", allowed.join(", ")));
                if outcome == Outcome::Stopped {
                    return Some(rule);
                }
            }
        }
        None
    }

    fn suppressed(&mut self, channel: &Text, address: &str) -> Option<Rule> {
        let contact = self.contact;
        if let Some(entry) = contact.suppressed.iter().find(|entry| entry.address == address) {
            let rule = Rule { code: format!("suppressed.{}", entry.reason).into(), policy: Text::default() };
            self.note(channel, &rule, Outcome::Stopped, || format!("this address must not be used any more: {}", entry.reason));
            return Some(rule);
        }
        let effective = self.effective;
        for (list, rule) in &effective.suppressed {
            if list.contains(address) {
                self.note(channel, rule, Outcome::Stopped, || "the address is on the list".to_owned());
                return Some(rule.clone());
            }
            self.note(channel, rule, Outcome::Passed, || "the address is not on the list".to_owned());
        }
        None
    }

    fn without_consent(&mut self, channel: &Text, address: &str) -> Option<Rule> {
        let (contact, request, effective) = (self.contact, self.request, self.effective);
        let written = effective.purpose(request.purpose).map(|purpose| purpose.on(channel));
        let kind = written.map_or(OptIn::OptIn, |(kind, _)| kind);
        let wanted = Use { purpose: request.purpose, channel, address, at: request.at };
        let found = consent::check(contact.consents, kind, &wanted);
        if matches!(found, Consent::Allowed(_)) && self.checks.is_none() {
            return None;
        }
        let rule = match written {
            Some((_, rule)) => rule.clone(),
            None => Rule { code: format!("consent.{}.{}", request.purpose, kind.name()).into(), policy: Text::default() },
        };
        match found {
            Consent::Allowed(entry) => {
                self.note(channel, &rule, Outcome::Passed, || match entry {
                    Some(entry) => format!("granted at {} by message {}", entry.at, entry.proof),
                    None => "no consent is needed, and nothing was withdrawn".to_owned(),
                });
                None
            }
            Consent::Missing => {
                self.note(channel, &rule, Outcome::Stopped, || match written {
                    Some(_) if kind == OptIn::DoubleOptIn => "no confirmed consent".to_owned(),
                    Some(_) => "no consent".to_owned(),
                    None => "no consent, and no policy names this purpose, so opt_in is needed".to_owned(),
                });
                Some(rule)
            }
            Consent::Withdrawn(entry) => {
                let rule = Rule { code: format!("consent.{}.withdrawn", request.purpose).into(), policy: rule.policy };
                self.note(channel, &rule, Outcome::Stopped, || format!("withdrawn at {} by message {}", entry.at, entry.proof));
                Some(rule)
            }
        }
    }

    fn quiet(&mut self, channel: &Text) -> Option<Answer<'a>> {
        let (contact, request, effective) = (self.contact, self.request, self.effective);
        let heeded = contact.contact_times.filter(|_| effective.opt_in(request.purpose, channel) != OptIn::None);
        let own = heeded.map(|times| (times.quiet_hours(), CONTACT_TIMES));
        let all = || effective.quiet_hours.iter().chain(&own);
        let concerned = || all().filter(|(quiet, _)| quiet.concern(request.purpose, channel));
        concerned().next()?;
        let mut known = None;
        let zones = self.policies.zones(contact.time_zone, contact.country, &mut known);
        let windows = || concerned().map(|(quiet, _)| quiet);
        let mut holding: Option<&Rule> = None;
        for (quiet, rule) in concerned() {
            let asleep = quiet_hours::first_quiet(request.at, std::iter::once(quiet), zones).is_some();
            let outcome = match (asleep, quiet.on_quiet) {
                (false, _) => Outcome::Passed,
                (true, OnQuiet::Hold) => Outcome::Held,
                (true, OnQuiet::Suppress) => Outcome::Stopped,
            };
            self.note(channel, rule, outcome, || quiet_hours::describe(request.at, zones));
            match outcome {
                Outcome::Passed => {}
                Outcome::Held => holding = holding.or(Some(rule)),
                Outcome::Stopped => return Some(Answer::Stop(Stage::Awake, rule.clone())),
            }
        }
        let holding = holding?;
        let Some(until) = quiet_hours::free_from(request.at, windows(), zones) else {
            let rule = Rule { code: "quiet_hours.never_free".into(), policy: holding.policy.clone() };
            self.note(channel, &rule, Outcome::Stopped, || {
                "no time in the coming days is outside quiet hours in every time zone the customer may live in".to_owned()
            });
            return Some(Answer::Stop(Stage::Awake, rule));
        };
        match &effective.max_hold {
            Some((span, rule)) if until > request.due + *span => {
                self.note(channel, rule, Outcome::Stopped, || format!("due at {}, would be held until {until}", request.due));
                Some(Answer::Stop(Stage::Awake, rule.clone()))
            }
            _ => Some(Answer::Hold(until, holding.clone())),
        }
    }

    fn capped(&mut self, channel: &Text) -> Option<Rule> {
        let (contact, request, effective) = (self.contact, self.request, self.effective);
        for (cap, rule) in &effective.caps {
            if !frequency_cap::concerns(cap, request.purpose, channel) {
                continue;
            }
            let usage = frequency_cap::usage(cap, contact.sent, request);
            let outcome = if usage.allows() { Outcome::Passed } else { Outcome::Stopped };
            self.note(channel, rule, outcome, || usage.describe(cap, request));
            if outcome == Outcome::Stopped {
                return Some(rule.clone());
            }
        }
        None
    }

    fn note(&mut self, channel: &Text, rule: &Rule, outcome: Outcome, facts: impl FnOnce() -> String) {
        if let Some(checks) = self.checks.as_deref_mut() {
            checks.push(Check { rule: rule.clone(), channel: channel.clone(), outcome, facts: facts() });
        }
    }
}
