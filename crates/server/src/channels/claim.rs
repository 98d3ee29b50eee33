//! May this message still go out, and what does it need? Asked right before it goes.

use faden_engine::Index;
use faden_engine::decision::{Message, MessageOutcome};
use faden_engine::journey::{Clearance, Enrollment, clearance};
use faden_engine::profile::Profile;
use faden_model::{MessageId, Timestamp};
use faden_runtime::Node;
use faden_runtime::views::{MessageRow, MessageState};
use std::sync::Arc;

/// Everything that rendering needs, as it is at this instant.
pub struct Claim {
    pub row: MessageRow,
    pub profile: Profile,
    pub enrollment: Option<Enrollment>,
    pub index: Arc<Index>,
    pub clearance: Clearance,
}

/// Looks a message up; `None` when it is done already.
pub fn claim(node: &mut Node, id: MessageId, at: Timestamp) -> Option<Claim> {
    let store = node.store().cloned();
    let row = node.views()?.message(id, store.as_ref()).filter(|row| row.state() == MessageState::Queued)?;
    let profile = node.front().identity.profile_of_strand(id.0.under).and_then(|profile| node.profile(profile))?;
    let index = node.index().clone();
    let message = Message {
        id,
        enrollment: row.enrollment,
        journey: row.journey.clone(),
        step: row.step.clone(),
        template: row.template.clone(),
        purpose: row.purpose.clone(),
        channel: row.channel.clone(),
        address: row.address.clone(),
        outcome: MessageOutcome::Sent,
        checks: Vec::new(),
    };
    let clearance = clearance(&index, &profile, &message, at);
    let enrollment = profile.enrollments.iter().find(|enrollment| enrollment.id == row.enrollment).cloned();
    Some(Claim { row, profile, enrollment, index, clearance })
}
