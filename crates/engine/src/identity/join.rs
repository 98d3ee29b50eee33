//! Which of an event's identifiers may be joined, and the joining.

use super::index::{Fingerprint, NONE, seconds};
use super::{Identity, Merge, Reason, Resolution, Rules};
use faden_model::{Identifier, IdentifierKind, ProfileId, Span, Timestamp};
use smallvec::SmallVec;

/// One usable identifier of an event.
pub struct Seen {
    /// Index in the event's identifiers.
    pub position: usize,
    pub fingerprint: Fingerprint,
    pub priority: u16,
    pub kind: u8,
    /// `None` when it is new.
    pub entry: Option<u32>,
    strand: u32,
}

pub type SeenList = SmallVec<[Seen; 4]>;

/// At most `max` identifiers of one kind that were first seen at `since` or later.
struct Bound {
    kind: u8,
    max: u32,
    since: u32,
    reason: Reason,
}

/// What an identifier brings along: the whole profile it points to, or, when new, itself.
struct Source {
    profile: Option<u32>,
    /// Identifiers in all.
    size: u32,
    /// Identifiers that count, for each bound.
    counts: SmallVec<[u32; 8]>,
}

impl Identity {
    /// Looks every identifier up; best priority first, then in the event's order.
    pub(super) fn look_up(
        &mut self,
        rules: &Rules,
        identifiers: &[Identifier<'_>],
        fingerprints: &[Fingerprint],
        left_out: &mut SmallVec<[(usize, Reason); 1]>,
    ) -> SeenList {
        let mut seen: SeenList = SmallVec::new();
        for (position, (identifier, fingerprint)) in identifiers.iter().zip(fingerprints).enumerate() {
            let (rule, fingerprint) = (rules.of(&identifier.kind), *fingerprint);
            if identifier.value.is_empty() || rule.blocked.contains(&identifier.value) {
                left_out.push((position, Reason::Blocked));
                continue;
            }
            if seen.iter().any(|other| other.fingerprint == fingerprint) {
                continue;
            }
            let one = match self.entry_of(fingerprint) {
                Some(number) => {
                    let entry = &self.entries[number as usize];
                    Seen { position, fingerprint, priority: rule.priority, kind: entry.kind, entry: Some(number), strand: entry.strand }
                }
                None => {
                    let Some(kind) = self.room_for(&identifier.kind, seen.len()) else {
                        left_out.push((position, Reason::Full));
                        continue;
                    };
                    Seen { position, fingerprint, priority: rule.priority, kind, entry: None, strand: NONE }
                }
            };
            let place = seen.iter().position(|other| other.priority < one.priority).unwrap_or(seen.len());
            seen.insert(place, one);
        }
        seen
    }

    /// The number of the kind when one more identifier of it can be stored beside `planned` others.
    fn room_for(&mut self, kind: &IdentifierKind, planned: usize) -> Option<u8> {
        if self.entries.len() + planned >= NONE as usize {
            return None;
        }
        if let Some(number) = self.kinds.iter().position(|known| known == kind) {
            return u8::try_from(number).ok();
        }
        let number = u8::try_from(self.kinds.len()).ok()?;
        self.kinds.push(kind.clone());
        Some(number)
    }

    /// Everything is known already and in one profile: the common case, in which nothing can break.
    pub(super) fn all_in_one(&self, seen: &SeenList) -> bool {
        let profile = |one: &Seen| self.strands[one.strand as usize].profile;
        let Some(first) = seen.first().filter(|one| one.entry.is_some()) else {
            return seen.len() <= 1;
        };
        let profile_of_first = profile(first);
        seen[1..].iter().all(|one| one.entry.is_some() && profile(one) == profile_of_first)
    }

    /// Whether new identifiers can join the one known profile (or each other) by a plain count: the common
    /// case of a login, in which [`Identity::leave_out`] would find nothing. In doubt `false`.
    pub(super) fn plainly_fits(&self, rules: &Rules, seen: &SeenList) -> bool {
        let mut known = seen.iter().filter(|one| one.entry.is_some()).map(|one| self.strands[one.strand as usize].profile);
        let profile = known.next();
        if !self.apart.is_empty() || known.any(|other| Some(other) != profile) {
            return false;
        }
        let added = || seen.iter().filter(|one| one.entry.is_none());
        let size = profile.map_or(0, |profile| self.strands[profile as usize].size) as usize + added().count();
        size <= rules.cluster_max as usize
            && added().all(|one| {
                let rule = rules.of(&self.kinds[usize::from(one.kind)]);
                let max = if rule.unique { 1 } else { rule.limit.map_or(usize::MAX, |limit| usize::from(limit.max)) };
                let held = profile.into_iter().flat_map(|profile| self.strands_of(profile)).flat_map(|strand| self.entries_of(strand));
                max == usize::MAX
                    || held.filter(|entry| entry.kind == one.kind).count() + added().filter(|other| other.kind == one.kind).count() <= max
            })
    }

    /// The strand of the best known identifier; between equals the older profile wins, then the event's order.
    pub(super) fn leader(&self, seen: &SeenList) -> Option<u32> {
        let best = seen.iter().find(|one| one.entry.is_some())?;
        let profile = |one: &&Seen| self.strands[one.strand as usize].profile;
        seen.iter().filter(|one| one.entry.is_some() && one.priority == best.priority).min_by_key(profile).map(|one| one.strand)
    }

    /// Takes identifiers out of `seen`, one after the other, until joining the rest breaks nothing.
    pub(super) fn leave_out(&self, rules: &Rules, at: Timestamp, seen: &mut SeenList, out: &mut Resolution) {
        let bounds = self.bounds(rules, at);
        let mut sources: SmallVec<[Source; 4]> = SmallVec::new();
        let mut source_of: SmallVec<[usize; 4]> = SmallVec::new();
        for one in seen.iter() {
            let profile = one.entry.map(|_| self.strands[one.strand as usize].profile);
            let known = sources.iter().position(|source| profile.is_some() && source.profile == profile);
            source_of.push(known.unwrap_or_else(|| {
                sources.push(self.source(profile, one.kind, &bounds));
                sources.len() - 1
            }));
        }
        loop {
            let active: SmallVec<[usize; 4]> = (0..sources.len()).filter(|source| source_of.contains(source)).collect();
            if active.len() < 2 {
                return;
            }
            let breaking = self.breaking(&bounds, &sources, &active, rules.cluster_max);
            let Some(worst) = (0..seen.len()).rev().find(|at| breaking[source_of[*at]].is_some()) else {
                return;
            };
            let source = source_of.remove(worst);
            let reason = breaking[source].clone().expect("the worst identifier was picked because its source breaks something");
            if reason == Reason::TooLarge && out.quarantined.is_none() {
                let largest = active
                    .iter()
                    .filter_map(|at| sources[*at].profile.map(|profile| (sources[*at].size, std::cmp::Reverse(profile))))
                    .max();
                out.quarantined = largest.map(|(_, std::cmp::Reverse(profile))| ProfileId(u64::from(profile)));
            }
            out.left_out.push((seen.remove(worst).position, reason));
        }
    }

    /// The bounds of all kinds that an entry or this event can have.
    fn bounds(&self, rules: &Rules, at: Timestamp) -> SmallVec<[Bound; 8]> {
        let mut bounds: SmallVec<[Bound; 8]> = SmallVec::new();
        for (number, kind) in self.kinds.iter().enumerate() {
            let rule = rules.of(kind);
            let number = number as u8;
            if rule.unique {
                bounds.push(Bound { kind: number, max: 1, since: 0, reason: Reason::Unique(kind.clone()) });
            }
            if let Some(limit) = rule.limit {
                let since = limit.within.map_or(0, |within| seconds(at - Span(within.0)));
                bounds.push(Bound { kind: number, max: u32::from(limit.max), since, reason: Reason::Limit(kind.clone()) });
            }
        }
        bounds
    }

    fn source(&self, profile: Option<u32>, kind: u8, bounds: &[Bound]) -> Source {
        let Some(number) = profile else {
            return Source { profile, size: 1, counts: bounds.iter().map(|bound| u32::from(bound.kind == kind)).collect() };
        };
        let mut counts: SmallVec<[u32; 8]> = SmallVec::from_elem(0, bounds.len());
        for strand in self.strands_of(number) {
            for entry in self.entries_of(strand) {
                for (count, bound) in counts.iter_mut().zip(bounds) {
                    *count += u32::from(bound.kind == entry.kind && entry.first_seen >= bound.since);
                }
            }
        }
        Source { profile, size: self.strands[number as usize].size, counts }
    }

    /// For each source the first reason why it cannot be joined with the other active ones.
    ///
    /// A source that alone is beyond a bound breaks nothing: only joining is refused, never what is.
    fn breaking(&self, bounds: &[Bound], sources: &[Source], active: &[usize], cluster_max: u32) -> SmallVec<[Option<Reason>; 4]> {
        let mut breaking: SmallVec<[Option<Reason>; 4]> = SmallVec::from_elem(None, sources.len());
        let mut mark = |source: usize, reason: &Reason| {
            if breaking[source].is_none() {
                breaking[source] = Some(reason.clone());
            }
        };
        for (place, bound) in bounds.iter().enumerate() {
            let counting = || active.iter().copied().filter(|source| sources[*source].counts[place] > 0);
            let total: u32 = counting().map(|source| sources[source].counts[place]).sum();
            if total > bound.max && counting().count() > 1 {
                counting().for_each(|source| mark(source, &bound.reason));
            }
        }
        for source in active {
            if let Some(profile) = sources[*source].profile
                && self.has_apart(profile, |other| active.iter().any(|at| sources[*at].profile == Some(other)))
            {
                mark(*source, &Reason::KeptApart);
            }
        }
        let size: u32 = active.iter().map(|source| sources[*source].size).fold(0, u32::saturating_add);
        if size > cluster_max {
            active.iter().for_each(|source| mark(*source, &Reason::TooLarge));
        }
        breaking
    }

    /// An un-merge took a strand of this profile apart from one whose profile now is among `others`.
    fn has_apart(&self, profile: u32, others: impl Fn(u32) -> bool) -> bool {
        !self.apart.is_empty()
            && self.strands_of(profile).any(|strand| {
                self.apart.range((strand, 0)..=(strand, NONE)).any(|(_, other)| {
                    let other = self.strands[*other as usize].profile;
                    other != profile && others(other)
                })
            })
    }

    /// Moves every profile that `seen` names under the winner; losers in order of their numbers.
    pub(super) fn merge_all(&mut self, seen: &SeenList, winner: u32, at: Timestamp, merges: &mut SmallVec<[Merge; 1]>) {
        let mut losers: SmallVec<[(u32, usize); 4]> = SmallVec::new();
        for (place, one) in seen.iter().enumerate() {
            if one.entry.is_some() {
                let profile = self.strands[one.strand as usize].profile;
                if profile != winner && losers.iter().all(|(loser, _)| *loser != profile) {
                    losers.push((profile, place));
                }
            }
        }
        losers.sort_unstable();
        for (loser, place) in losers {
            merges.push(self.merge(winner, loser, at, &seen[place]));
        }
    }
}
