//! Every scenario that people read in `examples/` and `docs/` passes.

mod common;

use common::{directory, page, top};
use faden_engine::workspace::{Colours, Files, read, read_scenarios};
use faden_engine::{Index, dry_run};
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
    assert!(seen >= 30, "{seen} scenarios");
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
