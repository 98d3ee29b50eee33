//! Single facts of a profile, folded over its strands: one trait, one identifier, where he lives.

use super::{Accumulator, Computed, LastEntry, Profile, Strand, Trait, insert_tight};
use crate::audience::ComputedTrait;
use crate::policy::ContactTimes;
use faden_model::{IdentifierKind, ProfileId, Text, Timestamp, Value};

impl Profile {
    /// The latest value that a source told for this trait; null when none did.
    pub fn told(&self, name: &str) -> &Value {
        static NULL: Value = Value::Null;
        let mut best: Option<&Trait> = None;
        for strand in &self.strands {
            if let Some(found) = strand.find(name)
                && best.is_none_or(|best| found.at > best.at)
            {
                best = Some(found);
            }
        }
        best.map_or(&NULL, |found| &found.value)
    }

    /// The text of a trait, when it is one.
    pub fn told_text(&self, name: &str) -> Option<&str> {
        self.told(name).as_text()
    }

    /// The identifier of this kind that was linked last, the own strand's first.
    pub fn identifier(&self, kind: &IdentifierKind) -> Option<&str> {
        self.strands
            .iter()
            .find_map(|strand| strand.identifiers.iter().rev().find(|known| known.kind == *kind))
            .map(|known| known.value.as_str())
    }

    /// Two-letter code in upper case as a source told it: `country`, else `address.country`.
    pub fn country(&self) -> Option<&str> {
        self.told_text("country").or_else(|| self.told("address").get("country").as_text())
    }

    pub fn language(&self) -> Option<&str> {
        self.told_text("language").or_else(|| self.told_text("locale"))
    }

    pub fn time_zone(&self) -> Option<&str> {
        self.told_text("time_zone").or_else(|| self.told_text("timezone"))
    }

    pub fn brand(&self) -> Option<&str> {
        self.told_text("brand")
    }

    pub fn preferred_channel(&self) -> Option<&str> {
        self.told_text("preferred_channel")
    }

    /// What helps him to read, as the trait `accessibility` says: `text_only` for mails without HTML.
    pub fn accessibility(&self) -> Option<&str> {
        self.told_text("accessibility")
    }

    /// When he wants to be written to, of the trait `contact_times` such as `09:00-18:00`; a trait of another form
    /// says nothing.
    pub fn contact_times(&self) -> Option<ContactTimes> {
        ContactTimes::parse(self.told_text("contact_times")?)
    }

    /// Where a message on this kind of channel goes: e-mail to `email`, sms and voice to `phone`,
    /// whatsapp to `whatsapp_id` or `phone`, push to `device_id`; every other channel to the identifier
    /// of its own name, else to the user id.
    pub fn address(&self, channel: &str) -> Option<&str> {
        match channel {
            "email" => self.identifier(&IdentifierKind::Email),
            "sms" | "rcs" | "voice" => self.identifier(&IdentifierKind::Phone),
            "whatsapp" => self.identifier(&IdentifierKind::WhatsappId).or_else(|| self.identifier(&IdentifierKind::Phone)),
            "push" | "web_push" => self.identifier(&IdentifierKind::DeviceId),
            other => self
                .identifier(&IdentifierKind::Other(Text::new(other)))
                .or_else(|| self.identifier(&IdentifierKind::UserId))
                .or_else(|| self.identifier(&IdentifierKind::AnonymousId)),
        }
    }

    /// The name under which outputs speak of this person: the user id, else the anonymous id.
    pub fn user_id(&self) -> Option<&str> {
        self.identifier(&IdentifierKind::UserId)
    }

    /// Sets a trait told at `at`; an older telling never replaces a newer one, null removes.
    /// Returns whether the value under this strand changed.
    pub fn tell(&mut self, strand: ProfileId, name: &str, value: Value, at: Timestamp) -> bool {
        let traits = &mut self.strand_mut(strand).traits;
        match traits.binary_search_by(|known| known.name.as_str().cmp(name)) {
            Ok(index) if traits[index].at > at => false,
            Ok(index) => {
                let changed = traits[index].value != value;
                traits[index].at = at;
                traits[index].value = value;
                changed
            }
            Err(_) if value.is_null() => false,
            Err(index) => {
                insert_tight(traits, index, Trait { name: Text::new(name), value, at });
                true
            }
        }
    }
}

impl Strand {
    pub fn accumulator(&self, key: u64) -> Option<&Accumulator> {
        self.computed.iter().find(|computed| computed.key == key).map(|computed| &computed.accumulator)
    }

    /// The accumulator of this trait, made when it is missing.
    pub fn accumulator_mut(&mut self, plan: &ComputedTrait) -> &mut Accumulator {
        let at = match self.computed.binary_search_by_key(&plan.key, |computed| computed.key) {
            Ok(at) => at,
            Err(at) => {
                insert_tight(&mut self.computed, at, Computed { key: plan.key, accumulator: Accumulator::new(plan) });
                at
            }
        };
        &mut self.computed[at].accumulator
    }

    /// Remembers an entry for re-entry.
    pub fn remember_entry(&mut self, slot: u64, at: Timestamp) {
        match self.entered.binary_search_by_key(&slot, |entry| entry.slot) {
            Ok(index) => self.entered[index].at = at,
            Err(index) => insert_tight(&mut self.entered, index, LastEntry { slot, at }),
        }
    }

    pub fn find(&self, name: &str) -> Option<&Trait> {
        // A handful of traits: comparing lengths first beats a binary search over texts.
        self.traits.iter().find(|known| known.name.len() == name.len() && known.name == name)
    }
}
