//! What somebody agrees to now: one line per purpose, channel and address, from everything he said.

use faden_engine::Index;
use faden_engine::policy::{ConsentEntry, ConsentState, OptIn};
use faden_engine::profile::Profile;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Where somebody stands on one purpose.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Consent {
    /// `*` stands for all of them.
    pub purpose: String,
    pub channel: Option<String>,
    pub address: Option<String>,
    pub state: Agreement,
    pub at: String,
    /// Message id of the event that brought it.
    pub proof: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    Granted,
    /// Said yes where the policy asks for a confirmation that has not come.
    Pending,
    Withdrawn,
}

/// All consents of a profile. Whether a message may go out is for the gate: this is what was said.
pub fn consents(index: &Index, profile: &Profile) -> Vec<Consent> {
    let effective = index.definitions.policies.effective(profile.country(), profile.brand());
    let mut scopes: BTreeMap<(&str, Option<&str>, Option<&str>), Vec<&ConsentEntry>> = BTreeMap::new();
    for entry in profile.strands.iter().flat_map(|strand| &strand.consents) {
        scopes.entry((&entry.purpose, entry.channel.as_deref(), entry.point.as_deref())).or_default().push(entry);
    }
    let line = |((purpose, channel, address), entries): ((&str, Option<&str>, Option<&str>), Vec<&ConsentEntry>)| {
        let latest = |state: ConsentState| entries.iter().filter(|entry| entry.state == state).max_by_key(|entry| entry.at).copied();
        let (withdrawn, granted, confirmed) =
            (latest(ConsentState::Withdrawn), latest(ConsentState::Granted), latest(ConsentState::Confirmed));
        // At equal times the withdrawal wins.
        let stands = |entry: Option<&ConsentEntry>| entry.is_some_and(|entry| withdrawn.is_none_or(|out| entry.at > out.at));
        let double = effective.opt_in(purpose, channel.unwrap_or_default()) == OptIn::DoubleOptIn;
        let (state, entry) = match (stands(confirmed), stands(granted)) {
            (true, _) => (Agreement::Granted, confirmed),
            (false, true) if double => (Agreement::Pending, granted),
            (false, true) => (Agreement::Granted, granted),
            (false, false) => (Agreement::Withdrawn, withdrawn),
        };
        entry.map(|entry| Consent {
            purpose: purpose.to_owned(),
            channel: channel.map(str::to_owned),
            address: address.map(str::to_owned),
            state,
            at: entry.at.to_string(),
            proof: entry.proof.to_string(),
        })
    };
    scopes.into_iter().filter_map(line).collect()
}
