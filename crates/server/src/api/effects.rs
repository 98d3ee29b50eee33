//! What publishing would do to people and channels, in sentences.
//!
//! Compares checked definitions with those in force; numbers come from the node's counts of this instant.

use faden_engine::Definitions;
use faden_engine::audience::{Audience, ComputedTrait};
use faden_engine::definitions::{ChannelAccount, Source};
use faden_engine::journey::JourneyVersion;
use faden_runtime::views::Counts;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that would be different, in the order of journeys, audiences, traits, messages, channels, sources.
pub fn effects(now: &Definitions, then: &Definitions, counts: &Counts) -> Vec<String> {
    let mut said = journeys(now, then, counts);
    said.extend(audiences(now, then, counts));
    said.extend(traits(now, then));
    said.extend(templates(now, then));
    said.extend(channels(now, then));
    said.extend(sources(now, then));
    said.extend(rules(now, then));
    said
}

/// Pairs by name: what was, and what would be.
fn pairs<'a, T>(now: impl Iterator<Item = (&'a str, T)>, then: impl Iterator<Item = (&'a str, T)>) -> Vec<(&'a str, Option<T>, Option<T>)> {
    let (mut now, mut then): (BTreeMap<&str, T>, BTreeMap<&str, T>) = (now.collect(), then.collect());
    let names: BTreeSet<&str> = now.keys().chain(then.keys()).copied().collect();
    names.into_iter().map(|name| (name, now.remove(name), then.remove(name))).collect()
}

/// `nobody is`, `1 person is`, `12 people are`.
fn people(count: u64, one: &str, many: &str) -> String {
    match count {
        0 => format!("nobody {one}"),
        1 => format!("1 person {one}"),
        _ => format!("{count} people {many}"),
    }
}

fn journeys(now: &Definitions, then: &Definitions, counts: &Counts) -> Vec<String> {
    let by_name = |definitions: &'_ Definitions| -> BTreeMap<String, (u64, usize)> {
        let one = |journey: &std::sync::Arc<JourneyVersion>| (journey.name.to_string(), (journey.version, journey.steps.len()));
        definitions.journeys.iter().map(one).collect()
    };
    let (now, then) = (by_name(now), by_name(then));
    let all = pairs(now.iter().map(|(name, of)| (name.as_str(), *of)), then.iter().map(|(name, of)| (name.as_str(), *of)));
    let sentence = |(name, old, new): (&str, Option<(u64, usize)>, Option<(u64, usize)>)| {
        let inside = counts.journeys.get(name).map_or(0, faden_runtime::views::JourneyCounts::running);
        match (old, new) {
            (None, Some((version, _))) => {
                Some(format!("journey {name} is new (version {version:016x}); people enter from the next event on"))
            }
            (Some((old, _)), Some((new, _))) if old != new => {
                let stay = match inside {
                    0 => "nobody is inside".to_owned(),
                    _ => people(inside, "inside stays on the version they entered with", "inside stay on the version they entered with"),
                };
                Some(format!("journey {name} gets version {new:016x}; {stay}"))
            }
            (Some(_), None) => {
                let go = people(inside, "who is inside goes on to the end", "who are inside go on to the end");
                let go = if inside == 0 { "nobody is inside".to_owned() } else { go };
                Some(format!("journey {name} is removed: nobody enters any more; {go}"))
            }
            _ => None,
        }
    };
    all.into_iter().filter_map(sentence).collect()
}

fn audiences(now: &Definitions, then: &Definitions, counts: &Counts) -> Vec<String> {
    let named = |audience: &'_ Audience| (audience.name.to_string(), audience.condition.source().to_owned());
    let (now, then): (BTreeMap<String, String>, BTreeMap<String, String>) =
        (now.audiences.iter().map(named).collect(), then.audiences.iter().map(named).collect());
    let all = pairs(now.iter().map(|(name, rule)| (name.as_str(), rule)), then.iter().map(|(name, rule)| (name.as_str(), rule)));
    let sentence = |(name, old, new): (&str, Option<&String>, Option<&String>)| {
        let size = counts.audiences.get(&faden_engine::audience::key_of(name)).map_or(0, |counts| counts.size);
        let members = people(size, "is in it now", "are in it now");
        match (old, new) {
            (None, Some(_)) => Some(format!("audience {name} is new; everybody is looked at with their next event")),
            (Some(old), Some(new)) if old != new => {
                Some(format!("audience {name} gets another rule; everybody is looked at again with their next event, {members}"))
            }
            (Some(_), None) => Some(format!("audience {name} is removed; {members}")),
            _ => None,
        }
    };
    all.into_iter().filter_map(sentence).collect()
}

fn traits(now: &Definitions, then: &Definitions) -> Vec<String> {
    fn named(plan: &ComputedTrait) -> (&str, &ComputedTrait) {
        (plan.name.as_str(), plan)
    }
    let sentence = |(name, old, new): (&str, Option<&ComputedTrait>, Option<&ComputedTrait>)| match (old, new) {
        (None, Some(_)) => Some(format!("computed trait {name} is new; it counts from now on")),
        // A plan's text form has everything that it says.
        (Some(old), Some(new)) if format!("{old:?}") != format!("{new:?}") => Some(format!(
            "computed trait {name} is defined in another way; what was counted so far stays, the rest follows the new definition"
        )),
        (Some(_), None) => Some(format!("computed trait {name} is removed")),
        _ => None,
    };
    pairs(now.traits.iter().map(named), then.traits.iter().map(named)).into_iter().filter_map(sentence).collect()
}

