//! Journeys: the checked plan, one passage through it, and the timers in between.

mod enrollment;
mod enter;
mod leave;
mod migrate;
mod plan;
mod run;
mod send;
mod ways;

pub use enrollment::{Enrollment, KeptEvent, MovedFrom, Token, TokenState};
pub use migrate::{Landing, landing, preview};
pub use plan::*;
pub(crate) use run::Start;
pub(crate) use send::PendingSend;
pub use send::{Asked, Clearance, ask, clearance};
pub use ways::Way;
