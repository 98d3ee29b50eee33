//! Whole workspaces that must be accepted, and a table of broken ones with their exact messages.

use super::*;
use crate::journey::{Entry, Reentry, StepKind, Target};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

/// All files under a directory, read as the CLI reads them.
fn load(directory: &Path) -> Files {
    fn walk(directory: &Path, root: &Path, files: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, files);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                files.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), text);
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(directory, directory, &mut files);
    Files(files)
}

fn rendered(files: &Files, outcome: &Outcome) -> String {
    let text = |finding: &Finding| files.0.get(&finding.file).map_or("", String::as_str);
    outcome.findings.iter().map(|finding| render(finding, text(finding), Colours::Off)).collect::<Vec<_>>().join("\n")
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The definitions of a directory that must be free of errors; `None` when it is not there.
fn accepted(directory: &Path) -> Option<(Definitions, Vec<String>)> {
    if !directory.is_dir() {
        eprintln!("skipped: {} is not there", directory.display());
        return None;
    }
    let files = load(directory);
    let outcome = read(&files);
    let findings = rendered(&files, &outcome);
    let codes = outcome.findings.iter().map(|finding| format!("{} {}", finding.problem.code, finding.file)).collect();
    Some((outcome.definitions.unwrap_or_else(|| panic!("{}:\n{findings}", directory.display())), codes))
}

#[test]
fn the_acceptance_workspaces_are_accepted() {
    let shared = repository().join("../shared/acceptance");
    let Some((cdnow, findings)) = accepted(&shared.join("cdnow/workspace")) else { return };
    assert_eq!(findings, Vec::<String>::new());
    let names: Vec<&str> = cdnow.journeys.iter().map(|journey| journey.name.as_str()).collect();
    assert_eq!(names, ["gold_welcome", "lapsed", "second_purchase", "win_back"]);
    let traits: Vec<&str> = cdnow.traits.iter().map(|computed| computed.name.as_str()).collect();
    assert_eq!(traits, ["lifetime_revenue", "orders_120d"]);
    assert_eq!(cdnow.audiences.len(), 2);
    assert_eq!(cdnow.templates.all().len(), 5);
    let Some((cart, findings)) = accepted(&shared.join("cart/workspace")) else { return };
    assert_eq!(findings, ["unknown-event journeys/cart_reminder.yaml", "template-lacks-language journeys/cart_reminder.yaml"]);
    assert_eq!(cart.journeys[0].reentry, Reentry::Always);
}

/// The pages of the handbook hold whole workspaces: code blocks with `file=PATH`.
#[test]
fn the_workspaces_of_the_handbook_are_accepted() {
    for page in ["workspace", "identity", "policy", "scenarios", "templates"] {
        let text = std::fs::read_to_string(repository().join(format!("docs/{page}.md"))).unwrap();
        let mut files = BTreeMap::new();
        for block in text.split("\n```").filter(|block| block.contains(" file=")) {
            let (head, body) = block.split_once('\n').unwrap();
            let Some((_, path)) = head.split_once(" file=") else { continue };
            files.insert(path.to_owned(), format!("{body}\n"));
        }
        assert!(!files.is_empty(), "{page}");
        let files = Files(files);
        let outcome = read(&files);
        let definitions = outcome.definitions.clone().unwrap_or_else(|| panic!("{page}:\n{}", rendered(&files, &outcome)));
        let (scenarios, findings) = read_scenarios(&files, &definitions);
        assert!(findings.is_empty(), "{page}: {findings:?}");
        assert_eq!(scenarios.is_empty(), !["scenarios", "templates"].contains(&page));
    }
}

#[test]
fn the_examples_are_accepted() {
    let examples = repository().join("examples");
    for entry in std::fs::read_dir(&examples).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let (definitions, findings) = accepted(&path).unwrap();
            assert_eq!(findings, Vec::<String>::new(), "{}", path.display());
            let (scenarios, findings) = read_scenarios(&load(&path), &definitions);
            assert!(findings.is_empty() && !scenarios.is_empty(), "{}: {findings:?}", path.display());
        }
    }
}

/// The journey that every reader of the surface meets first.
const CART_RECOVERY: &str = r#"journey: cart_recovery
title: Cart recovery
purpose: marketing
entry:
  event: Cart Updated
  where: event.properties.value >= 20.0
  reentry: {after: 7d}          # never | always | {after: DURATION} since the last entry; one running enrollment per key
exit:
  - event: Order Completed      # at once, also during a wait
