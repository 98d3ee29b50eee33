//! Faden as a server: intake, engine, channels, API and console in one process.
//!
//! `serve` wires the parts: a keeper's thread holds the node (`keeper`), intake and API are HTTP (`ingest`,
//! `api`, `surfaces`), workers carry messages out (`channels`). Everything that changes state is a record in
//! the log; this room decides nothing.

mod access;
mod answer;
mod api;
mod audit;
mod backup;
mod channels;
mod consent;
mod console;
mod dead_letters;
pub mod history;
mod idempotency;
mod inbound;
mod ingest;
mod keeper;
mod keys;
mod live;
mod metrics;
pub mod outside;
mod past;
mod problem;
mod publish;
mod said;
mod serve;
mod signed;
mod sources;
mod state;
mod surfaces;
pub mod telemetry;
mod watch;

pub use backup::{BackupError, restore};
pub use keys::{Role, Scope};
pub use serve::{Options, ServeError, Started, serve};
pub use state::{fingerprint, set_secrets};
