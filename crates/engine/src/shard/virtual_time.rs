//! What scenarios need of a partition: the next instant, and a customer who is known from the start.

use super::{Cold, Shard};
use crate::delivery::{Content, Delivery};
use crate::policy::ConsentEntry;
use crate::turn::Learned;
use faden_model::Timestamp;

impl Shard {
    /// The next instant at which something may happen by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.wheel.next().into_iter().chain(self.schedules.next()).min()
    }

    /// Tells what is known of a new profile before anything happens: nobody enters or leaves a journey by it.
    pub(crate) fn given(&mut self, delivery: Delivery<'_>, consents: Vec<ConsentEntry>, cold: &mut dyn Cold) {
        let Content::Event { profile, strand, added, event, .. } = delivery.content else { return };
        self.create(profile, delivery.at);
        self.turn(profile, delivery.at, cold, |turn| turn.given(&event, Learned { strand, added: &added }, consents));
    }
}
