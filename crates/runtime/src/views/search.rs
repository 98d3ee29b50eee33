//! Words by which profiles are found: the beginnings of identifiers and of a few traits.
//!
//! A row per word and profile, without a value: the key is the word in lower case, a zero byte, the
//! profile's id. They are written with the checkpoint for profiles of which an identifier or a trait is
//! new; what went is known from the profile as the store has it, so no list of words is kept anywhere.
//! Between checkpoints words stand in memory, noted down only when somebody searches.

use crate::checkpoint::{SharedStore, look_up_profiles, number};
use faden_engine::profile::Profile;
use faden_model::{IdentifierKind, ProfileId, Text, Timestamp, Value};
use faden_storage::store::VisitMany;
use faden_storage::{Batch, Store, StoreError, Table};
use std::collections::BTreeSet;
use std::ops::{Bound, ControlFlow};

/// Bytes of a word that are kept; longer ones are cut, and found by their beginning.
const WORD_BYTES_MAX: usize = 64;
/// Words of one profile.
const WORDS_MAX: usize = 48;
/// Traits whose words count: what people call somebody by.
const TRAITS: [&str; 14] = [
    "name",
    "full_name",
    "first_name",
    "firstName",
    "last_name",
    "lastName",
    "username",
    "nickname",
    "company",
    "company_name",
    "city",
    "postal_code",
    "title",
    "address",
];

/// A word and a profile that has it.
pub type Hit = (Text, ProfileId);

/// Profiles whose words may have changed since the last checkpoint.
#[derive(Default)]
pub struct Search {
    changed: Vec<ProfileId>,
    /// Those of a checkpoint that may still be on its way into the store.
    settling: Vec<ProfileId>,
    /// How many of `settling` and then `changed` stand in `fresh`.
    noted: usize,
    fresh: BTreeSet<Hit>,
    /// The clock of the last checkpoint: who was born after it is not in the store.
    written: Option<Timestamp>,
}

/// The form in which words are kept and looked for.
pub fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// All words of a profile, each once.
pub fn words(profile: &Profile) -> BTreeSet<Text> {
    let mut found = BTreeSet::new();
    for strand in &profile.strands {
        for known in &strand.identifiers {
            match known.kind {
                // Nobody types the beginning of a random number; the whole one is found by the identity index.
                IdentifierKind::AnonymousId | IdentifierKind::DeviceId => {}
                IdentifierKind::Email => {
                    add(&mut found, &known.value);
                    parts(&mut found, known.value.split('@').next().unwrap_or_default());
                }
                IdentifierKind::Phone | IdentifierKind::WhatsappId => add(&mut found, known.value.trim_start_matches('+')),
                _ => add(&mut found, &known.value),
            }
        }
        for told in strand.traits.iter().filter(|told| TRAITS.contains(&told.name.as_str())) {
            match &told.value {
                Value::Text(text) => text_words(&mut found, text),
                Value::Map(fields) => {
                    let named = fields.iter().filter(|(name, _)| TRAITS.contains(&name.as_str()));
                    named.filter_map(|(_, value)| value.as_text()).for_each(|text| text_words(&mut found, text));
                }
                _ => {}
            }
        }
    }
    found
}

fn text_words(found: &mut BTreeSet<Text>, text: &str) {
    for word in text.split_whitespace() {
        add(found, word);
        parts(found, word);
    }
}

/// `miller` of `anna.miller`.
fn parts(found: &mut BTreeSet<Text>, word: &str) {
    let pieces = || word.split(|letter: char| !letter.is_alphanumeric()).filter(|piece| !piece.is_empty());
    if pieces().nth(1).is_some() {
        pieces().for_each(|piece| add(found, piece));
    }
}

fn add(found: &mut BTreeSet<Text>, word: &str) {
    let word = folded(word.trim());
    let mut end = word.len().min(WORD_BYTES_MAX);
    while !word.is_char_boundary(end) {
        end -= 1;
    }
    // A zero byte ends a word in its key.
    if end > 0 && found.len() < WORDS_MAX && !word.contains('\0') {
        found.insert(Text::new(&word[..end]));
    }
}

