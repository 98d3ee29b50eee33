//! The rule for several identifiers once more, slowly and with nothing but sets, to hold the index against.

use super::{KindRule, Rules};
use faden_model::{Identifier, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

type Name = (String, String);

#[derive(Clone, Default)]
pub struct Reference {
    /// Members of each live profile with the instant of their first sight.
    pub profiles: BTreeMap<u64, BTreeMap<Name, i64>>,
    born: u64,
}

pub fn name(identifier: &Identifier<'_>) -> Name {
    (identifier.kind.name().to_owned(), identifier.value.to_string())
}

impl Reference {
    pub fn owner(&self, wanted: &Name) -> Option<u64> {
        self.profiles.iter().find(|(_, members)| members.contains_key(wanted)).map(|(profile, _)| *profile)
    }

    /// The profile of the event, or `None` when nothing is usable.
    pub fn resolve(&mut self, rules: &Rules, identifiers: &[Identifier<'_>], at: Timestamp) -> Option<u64> {
        let mut usable: Vec<(&KindRule, Name)> = Vec::new();
        for identifier in identifiers {
            let rule = rules.of(&identifier.kind);
            if !rule.blocked.contains(&identifier.value) && !usable.iter().any(|(_, other)| *other == name(identifier)) {
                usable.push((rule, name(identifier)));
            }
        }
        usable.sort_by_key(|(rule, _)| std::cmp::Reverse(rule.priority));
        while let Some(worst) = usable.iter().rposition(|(_, one)| self.breaks(rules, &usable, one, at)) {
            usable.remove(worst);
        }
        let best = usable.iter().filter_map(|(rule, one)| Some((std::cmp::Reverse(rule.priority), self.owner(one)?))).min();
        let profile = match best {
            Some((_, profile)) => profile,
            None if usable.is_empty() => return None,
            None => {
                self.born += 1;
                self.born - 1
            }
        };
        let mut union = BTreeMap::new();
        for (_, one) in &usable {
            let group = self.owner(one).and_then(|owner| self.profiles.remove(&owner));
            union.extend(
                group.unwrap_or_else(|| if union.contains_key(one) { BTreeMap::new() } else { BTreeMap::from([(one.clone(), at.0)]) }),
            );
        }
        self.profiles.insert(profile, union);
        Some(profile)
    }

    /// What an identifier brings along: its profile's members, or itself.
    fn group(&self, one: &Name, at: Timestamp) -> BTreeMap<Name, i64> {
        self.owner(one).map_or_else(|| BTreeMap::from([(one.clone(), at.0)]), |owner| self.profiles[&owner].clone())
    }

    /// Joining everything is against a rule, and this identifier's group takes part in it.
    fn breaks(&self, rules: &Rules, usable: &[(&KindRule, Name)], one: &Name, at: Timestamp) -> bool {
        let own = self.group(one, at);
        let mut all = BTreeMap::new();
        for (_, other) in usable {
            all.extend(self.group(other, at));
        }
        if all.len() == own.len() {
            return false;
        }
        let kinds: BTreeSet<&String> = all.keys().map(|(kind, _)| kind).collect();
        let too_many = kinds.into_iter().any(|kind| {
            let rule = rules.of(&faden_model::IdentifierKind::from_name(kind));
            let second = |milli: i64| milli.div_euclid(1000).max(0);
            let count = |members: &BTreeMap<Name, i64>, since: i64| {
                members.iter().filter(|((of, _), seen)| of == kind && second(**seen) >= since).count()
            };
            let over = |max: usize, since: i64| {
                let (total, mine) = (count(&all, since), count(&own, since));
                total > max && mine > 0 && mine < total
            };
            let limit = rule.limit.is_some_and(|limit| over(limit.max.into(), limit.within.map_or(0, |within| second(at.0 - within.0))));
            limit || rule.unique && over(1, 0)
        });
        too_many || all.len() > rules.cluster_max as usize
    }
}