goal: {event: Order Completed, within: 3d}
steps:
  - id: hold
    wait: {event: Order Completed, timeout: 1h}
    next: {matched: end, timeout: remind}
  - id: remind
    send: {template: cart_reminder, channels: [whatsapp, sms, email], fallback_after: 10m}
    next: {sent: later, suppressed: end, failed: end}
  - id: later
    wait: {for: 24h}
  - id: worth_a_call
    branch:
      - {when: profile.traits.tier == "gold", to: call}
      - {otherwise: end}
  - id: call
    open_case: {type: call_back, subject: "Cart worth {{ event.properties.value }}"}
"#;

/// A small workspace that is right; cases replace or add files.
fn base() -> Files {
    let files = [
        (
            "faden.yaml",
            "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\nchannels:\n  - {name: mail, kind: email}\n\
             events: [Cart Updated, Order Completed]\n",
        ),
        ("policies/global.yaml", "policy: global\nconsent: {marketing: opt_in}\n"),
        ("audiences/gold.yaml", "audience: gold\ntraits:\n  orders: {count: Order Completed}\nwhere: traits.orders >= 3\n"),
        (
            "templates/cart_reminder/email.en.jinja",
            "---\nsubject: \"Your cart\"\n---\nHello {{ profile.traits.first_name }}\n{{ unsubscribe_url }}\n",
        ),
    ];
    Files(files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect())
}

