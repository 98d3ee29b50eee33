//! OCEL 2.0 as JSON: steps as events, related to the customer, the passage and the message that they are about.
//!
//! Source: OCEL (Object-Centric Event Log) 2.0 Specification, 2023, section on the JSON format.

use super::steps::{ATTRIBUTES, Step};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// `steps` as [`super::steps::sort`] leaves them.
pub fn write(steps: &[Step], out: &mut dyn Write) -> io::Result<()> {
    let attributes = |names: &[&str]| names.iter().map(|name| json!({"name": name, "type": "string"})).collect::<Value>();
    let activities: BTreeSet<String> = steps.iter().map(Step::activity).collect();
    let kinds = [("customer", &[][..]), ("passage", &["journey"]), ("message", &["template", "channel"])];
    let kinds: Value = kinds.iter().map(|(name, names)| json!({"name": name, "attributes": attributes(names)})).collect();
    let event_types: Value = activities.iter().map(|name| json!({"name": name, "attributes": attributes(&ATTRIBUTES)})).collect();
    write!(out, "{{\"objectTypes\":{kinds},\n\"eventTypes\":{event_types},\n\"objects\":[")?;
    for (number, object) in objects(steps).values().enumerate() {
        write!(out, "{}\n{object}", if number > 0 { "," } else { "" })?;
    }
    write!(out, "],\n\"events\":[")?;
    for (number, step) in steps.iter().enumerate() {
        write!(out, "{}\n{}", if number > 0 { "," } else { "" }, event(step))?;
    }
    writeln!(out, "]}}")
}

/// Everything that an event names, by its id. A passage belongs to whoever had it last.
fn objects(steps: &[Step]) -> BTreeMap<&str, Value> {
    let mut found = BTreeMap::new();
    for step in steps {
        let told = |names: &[&str]| -> Value {
            let known = step.attributes().filter(|(name, _)| names.contains(name));
            known.map(|(name, value)| json!({"name": name, "time": step.at, "value": value})).collect()
        };
        let to = |id: &str, qualifier: &str| json!([{"objectId": id, "qualifier": qualifier}]);
        found.insert(step.customer.as_str(), json!({"id": step.customer, "type": "customer", "attributes": [], "relationships": []}));
        let owner = to(&step.customer, "of");
        let passage = found.entry(&step.passage);
        let passage = passage
            .or_insert_with(|| json!({"id": step.passage, "type": "passage", "attributes": told(&["journey"]), "relationships": []}));
        passage["relationships"] = owner;
        if let Some(message) = &step.message {
            let attributes = told(&["template", "channel"]);
            let message_object =
                json!({"id": message, "type": "message", "attributes": attributes, "relationships": to(&step.passage, "sent by")});
            found.insert(message, message_object);
        }
    }
    found
}

fn event(step: &Step) -> Value {
    let mut related =
        vec![json!({"objectId": step.customer, "qualifier": "customer"}), json!({"objectId": step.passage, "qualifier": "passage"})];
    related.extend(step.message.iter().map(|message| json!({"objectId": message, "qualifier": "message"})));
    let attributes: Value = step.attributes().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({"id": step.id, "type": step.activity(), "time": step.at, "attributes": attributes, "relationships": related})
}

#[cfg(test)]
mod tests {
    use super::super::steps::tests::sample;
    use super::*;

    /// What the specification asks for: ids are unique, what is named exists, types and attributes are declared.
    #[test]
    fn everything_that_is_named_is_declared() {
        let mut out = Vec::new();
        write(&sample(), &mut out).unwrap();
        let log: Value = serde_json::from_slice(&out).unwrap();
        let list = |of: &Value, name: &str| of[name].as_array().cloned().unwrap_or_default();
        let texts = |items: &[Value], name: &str| items.iter().map(|item| item[name].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>();
        let (objects, events) = (list(&log, "objects"), list(&log, "events"));
        let ids = texts(&objects, "id");
        assert_eq!((ids.len(), objects.len(), texts(&events, "id").len(), events.len()), (5, 5, 5, 5));
        for (items, types) in [(&objects, list(&log, "objectTypes")), (&events, list(&log, "eventTypes"))] {
            for item in items {
                let kind = types.iter().find(|kind| kind["name"] == item["type"]).unwrap();
                assert!(texts(&list(item, "attributes"), "name").is_subset(&texts(&list(kind, "attributes"), "name")), "{item}");
                assert!(texts(&list(item, "relationships"), "objectId").is_subset(&ids), "{item}");
            }
        }
        let owner = objects.iter().find(|object| object["id"] == "enr_1_0").unwrap();
        assert_eq!(owner["relationships"][0]["objectId"], "prf_0", "a passage goes over with a merge");
        assert!(!String::from_utf8(out).unwrap().contains("example.com"));
    }
}
