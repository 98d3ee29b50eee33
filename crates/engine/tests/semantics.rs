//! What journeys mean, told as scenarios in `semantics/*.md`: each page is a workspace.
//!
//! Every page gets `BASE` beside its own files. A scenario has to pass in its workspace, and to fail in one
//! where nothing reacts to anything: one that holds whatever happens proves nothing.

mod common;

use common::page;
use faden_engine::audience::key_of;
use faden_engine::decision::Kind;
use faden_engine::dry_run::{self, World};
use faden_engine::journey::preview;
use faden_engine::workspace::scenario::{Expected, Moment, Which};
use faden_engine::workspace::{Colours, Files, read, read_scenarios};
use faden_engine::{Definitions, Index};
use faden_model::{Command, Event, Migration, Span, Text, Timestamp, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const BASE: &str = r#"
```yaml file=faden.yaml
workspace: semantics
country: DE
time_zone: Europe/Berlin
languages: [en]
channels:
  - {name: mail, kind: email, from: "Shop <shop@shop.example>", smtp: {host: 127.0.0.1, port: 2525}}
  - {name: text, kind: sms, from: Shop}
  - {name: wa, kind: whatsapp, phone_number_id: "100200300"}
```

```yaml file=policies/global.yaml
policy: global
consent: {service: none, marketing: opt_in}
```
"#;

fn workspace(text: &str) -> Files {
    let mut files = page(BASE);
    for template in ["a", "b", "c", "d", "e"] {
        files.insert(
            format!("templates/{template}/email.en.jinja"),
            "---\nsubject: \"Hello\"\n---\nHello {{ unsubscribe_url }}\n".to_owned(),
        );
        for channel in ["sms", "whatsapp"] {
            files.insert(format!("templates/{template}/{channel}.en.jinja"), "Hello {{ unsubscribe_url }}\n".to_owned());
        }
    }
    files.extend(page(text));
    Files(files)
}

fn definitions(files: &Files) -> Arc<Definitions> {
    let outcome = read(files);
    let findings: Vec<String> = outcome.findings.iter().map(|finding| format!("{}: {}", finding.file, finding.problem)).collect();
    Arc::new(outcome.definitions.unwrap_or_else(|| panic!("{}", findings.join("\n"))))
}

fn pages() -> Vec<(String, Files)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/semantics");
    let mut pages: Vec<(String, Files)> = std::fs::read_dir(folder)
        .expect("the pages")
        .map(|entry| {
            let path = entry.expect("a page").path();
            (path.display().to_string(), workspace(&std::fs::read_to_string(path).expect("a text")))
        })
        .collect();
    pages.sort_by(|a, b| a.0.cmp(&b.0));
    pages
}

