//! The nouns of Faden, without a single verb: what everything is called and how it is written.
//!
//! Nothing here does I/O, reads a clock or decides anything. Text from outside becomes these types
//! once, at the wall (`event`, `identifier`, `time`), and keeps its shape from then on.

mod causes;
pub mod condition;
pub mod diagnostic;
pub mod event;
pub mod id;
pub mod identifier;
pub mod json;
pub mod record;
pub mod time;
pub mod value;

pub use causes::with_causes;
pub use compact_str::CompactString as Text;
pub use event::{Event, EventKind};
pub use id::{DecisionId, EnrollmentId, MessageId, ProfileId};
pub use identifier::{Identifier, IdentifierKind};
pub use record::{Command, Migration, Receipt, Record, Report};
pub use rust_decimal::Decimal;
pub use time::{Span, Timestamp};
pub use value::Value;
