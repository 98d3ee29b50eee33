//! The people of FEBRL (Freely Extensible Biomedical Record Linkage): records with typing errors, some of
//! one person. The identity index must join exactly the records that share an identifier, directly or
//! through others, in whatever order they come; a union-find that shares no code with it says which.

use faden_engine::identity::{Blocked, Identity, Rules};
use faden_model::{Identifier, IdentifierKind, ProfileId, Text, Timestamp};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Records of one person are numbered alike (`rec-223-org`, `rec-223-dup-0`); these pairs may be found among them.
struct Expected {
    file: &'static str,
    records: usize,
    pairs: usize,
    /// Pairs of one person that share an identifier, and pairs of two people that do.
    joined: (usize, usize),
}

const EXPECTED: [Expected; 3] = [
    Expected { file: "febrl_dataset1.csv", records: 1000, pairs: 500, joined: (478, 0) },
    Expected { file: "febrl_dataset2.csv", records: 5000, pairs: 1934, joined: (1867, 0) },
    Expected { file: "febrl_dataset3.csv", records: 5000, pairs: 6538, joined: (6256, 0) },
];

/// Number of the person, and identifiers as kind and value.
struct Person {
    number: String,
    known: Vec<(&'static str, String)>,
}

fn people(text: &str) -> Vec<Person> {
    let rows = text.lines().skip(1).map(|line| line.split(',').map(str::trim).collect::<Vec<_>>());
    rows.map(|row| {
        let [id, given, surname, street, address, _, _, _, _, born, insured] = row[..] else { panic!("eleven columns: {row:?}") };
        let mut known = Vec::new();
        let mut add = |kind, parts: &[&str]| {
            if parts.iter().all(|part| !part.is_empty()) {
                known.push((kind, parts.join("|")));
            }
        };
        add("insured", &[insured]);
        add("born", &[given, surname, born]);
        add("home", &[street, address, born]);
        Person { number: id.split('-').nth(1).expect("rec-NUMBER-...").to_owned(), known }
    })
    .collect()
}

fn identifiers(person: &Person) -> Vec<Identifier<'_>> {
    let identifier = |(kind, value): &'_ (&'static str, String)| Identifier {
        kind: IdentifierKind::Other(Text::new(*kind)),
        value: Cow::Owned(value.clone()),
    };
    person.known.iter().map(identifier).collect()
}

/// The cluster of each record, by union-find.
fn reference(people: &[Person]) -> Vec<usize> {
    fn root(parents: &[usize], mut at: usize) -> usize {
        while parents[at] != at {
            at = parents[at];
        }
        at
    }
    let mut parents: Vec<usize> = (0..people.len()).collect();
    let mut first: BTreeMap<&(&str, String), usize> = BTreeMap::new();
    for (at, person) in people.iter().enumerate() {
        for known in &person.known {
            let other = *first.entry(known).or_insert(at);
            let (one, other) = (root(&parents, at), root(&parents, other));
            parents[one] = other;
        }
    }
    (0..people.len()).map(|at| root(&parents, at)).collect()
}

/// The profile of each record, after all were seen.
fn engine<'p>(people: &'p [Person], order: impl Iterator<Item = &'p Person>) -> Vec<ProfileId> {
    let mut rules = Rules { kinds: Vec::new(), cluster_max: u32::MAX, ..Rules::default() };
    (rules.other.limit, rules.other.unique) = (None, false);
    rules.other.blocked = Blocked::new(&[], &[], false).expect("nothing is a list");
    let mut identity = Identity::new([7; 16]);
    for (at, person) in order.enumerate() {
        identity.resolve(&rules, &identifiers(person), Timestamp(at as i64)).expect("every record has an identifier");
    }
    people.iter().map(|person| identity.find(&identifiers(person)[0]).expect("it was seen")).collect()
}

/// Pairs of records in one cluster: of one person, and of two.
fn pairs(people: &[Person], cluster: &[usize]) -> (usize, usize) {
    let mut members: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (person, cluster) in people.iter().zip(cluster) {
        members.entry(*cluster).or_default().push(&person.number);
    }
    let mut found = (0, 0);
    for members in members.values() {
        for (at, one) in members.iter().enumerate() {
            let same = members[..at].iter().filter(|other| *other == one).count();
            found = (found.0 + same, found.1 + at - same);
        }
    }
    found
}

#[test]
fn records_that_share_an_identifier_are_one_profile_whatever_their_order() {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let folder = std::env::var_os("FADEN_SHARED").map_or(beside, PathBuf::from).join("data/identity");
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} is missing; set FADEN_SHARED to the folder that holds data/identity", folder.display());
        return;
    }
    for Expected { file, records, pairs: all, joined } in EXPECTED {
        let text = std::fs::read_to_string(folder.join(file)).expect("the folder has the file");
        let people = people(&text);
        let reference = reference(&people);
        let truth: BTreeMap<&str, usize> = people.iter().map(|person| person.number.as_str()).zip(0..).collect();
        let persons: Vec<usize> = people.iter().map(|person| truth[person.number.as_str()]).collect();
        assert_eq!((people.len(), pairs(&people, &persons).0, pairs(&people, &reference)), (records, all, joined), "{file}");
        for profiles in [engine(&people, people.iter()), engine(&people, people.iter().rev())] {
            let (mut profile_of, mut cluster_of) = (BTreeMap::new(), BTreeMap::new());
            for (cluster, profile) in reference.iter().zip(&profiles) {
                assert_eq!(profile_of.entry(cluster).or_insert(profile), &profile, "{file}: one cluster is two profiles");
                assert_eq!(cluster_of.entry(profile).or_insert(cluster), &cluster, "{file}: two clusters are one profile");
            }
        }
    }
}
