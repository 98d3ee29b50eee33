//! Everything that a workspace says, checked and ready to run.
//!
//! Made by `workspace::read` from the files of a workspace; never changed afterwards. Publishing a
//! new one replaces the old as a whole, between two records.

mod index;

pub use index::{Index, Reactions, trait_dependency};

use crate::audience::{Audience, ComputedTrait};
use crate::content::Catalog;
use crate::experiment::Experiment;
use crate::identity::Rules;
use crate::journey::JourneyVersion;
use crate::policy::Policies;
use faden_model::Text;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A checked workspace.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    pub workspace: Text,
    /// Two-letter code under which national phone numbers are read.
    pub country: Text,
    /// IANA name.
    pub time_zone: Text,
    pub languages: Vec<Text>,
    /// Channel accounts by name.
    pub channels: BTreeMap<Text, ChannelAccount>,
    pub sources: BTreeMap<Text, Source>,
    pub identity: Rules,
    pub policies: Policies,
    /// In the order in which they must be kept up to date: what a trait or audience reads comes before it.
    pub traits: Vec<ComputedTrait>,
    pub audiences: Vec<Audience>,
    /// In the order of their names, which is the order of equal entries.
    pub journeys: Vec<Arc<JourneyVersion>>,
    pub experiments: Vec<Experiment>,
    /// What there is to say.
    pub templates: Catalog,
}

/// An account on which messages go out and come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelAccount {
    pub name: Text,
    /// `email`, `sms`, `whatsapp`, ...
    pub kind: Text,
    /// Everything written under it, as JSON; its channel reads it. Secrets stand there as where they come from.
    pub settings: String,
}

/// A sender of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub name: Text,
    /// The key that its calls carry.
    pub write_key: Option<Secret>,
}

/// Where a secret comes from; the workspace never holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// A variable of the environment.
    Environment(Text),
    /// A file, its last line end cut off.
    File(Text),
}