fn templates(now: &Definitions, then: &Definitions) -> Vec<String> {
    let of = |definitions: &'_ Definitions| -> BTreeMap<String, faden_engine::content::Template> {
        definitions.templates.all().map(|template| (template.name.to_string(), template.clone())).collect()
    };
    let (now, then) = (of(now), of(then));
    let all =
        pairs(now.iter().map(|(name, template)| (name.as_str(), template)), then.iter().map(|(name, template)| (name.as_str(), template)));
    let sentence = |(name, old, new): (&str, Option<&_>, Option<&_>)| match (old, new) {
        (None, Some(_)) => Some(format!("template {name} is new")),
        (Some(old), Some(new)) if old != new => Some(format!("template {name} says something else from the next message on")),
        (Some(_), None) => Some(format!("template {name} is removed")),
        _ => None,
    };
    all.into_iter().filter_map(sentence).collect()
}

fn channels(now: &Definitions, then: &Definitions) -> Vec<String> {
    let sentence = |(name, old, new): (&str, Option<&ChannelAccount>, Option<&ChannelAccount>)| match (old, new) {
        (None, Some(new)) => Some(format!("channel account {name} ({}) is added", new.kind)),
        (Some(old), Some(new)) if old != new => {
            Some(format!("channel account {name} ({}) is set up anew; messages that wait go out with the new settings", new.kind))
        }
        (Some(old), None) => Some(format!("channel account {name} ({}) is removed", old.kind)),
        _ => None,
    };
    let of = |definitions: &'_ Definitions| definitions.channels.clone();
    let (now, then) = (of(now), of(then));
    let all = pairs(now.iter().map(|(name, of)| (name.as_str(), of)), then.iter().map(|(name, of)| (name.as_str(), of)));
    all.into_iter().filter_map(sentence).collect()
}

fn sources(now: &Definitions, then: &Definitions) -> Vec<String> {
    let sentence = |(name, old, new): (&str, Option<&Source>, Option<&Source>)| match (old, new) {
        (None, Some(_)) => Some(format!("source {name} is added")),
        (Some(old), Some(new)) if old != new => Some(format!("source {name} gets another write key")),
        (Some(_), None) => Some(format!("source {name} is removed: its write key is refused from now on")),
        _ => None,
    };
    let all = pairs(
        now.sources.iter().map(|(name, source)| (name.as_str(), source)),
        then.sources.iter().map(|(name, source)| (name.as_str(), source)),
    );
    all.into_iter().filter_map(sentence).collect()
}

/// Policies, identity rules and experiments hold as a whole.
fn rules(now: &Definitions, then: &Definitions) -> Vec<String> {
    let differs = |one: &dyn std::fmt::Debug, other: &dyn std::fmt::Debug| format!("{one:?}") != format!("{other:?}");
    let mut said = Vec::new();
    if differs(&now.policies, &then.policies) {
        said.push("policies change: they hold for the next message on, also for people inside journeys".to_owned());
    }
    if differs(&now.identity, &then.identity) {
        said.push("identity rules change: they hold for the next event on; nothing that was joined is taken apart".to_owned());
    }
    if differs(&now.experiments, &then.experiments) {
        said.push("experiments change: whose arm changes is in the new one from the next split on".to_owned());
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use faden_engine::workspace::{self, Files};
    use faden_runtime::views::{AudienceCounts, JourneyCounts};

    fn read(texts: &[(&str, &str)]) -> Definitions {
        let head = ("faden.yaml", "workspace: w\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\n");
        let all = std::iter::once(&head).chain(texts).map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        let outcome = workspace::read(&Files(all.collect()));
        outcome.definitions.unwrap_or_else(|| panic!("{:?}", outcome.findings))
    }

    #[test]
    fn each_change_is_a_sentence_with_the_people_it_concerns() {
        let journey = |wait: &str| {
            format!("journey: hello\npurpose: service\nentry: {{event: Signed Up}}\nsteps:\n  - id: hold\n    wait: {{for: {wait}}}\n")
        };
        let audience = "audience: vip\nwhere: profile.traits.tier == \"gold\"\n";
        let silver = "audience: vip\nwhere: profile.traits.tier == \"silver\"\n";
        let (short, long) = (journey("1h"), journey("2h"));
        let counts = Counts {
            journeys: [("hello".into(), JourneyCounts { entered: 12, ..JourneyCounts::default() })].into(),
            audiences: [(faden_engine::audience::key_of("vip"), AudienceCounts { size: 1, ..AudienceCounts::default() })].into(),
            ..Counts::default()
        };
        type Texts<'a> = Vec<(&'a str, &'a str)>;
        let table: [(Texts<'_>, Texts<'_>, &[&str]); 5] = [
            (vec![], vec![], &[]),
            (
                vec![("journeys/hello.yaml", short.as_str())],
                vec![("journeys/hello.yaml", long.as_str())],
                &["journey hello gets version VERSION; 12 people inside stay on the version they entered with"],
            ),
            (
                vec![("journeys/hello.yaml", short.as_str())],
                vec![],
                &["journey hello is removed: nobody enters any more; 12 people who are inside go on to the end"],
            ),
            (
                vec![("audiences/vip.yaml", audience)],
                vec![("audiences/vip.yaml", silver)],
                &["audience vip gets another rule; everybody is looked at again with their next event, 1 person is in it now"],
            ),
            (
                vec![],
                vec![("policies/global.yaml", "policy: global\nconsent: {marketing: opt_in}\n")],
                &["policies change: they hold for the next message on, also for people inside journeys"],
            ),
        ];
        for (now, then, wanted) in table {
            let then = read(&then);
            let version = then.journeys.first().map_or(String::new(), |journey| format!("{:016x}", journey.version));
            let wanted: Vec<String> = wanted.iter().map(|sentence| sentence.replace("VERSION", &version)).collect();
            assert_eq!(effects(&read(&now), &then, &counts), wanted);
        }
    }
}
