//! A vector that grows by pieces of one size.
//!
//! A `Vec` of millions moves all of them when it has to grow, tens of milliseconds in which everybody waits.
//! Here what stands once never moves.

use std::ops::{Index, IndexMut};

/// Items of a piece: a power of two, some hundred kilobytes of what the identity index keeps.
const PIECE: usize = 1 << 14;

#[derive(Clone, Debug)]
pub struct Pieces<T> {
    /// All but the last are full.
    pieces: Vec<Vec<T>>,
}

impl<T> Default for Pieces<T> {
    fn default() -> Pieces<T> {
        Pieces { pieces: Vec::new() }
    }
}

impl<T> Pieces<T> {
    pub fn len(&self) -> usize {
        self.pieces.last().map_or(0, |last| (self.pieces.len() - 1) * PIECE + last.len())
    }

    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub fn push(&mut self, item: T) {
        match self.pieces.last_mut() {
            Some(last) if last.len() < PIECE => last.push(item),
            // The first piece of a small index grows as it needs.
            None => self.pieces.push(vec![item]),
            Some(_) => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(item);
                self.pieces.push(piece);
            }
        }
    }

    pub fn get(&self, at: usize) -> Option<&T> {
        self.pieces.get(at / PIECE)?.get(at % PIECE)
    }

    /// The items from a place on, in their order.
    pub fn from(&self, at: usize) -> impl Iterator<Item = &T> {
        let (first, rest) = match self.pieces.get(at / PIECE..) {
            Some([first, rest @ ..]) => (first.get(at % PIECE..).unwrap_or_default(), rest),
            _ => (&[][..], &[][..]),
        };
        first.iter().chain(rest.iter().flatten())
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.pieces.iter().map(|piece| piece.capacity() * size_of::<T>()).sum()
    }
}

impl<T> Index<usize> for Pieces<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.pieces[at / PIECE][at % PIECE]
    }
}

impl<T> IndexMut<usize> for Pieces<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.pieces[at / PIECE][at % PIECE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_is_found_across_pieces_and_never_moves() {
        let mut pieces = Pieces::default();
        assert!(pieces.is_empty() && pieces.from(0).next().is_none() && pieces.get(0).is_none());
        (0..PIECE).for_each(|number| pieces.push(number));
        let first: *const usize = &pieces[0];
        (PIECE..2 * PIECE + 3).for_each(|number| pieces.push(number));
        assert!(std::ptr::eq(first, &pieces[0]));
        assert_eq!(pieces.len(), 2 * PIECE + 3);
        for at in [0, PIECE - 1, PIECE, 2 * PIECE + 2] {
            assert_eq!((pieces[at], pieces.get(at)), (at, Some(&at)));
            assert!(pieces.from(at).copied().eq(at..pieces.len()), "{at}");
        }
        assert_eq!((pieces.get(pieces.len()), pieces.from(pieces.len()).count(), pieces.from(9 * PIECE).count()), (None, 0, 0));
        pieces[PIECE] = 7;
        assert_eq!(pieces[PIECE], 7);
    }
}
