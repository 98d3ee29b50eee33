//! What holds for one region and brand: all files that reach it, merged to the tightest, once.
//!
//! Lists of rules are put behind each other, so that every rule still names its file; limits of one
//! value (consent, longest hold, retention, languages) become the strictest of the files.

use super::plan::{Cap, Home, Level, Loosening, OptIn, PolicyFile, QuietHours, Rule};
use super::suppression::List;
use super::tighten;
use crate::calendar::{self, Zone};
use faden_model::{Span, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All policies of a workspace, ready for [`super::gate`]. The default is that of a workspace without files.
#[derive(Clone, Debug)]
pub struct Policies {
    /// Country code to the class of countries with the same regions, sorted.
    countries: Vec<([u8; 2], usize)>,
    /// Class of a customer whose country is unknown: every region applies.
    unknown: usize,
    /// Sorted names.
    brands: Vec<Text>,
    /// By class, and within by brand: none first, then as in `brands`.
    effective: Vec<Effective>,
    /// Zones of a customer of whom neither zone nor country is known.
    anywhere: Vec<Zone>,
    window_max: Span,
    /// As they were written, for people.
    files: Vec<PolicyFile>,
}

/// The rules for one class of countries and one brand.
#[derive(Clone, Debug, Default)]
pub struct Effective {
    pub(super) channels: Vec<(Vec<Text>, Text)>,
    pub(super) suppressed: Vec<(Arc<List>, Rule)>,
    /// Sorted by purpose.
    pub(super) consent: Vec<PurposeConsent>,
    pub(super) quiet_hours: Vec<(QuietHours, Rule)>,
    pub(super) caps: Vec<(Cap, Rule)>,
    pub(super) max_hold: Option<(Span, Rule)>,
    retention: BTreeMap<Text, Span>,
    languages: Option<Vec<Text>>,
    tone: Option<Text>,
}

/// Consent that a purpose needs: in general, and where a file names a channel.
#[derive(Clone, Debug)]
pub(super) struct PurposeConsent {
    pub(super) purpose: Text,
    general: (OptIn, Rule),
    by_channel: Vec<(Text, OptIn, Rule)>,
}

impl PurposeConsent {
    /// Channels that have a rule of their own.
    pub(super) fn channels(&self) -> impl Iterator<Item = (&Text, OptIn, &Rule)> {
        self.by_channel.iter().map(|(channel, kind, rule)| (channel, *kind, rule))
    }

    pub(super) fn on(&self, channel: &str) -> (OptIn, &Rule) {
        match self.by_channel.iter().find(|(name, ..)| name == channel) {
            Some((_, kind, rule)) => (*kind, rule),
            None => (self.general.0, &self.general.1),
        }
    }
}

impl Default for Policies {
    fn default() -> Policies {
        Policies::merge(&[], &Home::default())
    }
}

impl Policies {
    /// Holds the files against each other and merges them. The order of files of one level does not
    /// matter for what is allowed, only for which rule is named first.
    ///
    /// # Errors
    /// Every place at which a region or brand says less than the global files, in the order of the files.
    pub fn build(files: &[PolicyFile], home: &Home) -> Result<Policies, Vec<Loosening>> {
        let loosenings = tighten::find(files);
        if loosenings.is_empty() { Ok(Policies::merge(files, home)) } else { Err(loosenings) }
    }

    fn merge(files: &[PolicyFile], home: &Home) -> Policies {
        let lists: Vec<Arc<List>> = files.iter().map(|file| Arc::new(List::new(&file.suppressed))).collect();
        let mut regions_of: BTreeMap<[u8; 2], BTreeSet<usize>> = BTreeMap::new();
        for code in calendar::countries().filter_map(country_code) {
            regions_of.insert(code, BTreeSet::new());
        }
        let mut all_regions = BTreeSet::new();
        let mut brands = BTreeSet::new();
        let mut anywhere: Vec<Zone> = calendar::zones_of(&home.country).iter().copied().chain(calendar::zone(&home.time_zone)).collect();
        for (index, file) in files.iter().enumerate() {
            match &file.level {
                Level::Global => {}
                Level::Brand { name } => {
                    brands.insert(name.clone());
                }
                Level::Region { countries, .. } => {
                    all_regions.insert(index);
                    for code in countries.iter().filter_map(|country| country_code(country)) {
                        regions_of.entry(code).or_default().insert(index);
                    }
                    anywhere.extend(countries.iter().flat_map(|country| calendar::zones_of(country)));
                }
            }
        }
        anywhere.sort_unstable_by_key(|zone| zone.name());
        anywhere.dedup();
        let brands: Vec<Text> = brands.into_iter().collect();
        let mut classes: Vec<BTreeSet<usize>> = vec![all_regions];
        let mut countries = Vec::with_capacity(regions_of.len());
        for (code, regions) in regions_of {
            let class = classes.iter().position(|known| *known == regions).unwrap_or_else(|| {
                classes.push(regions);
                classes.len() - 1
            });
            countries.push((code, class));
        }
        let mut effective = Vec::with_capacity(classes.len() * (brands.len() + 1));
        for regions in &classes {
            for brand in std::iter::once(None).chain(brands.iter().map(Some)) {
                effective.push(Effective::merge(files, &lists, regions, brand));
            }
        }
        let window_max = files.iter().flat_map(|file| &file.caps).map(|cap| cap.within).max().unwrap_or_default();
        Policies { countries, unknown: 0, brands, effective, anywhere, window_max, files: files.to_vec() }
    }

    pub(super) fn files(&self) -> &[PolicyFile] {
        &self.files
    }

    /// What holds in exactly these regions (places in `files`) and for this brand.
    pub(super) fn merged(&self, regions: &BTreeSet<usize>, brand: Option<&Text>) -> Effective {
        let lists: Vec<Arc<List>> = self.files.iter().map(|file| Arc::new(List::new(&file.suppressed))).collect();
        Effective::merge(&self.files, &lists, regions, brand)
    }

    /// The rules for a customer's country and brand.
    pub fn effective(&self, country: Option<&str>, brand: Option<&str>) -> &Effective {
        // Most workspaces have global rules only; then there is nothing to look up.
        if let [only] = self.effective.as_slice() {
            return only;
        }
        let known = country.and_then(country_code).and_then(|code| self.countries.binary_search_by_key(&code, |(known, _)| *known).ok());
        let class = known.and_then(|index| self.countries.get(index)).map_or(self.unknown, |(_, class)| *class);
        let brand = match brand {
            Some(name) if !self.brands.is_empty() => {
                self.brands.binary_search_by(|known| known.as_str().cmp(name)).map_or(0, |index| index + 1)
            }
            _ => 0,
        };
        &self.effective[class * (self.brands.len() + 1) + brand]
    }

    /// The zones in which a customer may live: see `quiet_hours`. `buffer` keeps the one that is known.
    pub(super) fn zones<'z>(&'z self, time_zone: Option<&str>, country: Option<&str>, buffer: &'z mut Option<Zone>) -> &'z [Zone] {
        *buffer = time_zone.and_then(calendar::zone);
        if buffer.is_some() {
            return buffer.as_slice();
        }
        match country.map(calendar::zones_of) {
            Some(zones) if !zones.is_empty() => zones,
            _ => &self.anywhere,
        }
    }

    /// Longest time that any cap looks back: what [`super::prune`] must keep.
    pub fn window_max(&self) -> Span {
        self.window_max
    }
}

/// Two ASCII letters in upper case; anything else is no country.
fn country_code(text: &str) -> Option<[u8; 2]> {
    let code: [u8; 2] = text.as_bytes().try_into().ok()?;
    code.iter().all(u8::is_ascii_alphabetic).then(|| code.map(|letter| letter.to_ascii_uppercase()))
}

impl Effective {
    fn merge(files: &[PolicyFile], lists: &[Arc<List>], regions: &BTreeSet<usize>, brand: Option<&Text>) -> Effective {
        let reaches = |index: usize, file: &PolicyFile| match &file.level {
            Level::Global => true,
            Level::Region { .. } => regions.contains(&index),
            Level::Brand { name } => Some(name) == brand,
        };
        let mut merged = Effective::default();
        // Global files first, then regions, then brands, so that the widest rule is named.
        let mut reaching: Vec<(usize, &PolicyFile)> = files.iter().enumerate().filter(|(index, file)| reaches(*index, file)).collect();
        reaching.sort_by_key(|(index, file)| (depth(&file.level), *index));
        for (index, file) in &reaching {
            merged.add(file);
            if let Some(list) = lists.get(*index).filter(|list| !list.is_empty()) {
                merged.suppressed.push((Arc::clone(list), rule("suppression_list", &file.name)));
            }
        }
        let files: Vec<&PolicyFile> = reaching.into_iter().map(|(_, file)| file).collect();
        merged.consent = merge_consent(&files);
        merged
    }

    fn add(&mut self, file: &PolicyFile) {
        self.channels.extend(file.channels.clone().map(|channels| (channels, file.name.clone())));
        for quiet in &file.quiet_hours {
            let code = format!("quiet_hours.{}-{}", minutes(quiet.from), minutes(quiet.to));
            self.quiet_hours.push((quiet.clone(), rule(&code, &file.name)));
        }
        for cap in &file.caps {
            self.caps.push((cap.clone(), rule(&cap_code(cap), &file.name)));
        }
        if let Some(span) = file.max_hold
            && self.max_hold.as_ref().is_none_or(|(known, _)| span < *known)
        {
            self.max_hold = Some((span, rule(&format!("max_hold.{span}"), &file.name)));
        }
        for (kind, span) in &file.retention {
            let known = self.retention.entry(kind.clone()).or_insert(*span);
            *known = (*known).min(*span);
        }
        if let Some(languages) = &file.languages {
            match &mut self.languages {
                Some(known) => known.retain(|language| languages.contains(language)),
                None => self.languages = Some(languages.clone()),
            }
        }
        if file.tone.is_some() {
            self.tone.clone_from(&file.tone);
        }
    }

    /// What consent a purpose needs on a channel, and whether a file says so.
    pub fn opt_in(&self, purpose: &str, channel: &str) -> OptIn {
        self.purpose(purpose).map_or(OptIn::OptIn, |known| known.on(channel).0)
    }

    pub(super) fn purpose(&self, purpose: &str) -> Option<&PurposeConsent> {
        self.consent.iter().find(|known| known.purpose == purpose)
    }

    /// Purposes that a file names, sorted.
    pub fn purposes(&self) -> impl Iterator<Item = &str> {
        self.consent.iter().map(|known| known.purpose.as_str())
    }

    /// How long data of a kind may be kept; for ever when missing.
    pub fn retention(&self, kind: &str) -> Option<Span> {
        self.retention.get(kind).copied()
    }

    /// Kinds of data and how long each may be kept.
    pub(super) fn retentions(&self) -> impl Iterator<Item = (&Text, &Span)> {
        self.retention.iter()
    }

    /// Languages that may be used; every language when missing.
    pub fn languages(&self) -> Option<&[Text]> {
        self.languages.as_deref()
    }

    /// Tone of voice; the narrowest file's.
    pub fn tone(&self) -> Option<&str> {
        self.tone.as_deref()
    }
}

fn depth(level: &Level) -> u8 {
    match level {
        Level::Global => 0,
        Level::Region { .. } => 1,
        Level::Brand { .. } => 2,
    }
}

/// What one file says for a purpose on a channel (in general when `None`).
pub(super) fn said(file: &PolicyFile, purpose: &str, channel: Option<&str>) -> Option<OptIn> {
    let written = |channel: Option<&str>| {
        let same = file.consent.iter().filter(move |rule| rule.purpose == purpose && rule.channel.as_deref() == channel);
        same.map(|rule| rule.kind).max()
    };
    written(channel).or_else(|| written(None))
}

fn merge_consent(files: &[&PolicyFile]) -> Vec<PurposeConsent> {
    let purposes: BTreeSet<&Text> = files.iter().flat_map(|file| &file.consent).map(|rule| &rule.purpose).collect();
    let strictest = |purpose: &Text, channel: Option<&str>| {
        let mut best: Option<(OptIn, &Text)> = None;
        for file in files {
            if let Some(kind) = said(file, purpose, channel)
                && best.is_none_or(|(known, _)| kind > known)
            {
                best = Some((kind, &file.name));
            }
        }
        let no_file = Text::default();
        let (kind, policy) = best.unwrap_or((OptIn::OptIn, &no_file));
        (kind, rule(&format!("consent.{purpose}.{}", kind.name()), policy))
    };
    let merged = purposes.into_iter().map(|purpose| {
        let rules = files.iter().flat_map(|file| &file.consent).filter(|rule| rule.purpose == *purpose);
        let channels: BTreeSet<&Text> = rules.filter_map(|rule| rule.channel.as_ref()).collect();
        let by_channel = channels.into_iter().map(|channel| {
            let (kind, rule) = strictest(purpose, Some(channel));
            (channel.clone(), kind, rule)
        });
        PurposeConsent { purpose: purpose.clone(), general: strictest(purpose, None), by_channel: by_channel.collect() }
    });
    merged.collect()
}

pub(super) fn rule(code: &str, policy: &Text) -> Rule {
    Rule { code: code.into(), policy: policy.clone() }
}

/// `20:00`; 1,440 is `24:00`.
pub(super) fn minutes(minute_of_day: u16) -> String {
    format!("{:02}:{:02}", minute_of_day / 60, minute_of_day % 60)
}

/// `cap.marketing.sms.1_in_20d`; `all` where every purpose counts.
pub(super) fn cap_code(cap: &Cap) -> String {
    let mut code = format!("cap.{}", cap.purpose.as_deref().unwrap_or("all"));
    if let Some(channel) = &cap.channel {
        code.push('.');
        code.push_str(channel);
    }
    code.push_str(&format!(".{}_in_{}", cap.max, cap.within));
    if cap.per_journey {
        code.push_str(".per_journey");
    }
    code
}
