//! Computed traits and audiences: what a customer's events add up to, and which sets he is in.

mod plan;

pub use plan::{Aggregate, Audience, ComputedTrait, Follow, key_of};
