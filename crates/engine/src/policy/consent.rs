//! Consent: did this customer agree to this purpose, on this channel, at this address?
//!
//! Pure. Keeps, per scope (purpose, channel, contact point), the latest grant, the latest confirmation
//! and the latest withdrawal, so the order in which entries were recorded never matters. The complete
//! ledger is the log; an entry names its proof there.
//!
//! The reading a regulator would take:
//! - An entry covers a message when its purpose is the message's (or [`EVERYTHING`]) and its channel and
//!   contact point, as far as it names them, are the message's.
//! - A covering withdrawal stops the message, unless a grant answers it: later (at equal times the
//!   withdrawal wins) and at least as specific. Who stopped text messages and later ticks a general
//!   "marketing" box still gets none; who grants text messages again gets them.
//! - A grant must name its purpose; a grant of [`EVERYTHING`] grants nothing. A grant dated in the
//!   future waits for its day, a withdrawal does not.
//! - `double_opt_in` counts confirmations only. A new plain grant does not undo a confirmation, but
//!   after a withdrawal a new confirmation is needed.
//! - `none` needs no grant and heeds only withdrawals of [`EVERYTHING`] (a STOP to the number itself).

use super::OptIn;
use faden_model::{Text, Timestamp};
use serde::{Deserialize, Serialize};

/// The purpose of a withdrawal that stands for all of them.
pub const EVERYTHING: &str = "*";

/// Latest entry of one state for one scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentEntry {
    pub purpose: Text,
    /// Channel kind; all when missing.
    pub channel: Option<Text>,
    /// The address it was given for, normalised; all when missing.
    pub point: Option<Text>,
    pub state: ConsentState,
    pub at: Timestamp,
    /// Message id of the event that brought it.
    pub proof: Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ConsentState {
    Withdrawn,
    /// Said yes; under `double_opt_in` this is pending until it is confirmed.
    Granted,
    /// Said yes again through the contact point itself, by a link or an answer.
    Confirmed,
}

/// Records an entry; of entries with one scope and state the latest stays (of equal times the smaller proof).
pub fn record_consent(entries: &mut Vec<ConsentEntry>, new: ConsentEntry) {
    let same = |old: &&mut ConsentEntry| {
        old.state == new.state && old.purpose == new.purpose && old.channel == new.channel && old.point == new.point
    };
    match entries.iter_mut().find(same) {
        Some(old) if new.at > old.at || (new.at == old.at && new.proof < old.proof) => *old = new,
        Some(_) => {}
        None => crate::profile::push_tight(entries, new),
    }
}

/// What a message wants to use.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    pub purpose: &'a str,
    pub channel: &'a str,
    pub address: &'a str,
    pub at: Timestamp,
}

/// Why a message may or may not go out as far as consent goes; the entry that decided, when one did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent<'a> {
    Allowed(Option<&'a ConsentEntry>),
    /// No covering grant (or, under `double_opt_in`, no confirmation).
    Missing,
    Withdrawn(&'a ConsentEntry),
}

/// Whether `wanted` is allowed under `kind`; see the module's head for the rules.
pub fn check<'a>(entries: &'a [ConsentEntry], kind: OptIn, wanted: &Use<'_>) -> Consent<'a> {
    let mut newest_grant: Option<&ConsentEntry> = None;
    for entry in entries.iter().filter(|entry| covers(entry, wanted)) {
        if entry.state == ConsentState::Withdrawn {
            let heeded = kind != OptIn::None || entry.purpose == EVERYTHING;
            if heeded && !entries.iter().any(|grant| counts(grant, kind, wanted) && answers(grant, entry)) {
                return Consent::Withdrawn(entry);
            }
        } else if counts(entry, kind, wanted) && newest_grant.is_none_or(|known| entry.at > known.at) {
            newest_grant = Some(entry);
        }
    }
    match kind {
        OptIn::OptIn | OptIn::DoubleOptIn if newest_grant.is_none() => Consent::Missing,
        _ => Consent::Allowed(newest_grant),
    }
}

fn covers(entry: &ConsentEntry, wanted: &Use<'_>) -> bool {
    (entry.purpose == wanted.purpose || entry.purpose == EVERYTHING)
        && entry.channel.as_ref().is_none_or(|channel| channel == wanted.channel)
        && entry.point.as_ref().is_none_or(|point| point == wanted.address)
}

/// Whether an entry is a grant that may be used for this message under this kind of opt-in.
fn counts(entry: &ConsentEntry, kind: OptIn, wanted: &Use<'_>) -> bool {
    let enough = match entry.state {
        ConsentState::Withdrawn => false,
        ConsentState::Granted => kind != OptIn::DoubleOptIn,
        ConsentState::Confirmed => true,
    };
    enough && entry.at <= wanted.at && entry.purpose != EVERYTHING && covers(entry, wanted)
}

/// Both cover the same message, so the grant is at least as specific when it names what the withdrawal names.
fn answers(grant: &ConsentEntry, withdrawal: &ConsentEntry) -> bool {
    grant.at > withdrawal.at
        && (withdrawal.channel.is_none() || grant.channel.is_some())
        && (withdrawal.point.is_none() || grant.point.is_some())
}
