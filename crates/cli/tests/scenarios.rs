//! `faden test` as people and build servers meet it: lines, exit codes, reports.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A copy of an example in which one scenario expects something else.
fn workspace(expected: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cart_recovery");
    copy(&example, directory.path());
    let file = directory.path().join("scenarios/reminded_after_an_hour.scenario.yaml");
    let text = fs::read_to_string(&file).expect("the scenario").replace("at: 2026-03-02T11:00:00Z", expected);
    fs::write(file, text).expect("the scenario is written");
    directory
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the example") {
        let path = entry.expect("an entry").path();
        let target: PathBuf = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}

fn faden(directory: &Path, options: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_faden");
    Command::new(program).arg("test").arg(directory).args(options).env("NO_COLOR", "1").output().expect("the program starts")
}

#[test]
fn the_last_line_counts_and_the_exit_code_says_whether_all_passed() {
    let right = "at: 2026-03-02T11:00:00Z";
    for (expected, options, code, last) in [
        (right, &[][..], 0, "6 passed, 0 failed"),
        ("at: 2026-03-02T11:00:01Z", &[], 1, "5 passed, 1 failed"),
        ("at: 2026-03-02T11:00:01Z", &["--filter", "an hour"], 1, "0 passed, 1 failed"),
        ("at: 2026-03-02T11:00:01Z", &["--filter", "at night"], 0, "1 passed, 0 failed"),
        ("at: yesterday", &[], 1, "5 passed, 1 failed"),
        (right, &["--json"], 0, r#"{"failed":0,"passed":6}"#),
    ] {
        let directory = workspace(expected);
        let output = faden(directory.path(), options);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(text.lines().last(), Some(last), "{expected} {options:?}\n{text}");
        assert_eq!(output.status.code(), Some(code), "{expected} {options:?}");
    }
}

#[test]
fn a_filter_that_fits_nothing_is_a_failure() {
    let directory = workspace("at: 2026-03-02T11:00:00Z");
    let output = faden(directory.path(), &["--filter", "no such thing"]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(complaint.contains("no scenario has `no such thing` in its name"), "{complaint}");
}

#[test]
fn a_failure_shows_what_was_expected_beside_what_happened() {
    let directory = workspace("at: 2026-03-02T11:00:01Z");
    let output = faden(directory.path(), &["--filter", "an hour"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let without_time: String = text.lines().filter(|line| !line.starts_with("FAIL")).map(|line| format!("{}\n", line.trim_end())).collect();
    insta::assert_snapshot!(without_time);
}

#[test]
fn the_junit_report_names_every_scenario_and_the_failure() {
    let directory = workspace("at: 2026-03-02T11:00:01Z");
    let reports = tempfile::tempdir().expect("a temporary directory");
    let report = reports.path().join("report.xml");
    let output = faden(directory.path(), &["--junit", report.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1));
    let text = fs::read_to_string(&report).expect("the report");
    assert!(text.contains(r#"<testsuite name="cart_recovery" tests="6" failures="1" errors="0""#), "{text}");
    assert_eq!(text.matches("<testcase ").count(), 6);
    assert!(text.contains("<failure message=\"expected `cart_reminder` sent on email at 2026-03-02T11:00:01Z (+1h 1s), once\">"), "{text}");
}
