//! Who would land where if running passages moved to the journeys of other definitions.

use crate::table::Table;
use crate::terminal::{Paint, thousands};
use faden_engine::Definitions;
use faden_engine::journey::preview;
use faden_model::ProfileId;
use faden_runtime::Node;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Places of running passages: (journey, old step, new step or `None` for staying) and how many.
#[derive(Debug, Default)]
pub struct Landings(BTreeMap<(String, String, Option<String>), u64>);

/// Looks at every running passage whose journey has another version in `new`; a journey that `new` does
/// not have lets everybody stay.
pub fn landings(node: &Node, new: &Definitions) -> Landings {
    let mut ids: BTreeSet<ProfileId> = node.partitions().iter().flat_map(|partition| partition.shard.warm_ids()).collect();
    ids.extend(node.store().map(|store| store.profile_ids()).unwrap_or_default());
    let mut landings = Landings::default();
    let none = BTreeMap::new();
    for profile in ids.into_iter().filter_map(|id| node.profile(id)) {
        for enrollment in &profile.enrollments {
            let Some(from) = node.index().version(enrollment.journey, enrollment.version) else { continue };
            let Some(to) = new.journeys.iter().find(|journey| journey.key == enrollment.journey) else { continue };
            if to.version == from.version {
                continue;
            }
            for landing in preview(enrollment, from, to, &none) {
                let key = (from.name.to_string(), landing.from.to_string(), landing.to.map(|step| step.to_string()));
                *landings.0.entry(key).or_default() += 1;
            }
        }
    }
    landings
}

impl Landings {
    pub fn tables(&self, paint: Paint) -> String {
        if self.0.is_empty() {
            return "\n  nobody is in a journey that changes\n".to_owned();
        }
        let mut table = Table::new(["journey", "stands at", "would land at", "#passages"]);
        for ((journey, from, to), count) in &self.0 {
            table.row([journey.clone(), from.clone(), to.clone().unwrap_or_else(|| "stays on its version".to_owned()), thousands(*count)]);
        }
        format!("\n{}", table.render(paint))
    }

    pub fn to_json(&self) -> Value {
        let row = |((journey, from, to), count): (&(String, String, Option<String>), &u64)| json!({"journey": journey, "from": from, "to": to, "passages": count});
        self.0.iter().map(row).collect()
    }
}