fn key(word: &str, profile: ProfileId) -> Vec<u8> {
    [word.as_bytes(), &[0], &profile.0.to_be_bytes()].concat()
}

fn hit(key: &[u8]) -> Option<Hit> {
    let end = key.len().checked_sub(9)?;
    Some((Text::new(std::str::from_utf8(key.get(..end)?).ok()?), ProfileId(number(&key[end + 1..])?)))
}

/// Stored rows whose word begins with `prefix`, in their order, behind `after`; `count` at most.
pub fn stored(store: &SharedStore, prefix: &str, after: Option<&Hit>, count: usize) -> Vec<Hit> {
    let from = after.map_or_else(|| prefix.as_bytes().to_vec(), |(word, profile)| [key(word, *profile), vec![0]].concat());
    let mut found = Vec::new();
    if count == 0 {
        return found;
    }
    store.range_beside(Table::Search, &from, &[], &mut |key, _| {
        if !key.starts_with(prefix.as_bytes()) {
            return ControlFlow::Break(());
        }
        found.extend(hit(key));
        if found.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    found
}

impl Search {
    pub(super) fn note(&mut self, profile: ProfileId) {
        if self.changed.last() != Some(&profile) {
            self.changed.push(profile);
        }
    }

    /// The last checkpoint is in the store: whose words it has need not be noted.
    pub(crate) fn settled(&mut self) {
        self.noted = self.noted.saturating_sub(self.settling.len());
        self.settling = Vec::new();
    }

    /// Notes the words of up to `max` profiles that the store may not have. `false` while some are left.
    pub(crate) fn catch_up<'p>(&mut self, max: usize, profile: impl Fn(ProfileId) -> Option<&'p Profile>) -> bool {
        let all = self.settling.len() + self.changed.len();
        for id in self.settling.iter().chain(&self.changed).skip(self.noted).take(max) {
            if let Some(profile) = profile(*id) {
                self.fresh.extend(words(profile).into_iter().map(|word| (word, *id)));
            }
        }
        self.noted = all.min(self.noted + max);
        self.noted == all
    }

    /// Words in memory that begin with `prefix`, as [`stored`] gives those of the store. They may be of a
    /// profile that has changed again since.
    pub(crate) fn fresh(&self, prefix: &str, after: Option<&Hit>, count: usize) -> Vec<Hit> {
        let from = match after {
            Some(after) => Bound::Excluded(after.clone()),
            None => Bound::Included((Text::new(prefix), ProfileId(0))),
        };
        let found = self.fresh.range((from, Bound::Unbounded)).take_while(|(word, _)| word.starts_with(prefix));
        found.take(count).cloned().collect()
    }

    /// What the store does not know yet, at `at`, the clock of a checkpoint.
    pub(super) fn take(&mut self, at: Timestamp) -> Search {
        self.fresh.clear();
        self.noted = 0;
        self.settling.clone_from(&self.changed);
        Search { changed: std::mem::take(&mut self.changed), written: self.written.replace(at), ..Search::default() }
    }

    /// `profile` gives a profile as the checkpoint has it, `store` is as the checkpoint before left it.
    pub(super) fn write<'p>(
        mut self,
        profile: impl Fn(ProfileId) -> Option<&'p Profile>,
        store: &dyn Store,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        self.changed.sort_unstable();
        self.changed.dedup();
        let written = self.written;
        let is_new = |id: &ProfileId| profile(*id).is_some_and(|profile| written.is_some_and(|written| profile.created_at > written));
        let (new, known): (Vec<ProfileId>, Vec<ProfileId>) = self.changed.into_iter().partition(is_new);
        for id in new {
            let now = profile(id).map(words).unwrap_or_default();
            now.iter().for_each(|word| batch.put(Table::Search, &key(word, id), &[]));
        }
        let stored = |keys: &[&[u8]], found: &mut VisitMany<'_>| store.get_many(Table::Profiles, keys, found);
        look_up_profiles(&known, stored, |id, before| {
            let now = profile(id).map(words).unwrap_or_default();
            let old = before.as_ref().map(words).unwrap_or_default();
            now.difference(&old).for_each(|word| batch.put(Table::Search, &key(word, id), &[]));
            old.difference(&now).for_each(|word| batch.delete(Table::Search, &key(word, id)));
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faden_engine::profile::{KnownIdentifier, Trait};
    use faden_storage::MemoryStore;

    fn profile(identifiers: &[(&str, &str)], traits: &[(&str, &str)]) -> Profile {
        let mut profile = Profile::new(ProfileId(7), Timestamp(0));
        let strand = &mut profile.strands[0];
        for (kind, value) in identifiers {
            let (kind, value) = (IdentifierKind::from_name(kind), Text::new(value));
            strand.identifiers.push(KnownIdentifier { kind, value, first_seen_at: Timestamp(0) });
        }
        for (name, value) in traits {
            strand.traits.push(Trait { name: Text::new(name), value: Value::from(*value), at: Timestamp(0) });
        }
        profile
    }

    #[test]
    fn people_are_known_by_the_words_that_others_call_them_by() {
        type Pairs = &'static [(&'static str, &'static str)];
        let table: [(Pairs, Pairs, &str); 6] = [
            (&[("user_id", "U-1")], &[], "u-1"),
            (&[("email", "anna.miller@example.com")], &[], "anna anna.miller@example.com miller"),
            (&[("phone", "+49301234")], &[], "49301234"),
            (&[("anonymous_id", "f00"), ("device_id", "d")], &[], ""),
            (
                &[],
                &[("name", "Anna M\u{fc}ller-L\u{fc}denscheidt"), ("plan", "gold")],
                "anna l\u{fc}denscheidt m\u{fc}ller m\u{fc}ller-l\u{fc}denscheidt",
            ),
            (&[], &[("city", "K\u{d6}LN"), ("company", "  ")], "k\u{f6}ln"),
        ];
        for (identifiers, traits, wanted) in table {
            let found: Vec<String> = words(&profile(identifiers, traits)).iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), wanted);
        }
        let long = "x".repeat(500);
        assert_eq!(words(&profile(&[("user_id", &long)], &[])).first().map(Text::len), Some(WORD_BYTES_MAX));
    }

    #[test]
    fn words_stay_in_memory_until_the_store_has_them() {
        let store = SharedStore::new(Box::new(MemoryStore::new()));
        let anna = profile(&[("user_id", "anna")], &[]);
        let known = |id: ProfileId| (id == anna.id).then_some(&anna);
        let mut search = Search::default();
        let found = |search: &mut Search| {
            assert!(search.catch_up(10, known));
            (search.fresh("an", None, 10).len(), stored(&store, "an", None, 10).len())
        };
        search.note(anna.id);
        assert_eq!(found(&mut search), (1, 0), "new");
        let mut batch = Batch::new();
        search.take(Timestamp(1)).write(known, &**store.lock(), &mut batch).expect("it writes");
        assert_eq!(found(&mut search), (1, 0), "on its way into the store");
        store.lock().commit(&batch).expect("it commits");
        search.settled();
        search.note(ProfileId(8));
        assert!(!search.catch_up(0, known), "somebody else is not noted yet");
        search.take(Timestamp(2));
        search.settled();
        assert_eq!(found(&mut search), (0, 1), "in the store");
    }

    #[test]
    fn keys_give_back_word_and_profile() {
        let hit = (Text::new("k\u{f6}ln"), ProfileId(u64::MAX));
        assert_eq!(super::hit(&key(&hit.0, hit.1)), Some(hit));
        assert_eq!(super::hit(b"short"), None);
    }
}
