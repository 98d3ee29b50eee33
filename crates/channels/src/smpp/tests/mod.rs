//! SMPP against npm's `smpp` as a message centre, and what can be tested without one.

mod centre;
mod laws;
mod pieces;
mod replies;
