//! A list that is empty for most customers: eight bytes for nothing instead of 24.
//!
//! There are millions of customers, and a profile has a list for everything that may happen to one. What
//! is written is the list itself.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::{Deref, DerefMut};

/// A `Vec` that takes memory only once it was written to; one more step on the way to its items is worth it.
#[derive(Clone, Debug)]
#[allow(clippy::box_collection)]
pub struct Few<T>(Option<Box<Vec<T>>>);

impl<T> Few<T> {
    fn new(items: Vec<T>) -> Few<T> {
        Few((!items.is_empty()).then(|| Box::new(items)))
    }

    /// Empties the list and gives what it held.
    pub fn take(&mut self) -> Vec<T> {
        self.0.take().map_or_else(Vec::new, |items| *items)
    }

    /// [`Vec::retain`]; a list that nothing is left of gives its memory back.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        if let Some(items) = &mut self.0 {
            items.retain(keep);
            if items.is_empty() {
                self.0 = None;
            }
        }
    }
}

impl<T> Default for Few<T> {
    fn default() -> Few<T> {
        Few(None)
    }
}

impl<T: 'static> Few<T> {
    const NOTHING: &'static Vec<T> = &Vec::new();
}

impl<T: 'static> Deref for Few<T> {
    type Target = Vec<T>;
    fn deref(&self) -> &Vec<T> {
        self.0.as_deref().unwrap_or(Few::NOTHING)
    }
}

impl<T: 'static> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        self.0.get_or_insert_default()
    }
}

impl<T: PartialEq + 'static> PartialEq for Few<T> {
    fn eq(&self, other: &Few<T>) -> bool {
        **self == **other
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(items: Vec<T>) -> Few<T> {
        Few::new(items)
    }
}

impl<T> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(mut self) -> std::vec::IntoIter<T> {
        self.take().into_iter()
    }
}

impl<'a, T: 'static> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> std::slice::Iter<'a, T> {
        self.iter()
    }
}

impl<T: Serialize + 'static> Serialize for Few<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Few<T>, D::Error> {
        Vec::deserialize(deserializer).map(Few::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_is_written_and_compared_like_a_list() {
        let mut few: Few<u8> = Few::default();
        assert_eq!((few.len(), size_of::<Few<u8>>()), (0, 8));
        few.push(7);
        few.retain(|item| *item != 7);
        assert_eq!(few, Few::from(Vec::new()));
        few.push(8);
        let bytes = postcard::to_stdvec(&few).expect("a list has no unserialisable part");
        assert_eq!(bytes, postcard::to_stdvec(&vec![8u8]).expect("a list has no unserialisable part"));
        assert_eq!(postcard::from_bytes::<Few<u8>>(&bytes).expect("it was just written"), few);
        assert_eq!((few.take(), few.len()), (vec![8], 0));
    }
}