fn with(changes: &[(&str, &str)]) -> Files {
    let mut files = base();
    files.0.extend(changes.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    files
}

#[test]
fn the_first_journey_of_the_surface_is_accepted_as_it_stands() {
    let files = with(&[("journeys/cart_recovery.yaml", CART_RECOVERY)]);
    let outcome = read(&files);
    let codes: Vec<&str> = outcome.findings.iter().map(|finding| finding.problem.code).collect();
    let expected = ["channel-without-account", "channel-without-account", "unknown-trait", "unavailable-step"];
    assert_eq!(codes, expected, "{}", rendered(&files, &outcome));
    let definitions = outcome.definitions.unwrap();
    let journey = &definitions.journeys[0];
    assert!(matches!(&journey.entries[0], Entry::Event { event, condition: Some(_) } if event == "Cart Updated"));
    assert_eq!(journey.reentry, Reentry::After(faden_model::Span(7 * 86_400_000)));
    let StepKind::WaitEvent { matched, timed_out, .. } = &journey.steps[0].kind else { panic!("{:?}", journey.steps[0]) };
    assert_eq!((*matched, *timed_out), (Target::End, Target::Step(1)));
    assert!(matches!(&journey.steps[2].kind, StepKind::WaitFor { next: Target::Step(3), .. }));
    assert!(matches!(&journey.steps[4].kind, StepKind::Unavailable { kind: "open_case" }));
}

/// The cases of `broken.txt`: a sentence and the files that it changes.
fn broken() -> Vec<(String, Files)> {
    let mut cases: Vec<(String, Files)> = Vec::new();
    let mut path = String::new();
    for line in include_str!("broken.txt").lines() {
        if let Some(sentence) = line.strip_prefix("# ").filter(|sentence| *sentence != "later") {
            cases.push((sentence.to_owned(), base()));
            path.clear();
            continue;
        }
        let Some((_, files)) = cases.last_mut() else { continue };
        if let Some(gone) = line.strip_prefix("@ - ") {
            files.0.remove(gone);
        } else if line == "@ steps" {
            path = "journeys/test.yaml".to_owned();
            let head = "journey: test\npurpose: marketing\nentry: {event: Cart Updated}\nsteps:\n";
            files.0.insert(path.clone(), head.to_owned());
        } else if let Some(name) = line.strip_prefix("@ ") {
            path = name.to_owned();
            files.0.insert(path.clone(), String::new());
        } else if let Some(text) = files.0.get_mut(&path) {
            text.push_str(line);
            text.push('\n');
        }
    }
    // The blank line between two cases belongs to neither.
    for text in cases.iter_mut().flat_map(|(_, files)| files.0.values_mut()) {
        while text.ends_with("\n\n") {
            text.pop();
        }
    }
    cases
}

/// A workspace and its scenarios; these only when the definitions are right.
fn everything(files: &Files) -> Outcome {
    let mut outcome = read(files);
    if let Some(definitions) = &outcome.definitions {
        let (_, findings) = read_scenarios(files, definitions);
        if findings.iter().any(|finding| finding.problem.severity == Severity::Error) {
            outcome.definitions = None;
        }
        outcome.findings.extend(findings);
    }
    outcome
}

#[test]
fn a_scenario_is_read_as_it_is_written() {
    let text = "scenario: buyer gets no reminder\njourney: test\ngiven:\n  profile: {user_id: u1, consent: {marketing: [email], news: false}, \
                traits: {tier: gold, n: 2}}\nwhen:\n  - {at: 2026-03-02T10:00:00Z, track: {event: Cart Updated, properties: {value: 50.0, tags: [a, \
                \"1\"]}}}\n  - {after: 20m, receipt: failed}\n  - {after: 1d}\nthen:\n  - sent: none\n  - enrollment: {journey: test, waiting: hold}\n";
    let journey = "journey: test\npurpose: marketing\nentry: {event: Cart Updated}\nsteps: [{id: hold, wait: {for: 1d}}]\n";
    let files = with(&[("scenarios/a.scenario.yaml", text), ("journeys/test.yaml", journey)]);
    let definitions = read(&files).definitions.unwrap();
    let (scenarios, findings) = read_scenarios(&files, &definitions);
    assert_eq!(findings, Vec::new());
    insta::assert_debug_snapshot!("scenario", scenarios);
}

#[test]
fn every_broken_workspace_says_what_is_wrong_and_what_to_write() {
    let cases = broken();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let mut out = String::new();
    for (sentence, files) in &cases {
        let outcome = everything(files);
        assert!(!outcome.findings.is_empty(), "{sentence}: nothing found");
        let wrong = outcome.findings.iter().any(|finding| finding.problem.severity == Severity::Error);
        assert_eq!(outcome.definitions.is_none(), wrong, "{sentence}");
        out.push_str(&format!("# {sentence}\n\n{}\n", rendered(files, &outcome)));
    }
    insta::assert_snapshot!("broken", out);
}

/// Codes that only a workspace larger than a test or a collision of hashes can show.
const NOT_IN_THE_TABLE: [&str; 2] = [code::YAML_TOO_LARGE, code::KEY_COLLISION];

proptest! {
    #[test]
    fn any_text_in_any_file_is_read_or_refused(
        path in "(faden|identity|policies/a|audiences/a|journeys/a|scenarios/a.scenario)\\.yaml|templates/a/(email|sms)\\.en\\.jinja",
        text in "([a-z_]{1,10}: |[\\[\\]{}\"'#&*|>%\\-]|\\n *|- |event|profile\\.traits\\.x|[0-9]{1,3}[dh]?|ä| |, ){0,60}",
    ) {
        let files = with(&[(path.as_str(), text.as_str())]);
        let outcome = read(&files);
        rendered(&files, &outcome);
        for finding in &outcome.findings {
            let text = files.0.get(&finding.file).map_or("", String::as_str);
            prop_assert!(text.get(finding.problem.place.start..finding.problem.place.end).is_some(), "{finding:?}");
        }
    }

    #[test]
    fn a_right_file_that_lost_a_piece_is_read_or_refused(case in 0usize..1000, from in 0usize..2000, length in 1usize..30) {
        let cases = broken();
        let (_, mut files) = cases[case % cases.len()].clone();
        let right = with(&[("journeys/cart.yaml", CART_RECOVERY)]);
        files.0.extend(right.0);
        for text in files.0.values_mut() {
            let letters: Vec<char> = text.chars().collect();
            let start = from % (letters.len() + 1);
            *text = letters[..start].iter().chain(letters.iter().skip(start + length)).collect();
        }
        rendered(&files, &read(&files));
    }
}

#[test]
fn every_code_is_in_the_table_and_has_a_page() {
    let mut shown: Vec<&str> = Vec::new();
    for (sentence, files) in broken() {
        for finding in read(&files).findings {
            let ours = code::ALL.contains(&finding.problem.code) || finding.problem.code.starts_with("condition-");
            assert!(ours, "{sentence}: {} is no code of this room", finding.problem.code);
            shown.push(finding.problem.code);
        }
    }
    let pages = repository().join("docs/errors");
    for code in code::ALL {
        assert!(shown.contains(code) || NOT_IN_THE_TABLE.contains(code), "no case shows `{code}`");
        let page = std::fs::read_to_string(pages.join(format!("{code}.md"))).unwrap_or_default();
        assert!(page.contains(&format!("Code: `{code}`")), "docs/errors/{code}.md does not explain `{code}`");
    }
}
