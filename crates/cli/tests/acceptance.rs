//! Replays of a real shop and of the cart job, held against programs that know nothing of Faden.
//!
//! The data and its checkers lie beside the checkout (`../shared`); where they are missing the tests say so
//! and pass. They need `python3`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

const UNTIL: &str = "1998-07-01T00:00:00Z";

/// `../shared/acceptance` of the checkout or of a worktree beside it.
fn acceptance() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().map(|above| above.join("shared/acceptance")).find(|path| path.is_dir());
    if found.is_none() {
        println!("SKIPPED: ../shared/acceptance is missing, so nothing was held against the oracle");
    }
    found
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output().expect("the program can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}\n{}{}", text(&output.stdout), text(&output.stderr));
    output
}

fn faden(arguments: &[&str]) -> String {
    String::from_utf8(run(env!("CARGO_BIN_EXE_faden"), arguments).stdout).expect("output is text")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are text")
}

/// The shop's events, made once.
fn cdnow_events(acceptance: &Path) -> &'static Path {
    static EVENTS: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = EVENTS.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let path = directory.path().join("cdnow.ndjson");
        let made = run("python3", &[text(&acceptance.join("cdnow/to_events.py"))]);
        fs::write(&path, made.stdout).expect("the file can be written");
        (directory, path)
    });
    path
}

fn check_cdnow(acceptance: &Path, decisions: &Path, knobs: &[&str]) {
    let oracle = acceptance.join("cdnow/oracle.py");
    let mut arguments = vec![text(&oracle), "--until", UNTIL, "--check", text(decisions)];
    for knob in knobs {
        arguments.extend(["--knob", knob]);
    }
    let found = String::from_utf8(run("python3", &arguments).stdout).expect("output is text");
    assert!(found.contains(" 0 missing, 0 extra"), "{knobs:?} {found}");
}

/// Copies a workspace, with texts replaced in its files.
fn changed_workspace(from: &Path, to: &Path, changes: &[(&str, &str, &str)]) {
    let mut left: BTreeMap<&str, usize> = changes.iter().map(|(_, old, _)| (*old, 0)).collect();
    copy(from, to, &mut |path, mut content| {
        for (file, old, new) in changes {
            if path.ends_with(file) {
                *left.entry(old).or_default() += content.matches(old).count();
                content = content.replace(old, new);
            }
        }
        content
    });
    assert!(left.values().all(|count| *count == 1), "each change hits one place: {left:?}");
}

fn copy(from: &Path, to: &Path, change: &mut dyn FnMut(&Path, String) -> String) {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(from).expect("the workspace can be listed") {
        let path = entry.expect("the workspace can be listed").path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy(&path, &target, change);
        } else {
            let content = fs::read_to_string(&path).expect("the workspace is text");
            fs::write(&target, change(&path, content)).expect("the copy can be written");
        }
    }
}

fn hash_of(output: &str) -> String {
    let line = output.lines().find_map(|line| line.trim().strip_prefix("hash ")).expect("a hash was asked for");
    line.to_owned()
}

#[test]
fn the_real_shop_is_decided_exactly_with_any_number_of_partitions() {
    let Some(acceptance) = acceptance() else { return };
    let (events, directory) = (cdnow_events(&acceptance), tempfile::tempdir().expect("a directory can be made"));
    let workspace = acceptance.join("cdnow/workspace");
    let mut hashes = Vec::new();
    for partitions in ["1", "2", "4", "8"] {
        let out = directory.path().join(format!("{partitions}.ndjson"));
        let arguments = [
            "replay",
            text(events),
            "--workspace",
            text(&workspace),
            "--until",
            UNTIL,
            "--out",
            text(&out),
            "--hash",
            "--partitions",
            partitions,
        ];
        hashes.push(hash_of(&faden(&arguments)));
        check_cdnow(&acceptance, &out, &[]);
    }
    hashes.dedup();
    assert_eq!(hashes.len(), 1, "the hash does not depend on partitions");
}