#[test]
fn every_page_holds_and_none_holds_where_nothing_reacts() {
    let (mut seen, mut wrong) = (0, String::new());
    for (name, files) in pages() {
        let definitions = definitions(&files);
        let (scenarios, findings) = read_scenarios(&files, &definitions);
        assert!(findings.is_empty(), "{name}: {findings:#?}");
        let index = Arc::new(Index::new(definitions.clone(), None));
        let nothing = Definitions { journeys: Vec::new(), audiences: Vec::new(), traits: Vec::new(), ..(*definitions).clone() };
        let nothing = Arc::new(Index::new(Arc::new(nothing), None));
        for scenario in &scenarios {
            let report = dry_run::render(&dry_run::run(&index, scenario), scenario, &files.0[&scenario.file], Colours::Off);
            if !report.is_empty() {
                wrong.push_str(&format!("{name}: {}\n{report}\n", scenario.name));
            }
            if dry_run::run(&nothing, scenario).passed() {
                wrong.push_str(&format!("{name}: {}\n  holds where nothing reacts\n", scenario.name));
            }
            seen += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(seen >= 50, "{seen} scenarios");
}

/// The same expectation, a little wrong; `None` where there is nothing to make wrong.
fn spoilt(expected: &Expected) -> Vec<Expected> {
    let mut all = Vec::new();
    let mut each = |change: &dyn Fn(&mut Which) -> bool| {
        let mut copy = expected.clone();
        let which = match &mut copy {
            Expected::Sent { which, .. } | Expected::Suppressed { which, .. } | Expected::Held { which, .. } => which,
            Expected::Enrollment { which, .. } | Expected::Goal { which, .. } => which,
            Expected::NothingSent | Expected::NothingEnrolled | Expected::Profile { .. } => return,
        };
        if change(which) {
            all.push(copy);
        }
    };
    each(&|which| which.count.as_mut().map(|count| *count += 1).is_some());
    each(&|which| {
        let later = |at: &mut Moment| match at {
            Moment::At(at) => *at = *at + Span(1),
            Moment::After(span) => *span = Span(span.0 + 1),
        };
        // One that expects nothing at another instant may hold there as well.
        which.count != Some(0) && which.at.as_mut().map(later).is_some()
    });
    if let Expected::Profile { traits, .. } = expected {
        for place in 0..traits.len() {
            let mut copy = expected.clone();
            if let Expected::Profile { traits, .. } = &mut copy {
                traits[place].1 = Value::from("another value");
            }
            all.push(copy);
        }
    }
    all
}

#[test]
fn every_expectation_fails_when_its_count_instant_or_value_is_another() {
    let (mut seen, mut wrong) = (0, String::new());
    for (name, files) in pages() {
        let definitions = definitions(&files);
        let index = Arc::new(Index::new(definitions.clone(), None));
        for scenario in read_scenarios(&files, &definitions).0 {
            for (place, expectation) in scenario.then.iter().enumerate() {
                for what in spoilt(&expectation.what) {
                    let mut scenario = scenario.clone();
                    scenario.then[place].what = what;
                    seen += 1;
                    if dry_run::run(&index, &scenario).passed() {
                        wrong.push_str(&format!("{name}: {}: {:?}\n", scenario.name, scenario.then[place].what));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(seen >= 150, "{seen} expectations");
}

const OLD: &str = r#"
```yaml file=journeys/moved.yaml
journey: moved
purpose: service
entry: {event: Start}
steps:
  - {id: day, wait: {for: 1d}}
  - {id: tell, send: {template: a, channels: [email]}}
```
"#;

const NEW: &str = r#"
```yaml file=journeys/moved.yaml
journey: moved
purpose: service
entry: {event: Start}
steps:
  - {id: first, set: {new: "true"}}
  - {id: pause, wait: {for: 2d}}
  - {id: tell, send: {template: b, channels: [email]}}
```
"#;

/// Somebody waits in the old version while the new one is published; then what `after` says. Gives what was said.
fn moved(after: impl Fn(&mut World, Timestamp, Migration)) -> Vec<String> {
    let start = Timestamp::parse("2026-03-02T10:00:00Z").expect("an instant");
    let old = Arc::new(Index::new(definitions(&workspace(OLD)), None));
    let new = Arc::new(Index::new(definitions(&workspace(NEW)), Some(&old)));
    let mut world = World::new(old, start);
    for line in [
        r#"{"type":"identify","messageId":"m1","userId":"u1","traits":{"email":"ada@example.com"}}"#,
        r#"{"type":"track","messageId":"m2","userId":"u1","event":"Start"}"#,
    ] {
        world.take(start, &Command::Event(Event::parse(line, "DE").expect("a call")));
    }
    world.publish(new.clone());
    let journey = key_of("moved");
    let to = new.current(journey).expect("the journey is there").version;
    let steps = BTreeMap::from([(Text::new("day"), Text::new("pause"))]);
    after(&mut world, start, Migration { number: 1, journey, to, steps, undo: false });
    world.run_out(start + Span(10 * Span::DAY.0));
    let said = world.decisions().iter().filter_map(|decision| match &decision.kind {
        Kind::Message(message) => Some(format!("{} {}", decision.at, message.template)),
        Kind::Moved { from, to, undo, .. } => Some(format!("{} {from} -> {to}{}", decision.at, if *undo { " back" } else { "" })),
        _ => None,
    });
    said.collect()
}

#[test]
fn a_passage_stays_on_its_version_when_a_new_one_is_published() {
    assert_eq!(moved(|_, _, _| {}), ["2026-03-03T10:00:00Z a"]);
}

#[test]
fn a_migration_moves_a_passage_to_the_named_step_and_keeps_its_timer() {
    let said = moved(|world, start, migration| world.take(start + Span::HOUR, &Command::Migrate(migration)));
    assert_eq!(said, ["2026-03-02T11:00:00Z day -> pause", "2026-03-03T10:00:00Z b"]);
}

#[test]
fn a_migration_is_undone_exactly_where_nothing_has_moved_since() {
    let said = moved(|world, start, migration| {
        world.take(start + Span::HOUR, &Command::Migrate(migration.clone()));
        world.take(start + Span(2 * Span::HOUR.0), &Command::Migrate(Migration { undo: true, ..migration }));
    });
    assert_eq!(said, ["2026-03-02T11:00:00Z day -> pause", "2026-03-02T12:00:00Z pause -> day back", "2026-03-03T10:00:00Z a"]);
}

#[test]
fn an_undo_leaves_alone_who_has_gone_on_since() {
    let said = moved(|world, start, migration| {
        world.take(start + Span::HOUR, &Command::Migrate(migration.clone()));
        world.take(start + Span(2 * Span::DAY.0), &Command::Migrate(Migration { undo: true, ..migration }));
    });
    assert_eq!(said, ["2026-03-02T11:00:00Z day -> pause", "2026-03-03T10:00:00Z b"]);
}

#[test]
fn a_preview_says_where_one_would_land_and_moves_nobody() {
    let said = moved(|world, _, migration| {
        let index = world.index().clone();
        let profile = world.profiles().next().expect("somebody is there");
        let running = &profile.enrollments[0];
        let from = index.version(running.journey, running.version).expect("the old version is kept");
        let to = index.version(running.journey, migration.to).expect("the new version is there");
        let land = |steps: &BTreeMap<Text, Text>| preview(running, from, to, steps)[0].to.as_deref().map(str::to_owned);
        assert_eq!(land(&migration.steps).as_deref(), Some("pause"));
        assert_eq!(land(&BTreeMap::new()), None);
    });
    assert_eq!(said, ["2026-03-03T10:00:00Z a"]);
}
