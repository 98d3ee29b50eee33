//! The API as its callers see it: tables of calls and answers against a real server.
//!
//! One program for all parts, a module each, so that the server is linked once.

#[path = "../common/mod.rs"]
mod common;

mod access;
mod changes;
mod consent;
mod decide;
mod decisions;
mod delivery;
mod inbound;
mod intake;
mod journeys;
mod operate;
mod people;
mod recognition;
mod repeats;
mod surfaces;
mod system;
mod workspace;
