//! Passages through journeys as decisions tell them, with where they stand now.

use super::World;
use crate::decision::Kind;
use faden_model::{EnrollmentId, Text, Timestamp};
use std::collections::BTreeMap;

/// One passage.
pub struct Passage {
    pub journey: Text,
    pub user_id: Text,
    pub entered_at: Timestamp,
    pub ended: Option<(Timestamp, &'static str)>,
    /// The steps where it stands; none when it is parked or has ended.
    pub waiting: Vec<Text>,
}

pub fn passages(world: &World) -> BTreeMap<EnrollmentId, Passage> {
    let mut found: BTreeMap<EnrollmentId, Passage> = BTreeMap::new();
    for decision in world.decisions() {
        match &decision.kind {
            Kind::Enrolled { enrollment, journey, .. } => {
                let (journey, user_id) = (journey.clone(), decision.user_id.clone());
                found.insert(*enrollment, Passage { journey, user_id, entered_at: decision.at, ended: None, waiting: Vec::new() });
            }
            Kind::Ended { enrollment, outcome, .. } => {
                if let Some(passage) = found.get_mut(enrollment) {
                    passage.ended = Some((decision.at, outcome.name()));
                }
            }
            _ => {}
        }
    }
    for profile in world.profiles() {
        for running in profile.enrollments.iter().filter(|running| !running.parked) {
            let version = world.index().version(running.journey, running.version);
            if let (Some(passage), Some(version)) = (found.get_mut(&running.id), version) {
                passage.waiting = running.tokens.iter().map(|token| version.step_name(token.step)).collect();
            }
        }
    }
    found
}
