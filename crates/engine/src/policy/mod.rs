//! Policy: may this message go out, on which channel, and when?
//!
//! Pure. Policies are global, then per region, then per brand; a narrower one may only tighten, which
//! `build` checks. What then holds for a (region, brand) is merged once; [`gate`] only looks it up.
//! In: what is known of the customer, and the message. Out: send, hold until, or suppress, with the rule.
//!
//! Strictest reading wherever something is unknown: a purpose that no file names needs `opt_in`; a
//! customer of unknown country has the rules of all regions together; unknown time zone: see
//! `quiet_hours`. With no policy file at all that leaves `opt_in` for everything and nothing else.

mod consent;
mod effective;
mod frequency_cap;
mod gate;
mod plan;
mod quiet_hours;
mod suppression;
mod table;
mod tighten;

pub use consent::{Consent, ConsentEntry, ConsentState, EVERYTHING, Use, check as check_consent, record_consent};
pub use effective::{Effective, Policies};
pub use frequency_cap::{SentEntry, prune};
pub use gate::gate;
pub use plan::*;
pub use quiet_hours::SEARCH_MAX;
pub use suppression::{SuppressedAddress, is_entry as is_suppression_entry};
pub use table::{ScopeTable, TableRow};

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tighten_tests;