#[test]
fn the_real_shop_is_decided_exactly_under_other_rules() {
    let Some(acceptance) = acceptance() else { return };
    let events = cdnow_events(&acceptance);
    type Change = (&'static str, &'static str, &'static str);
    let cases: [(&[&str], &[Change]); 4] = [
        (
            &["second_days=14", "last_call_revenue=80"],
            &[("second_purchase.yaml", "for: 30d", "for: 14d"), ("win_back.yaml", ">= 50.0", ">= 80.0")],
        ),
        (
            &["quiet_days=45", "last_call_days=7"],
            &[("win_back.yaml", "timeout: 90d", "timeout: 45d"), ("win_back.yaml", "for: 30d", "for: 7d")],
        ),
        (
            &["gold_revenue=250", "active_days=60", "active_orders=3", "lapsed_again_days=1"],
            &[
                ("gold.yaml", ">= 100.0", ">= 250.0"),
                ("active.yaml", "within: 120d", "within: 60d"),
                ("active.yaml", ">= 2", ">= 3"),
                ("lapsed.yaml", "after: 60d", "after: 1d"),
            ],
        ),
        (&["cap_max=2", "cap_days=45"], &[("global.yaml", "max: 1", "max: 2"), ("global.yaml", "within: 20d", "within: 45d")]),
    ];
    for (knobs, changes) in cases {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let (workspace, out) = (directory.path().join("workspace"), directory.path().join("out.ndjson"));
        changed_workspace(&acceptance.join("cdnow/workspace"), &workspace, changes);
        faden(&["replay", text(events), "--workspace", text(&workspace), "--until", UNTIL, "--out", text(&out)]);
        check_cdnow(&acceptance, &out, knobs);
    }
}

#[test]
fn a_durable_replay_that_is_killed_and_started_again_decides_the_same() {
    let Some(acceptance) = acceptance() else { return };
    let (events, directory) = (cdnow_events(&acceptance), tempfile::tempdir().expect("a directory can be made"));
    let (workspace, out, home) = (acceptance.join("cdnow/workspace"), directory.path().join("out.ndjson"), directory.path().join("home"));
    let rest = ["--workspace", text(&workspace), "--until", UNTIL, "--out", text(&out), "--durable", text(&home), "--hash"];
    let whole = faden(&["replay", text(events), "--workspace", text(&workspace), "--until", UNTIL, "--hash"]);
    let bytes = fs::read(events).expect("the file can be read");
    for quarter in 1..=3 {
        let arguments = [&["replay", "-"], &rest[..]].concat();
        let mut child = Command::new(env!("CARGO_BIN_EXE_faden"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program can be started");
        // All but what fits into the pipe has been read when the last byte is written.
        let mut pipe = child.stdin.take().expect("standard input is a pipe");
        pipe.write_all(&bytes[..bytes.len() / 4 * quarter]).expect("the child reads");
        child.kill().expect("the child can be killed");
        child.wait().expect("the child ends");
        assert!(!out.exists(), "a run that was killed leaves no file that looks complete");
    }
    let arguments = [&["replay", text(events)], &rest[..]].concat();
    let again = faden(&arguments);
    check_cdnow(&acceptance, &out, &[]);
    assert_eq!(hash_of(&again), hash_of(&whole));
    assert_eq!(hash_of(&faden(&arguments)), hash_of(&whole), "a third run changes nothing");
}

#[test]
fn the_cart_job_reminds_everybody_who_is_due_and_nobody_else() {
    let Some(acceptance) = acceptance() else { return };
    let directory = tempfile::tempdir().expect("a directory can be made");
    let (events, out) = (directory.path().join("cart.ndjson"), directory.path().join("out.ndjson"));
    let (job, workspace) = (acceptance.join("cart/cart.py"), acceptance.join("cart/workspace"));
    fs::write(&events, run("python3", &[text(&job), "generate", "20000"]).stdout).expect("the file can be written");
    for partitions in ["1", "4"] {
        faden(&["replay", text(&events), "--workspace", text(&workspace), "--out", text(&out), "--partitions", partitions]);
        run("python3", &[text(&job), "check", "20000", text(&out)]);
    }
}
