//! Decisions as a row of a store: what one profile decided between two checkpoints, in the order of counts.
//!
//! A version byte, then postcard, one decision behind the other: half as long as the lines that people read.

use super::Decision;

/// Version of the written form; older ones are read for ever.
const WRITTEN_VERSION: u8 = 1;

/// Why stored bytes are not decisions.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    #[error("stored decisions have version {0}, this program reads up to {WRITTEN_VERSION}; use a newer program")]
    Version(u8),
    #[error("stored decisions are broken; restore the latest backup")]
    Broken(#[source] postcard::Error),
}

/// Appends the row of these decisions.
pub fn write_row<'d>(decisions: impl IntoIterator<Item = &'d Decision>, out: &mut Vec<u8>) {
    out.push(WRITTEN_VERSION);
    for decision in decisions {
        *out = postcard::to_extend(decision, std::mem::take(out)).expect("a decision has no unserialisable part");
    }
}

/// Visits the decisions of a row in their order.
///
/// # Errors
/// [`RowError`] when the bytes are of a newer version or broken.
pub fn read_row(bytes: &[u8], mut visit: impl FnMut(&Decision)) -> Result<(), RowError> {
    let Some((version, mut rest)) = bytes.split_first() else {
        return Err(RowError::Broken(postcard::Error::DeserializeUnexpectedEnd));
    };
    if *version != WRITTEN_VERSION {
        return Err(RowError::Version(*version));
    }
    while !rest.is_empty() {
        let (decision, after) = postcard::take_from_bytes::<Decision>(rest).map_err(RowError::Broken)?;
        visit(&decision);
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::{Cause, Kind};
    use faden_model::id::Born;
    use faden_model::{DecisionId, ProfileId, Text, Timestamp};

    fn decisions() -> Vec<Decision> {
        let kinds = [
            Kind::Audience { audience: Text::new("active"), entered: true, cause: Cause::Time },
            Kind::Rejected { code: Text::new("turn-too-long"), detail: Text::new("a text too long for a place inside of it") },
            Kind::Merged { loser: ProfileId(9), merge: 3, identifier: faden_model::IdentifierKind::Email },
        ];
        let decision = |(count, kind)| {
            let id = DecisionId(Born { under: ProfileId(7), count });
            Decision { id, at: Timestamp(1), profile: ProfileId(7), user_id: Text::new("u7"), kind }
        };
        (0..).zip(kinds).map(decision).collect()
    }

    #[test]
    fn a_row_gives_back_what_was_written() {
        let mut row = Vec::new();
        write_row(&decisions(), &mut row);
        let mut found = Vec::new();
        read_row(&row, |decision| found.push(decision.clone())).expect("it was just written");
        assert_eq!(found, decisions());
    }

    #[test]
    fn a_row_of_another_version_or_cut_short_is_refused() {
        let mut row = Vec::new();
        write_row(&decisions(), &mut row);
        let said = |bytes: &[u8]| read_row(bytes, |_| {}).map_err(|error| error.to_string());
        assert_eq!(said(&row[..row.len() - 1]), Err("stored decisions are broken; restore the latest backup".to_owned()));
        row[0] = 9;
        assert_eq!(said(&row), Err("stored decisions have version 9, this program reads up to 1; use a newer program".to_owned()));
    }
}
