//! What others may look at in a node between two of its groups: short looks, everything copied out.
//!
//! Nothing here reads the store. Whoever looks takes what is in memory from here, and then reads the
//! store by himself, without holding up the node.

use crate::node::Node;
use crate::views::search::Hit;
use crate::views::warm;
use faden_engine::decision::Decision;
use faden_engine::profile::Profile;
use faden_model::ProfileId;
use faden_storage::Position;

impl Node {
    /// A profile that is in memory.
    pub fn warm(&self, id: ProfileId) -> Option<&Profile> {
        warm(self.partitions(), id)
    }

    /// Decisions of these profiles that no checkpoint has written yet, in their order.
    pub fn unwritten_of(&self, profiles: &[ProfileId]) -> Vec<Decision> {
        let places = self.views.as_ref().map(|views| views.decided_by(profiles)).unwrap_or_default();
        places.into_iter().filter_map(|place| self.unwritten_decisions().get(place)).cloned().collect()
    }

    /// Where definitions were published that no checkpoint has written yet; see `SharedStore::publications`.
    pub fn unwritten_publications(&self) -> Vec<Position> {
        self.published.iter().map(|(position, _)| *position).collect()
    }

    /// Notes the words of up to `max` profiles that changed since the last checkpoint; `false` while some are left.
    pub fn note_words(&mut self, max: usize) -> bool {
        let settled = !self.is_committing();
        let Some(views) = self.views.as_mut() else { return true };
        if settled {
            views.search.settled();
        }
        let partitions = &self.partitions;
        views.search.catch_up(max, |id| warm(partitions, id))
    }

    /// Words in memory that begin with `prefix`, behind `after`; see [`Node::note_words`].
    pub fn fresh_words(&self, prefix: &str, after: Option<&Hit>, count: usize) -> Vec<Hit> {
        self.views.as_ref().map(|views| views.search.fresh(prefix, after, count)).unwrap_or_default()
    }
}
