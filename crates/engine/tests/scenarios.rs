//! Every scenario that people read in `examples/` and `docs/` passes.

mod common;

use common::{directory, page, top};
use faden_engine::content::{self, Variables};
use faden_engine::workspace::{Colours, Files, read, read_scenarios};
use faden_engine::{Index, dry_run};
use faden_model::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

/// What fails, as people see it, and how many scenarios there are.
fn run(files: BTreeMap<String, String>) -> (usize, String) {
    let files = Files(files);
    let definitions = Arc::new(read(&files).definitions.expect("the workspace has no error"));
    let (scenarios, findings) = read_scenarios(&files, &definitions);
    assert_eq!(findings, Vec::new());
    let index = Arc::new(Index::new(definitions, None));
    let failed = scenarios.iter().map(|scenario| {
        let report = dry_run::render(&dry_run::run(&index, scenario), scenario, &files.0[&scenario.file], Colours::Off);
        if report.is_empty() { report } else { format!("{}\n{report}", scenario.name) }
    });
    (scenarios.len(), failed.collect())
}

#[test]
fn every_scenario_of_every_example_passes() {
    let mut seen = 0;
    for entry in fs::read_dir(top().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let (count, failed) = run(directory(&path));
            assert!(failed.is_empty(), "{}\n{failed}", path.display());
            seen += count;
        }
    }
    assert!(seen >= 80, "{seen} scenarios");
}

/// Something for every name that a template of the examples reads.
const FACTS: &str = r#"{
    "now": "2026-03-02T10:00:00Z", "time_zone": "Europe/Berlin", "workspace": "shop", "unsubscribe_url": "https://shop.example/u",
    "preferences_url": "https://shop.example/p", "view_url": "https://shop.example/v",
    "enrollment": {"id": "enr_1_1", "journey": "any", "key": "o1"},
    "profile": {"id": "prf_1", "user_id": "u1", "country": "DE", "traits": {"first_name": "Ada", "last_viewed": "Tent", "favourite": "tent-2",
        "spent": 100, "spent_365d": 1234.5, "instalment": 234, "wanted_amount": 10000, "wanted_months": 48, "tier": "gold", "views_7d": 3}},
    "event": {"name": "Any", "message_id": "m1", "timestamp": "2026-03-02T09:00:00Z", "properties": {"order_id": "o1", "cart_id": "c1",
        "value": 50, "revenue": 129.9, "currency": "EUR", "items": [{"name": "Tent <2>", "quantity": 1, "price": 129.9}],
        "promised_for": "2026-03-06T17:00:00Z", "carrier": "Post & Bote", "tracking_url": "https://post.example/?a=1&b=2", "from": "12:00",
        "to": "14:00", "new_date": "2026-03-07", "reason": "snow", "pick_up_at": "Kiosk", "left_at": "neighbour", "sku": "tent-2",
        "name": "Tent", "old_price": 100, "new_price": 80, "quantity": 3, "url": "https://shop.example/tent-2", "plan": "team",
        "contract_id": "k1", "tariff": "Fjordstrom", "outage_id": "s1", "area": "Nordstadt", "cause": "storm", "lasted_hours": 5,
        "expected_until": "2026-03-02T12:00:00Z", "amount": 10000, "application_id": "a1"}}
}"#;

#[test]
fn every_template_of_every_example_can_be_written_in_every_language() {
    let Ok(Value::Map(facts)) = json::parse(FACTS) else { panic!("the facts are an object") };
    let facts = Variables(facts.into_iter().collect());
    let mut seen = 0;
    for entry in fs::read_dir(top().join("examples")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let definitions = read(&Files(directory(&entry))).definitions.expect("the workspace has no error");
        for template in definitions.templates.all() {
            for (channel, language) in template.variants.keys() {
                let written = content::render(&definitions, &template.name, channel, Some(language), &facts);
                let written = written.unwrap_or_else(|error| panic!("{}: {error}", entry.display()));
                assert_eq!(written.language, *language);
                assert!(
                    !written.text.is_empty() && !written.text.contains("{{"),
                    "{}/{channel}.{language}: {}",
                    template.name,
                    written.text
                );
                assert!(channel != "webhook" || json::parse(&written.text).is_ok(), "{}", written.text);
                seen += 1;
            }
        }
    }
    assert!(seen >= 200, "{seen} texts");
}

#[test]
fn every_scenario_of_every_page_passes() {
    let mut seen = 0;
    for entry in fs::read_dir(top().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        let files =
            if path.extension().is_some_and(|extension| extension == "md") { page(&fs::read_to_string(&path).unwrap()) } else { continue };
        if files.keys().any(|file| file.starts_with("scenarios/")) {
            let (count, failed) = run(files);
            assert!(failed.is_empty(), "{}\n{failed}", path.display());
            seen += count;
        }
    }
    assert!(seen >= 1, "{seen} scenarios");
}

#[test]
fn a_message_that_cannot_be_written_fails_its_scenario() {
    let files = page(
        r#"
```yaml file=faden.yaml
workspace: shop
country: DE
time_zone: UTC
languages: [en]
channels: [{name: mail, kind: email}]
events: [Signed Up]
```

```yaml file=policies/global.yaml
policy: global
consent: {service: none}
```

```yaml file=journeys/welcome.yaml
journey: welcome
purpose: service
entry: {event: Signed Up}
steps: [{id: hello, send: {template: hello, channels: [email]}}]
```

```jinja file=templates/hello/email.en.jinja
---
subject: "Hello {{ event.properties.plan }}"
---
Hello {{ profile.traits.first_name }}
```

```yaml file=scenarios/known.scenario.yaml
scenario: known
given: {profile: {user_id: u1, email: ada@example.com, traits: {first_name: Ada}}}
when: [{at: 2026-03-02T10:00:00Z, track: {event: Signed Up, properties: {plan: team}}}]
then: [{sent: {template: hello}}]
```

```yaml file=scenarios/unknown.scenario.yaml
scenario: unknown
given: {profile: {user_id: u1, email: ada@example.com}}
when: [{at: 2026-03-02T10:00:00Z, track: {event: Signed Up, properties: {plan: team}}}]
then: [{sent: {template: hello}}]
```
"#,
    );
    let (count, failed) = run(files);
    assert_eq!(count, 2);
    let reason =
        "expected  `hello` can be written\n    instead   templates/hello/email.en.jinja:4: `profile.traits.first_name` is not known";
    assert!(failed.starts_with("unknown\n") && failed.contains(reason), "{failed}");
}
