//! The program as people and scripts meet it: help, exit codes, what goes where.

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

struct Ran {
    code: i32,
    out: String,
    complaints: String,
}

fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is text");
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), complaints: text(output.stderr) }
}

fn faden(arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faden"));
    ran(command.args(arguments).env("COLUMNS", "100").output().expect("the program can be started"))
}

/// Runs to exit code 0 and gives standard output.
fn well(arguments: &[&str]) -> String {
    let ran = faden(arguments);
    assert_eq!(ran.code, 0, "{arguments:?}\n{}{}", ran.out, ran.complaints);
    ran.out
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are text")
}

/// A directory with a small shop and its events.
struct Shop {
    directory: TempDir,
}

const EVENTS: &str = r#"{"type":"identify","messageId":"m1","userId":"ada","anonymousId":"a1","timestamp":"2026-03-02T10:00:00Z","traits":{"email":"ada@example.com"},"context":{"consent":{"categoryPreferences":{"marketing":true}}}}
{"type":"track","messageId":"m2","userId":"ada","timestamp":"2026-03-02T10:05:00Z","event":"Cart Updated","properties":{"value":50.0}}
{"type":"track","messageId":"m3","userId":"bob","timestamp":"2026-03-02T10:06:00Z","event":"Cart Updated","properties":{"value":30.0}}
{"type":"track","messageId":"m4","userId":"cem","timestamp":"2026-03-02T10:07:00Z","event":"Cart Updated","properties":{"value":5.0}}
{"type":"track","messageId":"m2","userId":"ada","timestamp":"2026-03-02T10:05:00Z","event":"Cart Updated","properties":{"value":50.0}}
"#;

impl Shop {
    fn new() -> Shop {
        let shop = Shop { directory: tempfile::tempdir().expect("a directory can be made") };
        shop.write("events.ndjson", EVENTS);
        shop.workspace("shop", "1h", "remind");
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it lies in a directory")).expect("a directory can be made");
        fs::write(&path, content).expect("the file can be written");
        path
    }

    /// A workspace that reminds after `patience`, in a step called `remind`.
    fn workspace(&self, name: &str, patience: &str, remind: &str) -> PathBuf {
        self.write(
            &format!("{name}/faden.yaml"),
            "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\nchannels:\n  - {name: mail, kind: email, from: shop@shop.example, smtp: {host: localhost, port: 25}}\nevents:\n  Cart Updated: {properties: {value: number}}\n  Order Completed:\n",
        );
        self.write(&format!("{name}/policies/global.yaml"), "policy: global\nconsent: {marketing: opt_in}\n");
        self.write(&format!("{name}/templates/reminder/email.en.jinja"), "---\nsubject: Your cart\n---\nIt waits. {{ unsubscribe_url }}\n");
        let journey = format!(
            "journey: cart\ntitle: Cart\npurpose: marketing\nentry: {{event: Cart Updated, where: event.properties.value >= 20.0, reentry: always}}\nexit:\n  - event: Order Completed\nsteps:\n  - id: hold\n    wait: {{event: Order Completed, timeout: {patience}}}\n    next: {{matched: end, timeout: {remind}}}\n  - id: {remind}\n    send: {{template: reminder, channels: [email]}}\n  - id: later\n    wait: {{for: 30d}}\n"
        );
        self.write(&format!("{name}/journeys/cart.yaml"), &journey);
        self.path(name)
    }

    /// Decisions of a replay with `more` arguments.
    fn decisions(&self, more: &[&str]) -> Vec<Value> {
        let out = self.path("decisions.ndjson");
        let (events, workspace) = (self.path("events.ndjson"), self.path("shop"));
        well(&[&["replay", text(&events), "--workspace", text(&workspace), "--out", text(&out)], more].concat());
        let written = fs::read_to_string(out).expect("the decisions can be read");
        written.lines().map(|line| serde_json::from_str(line).expect("a decision is JSON")).collect()
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    let mut all = well(&["--help"]);
    let commands = [
        "serve",
        "plan",
        "apply",
        "login",
        "import",
        "export",
        "backup",
        "restore",
        "doctor",
        "check",
        "replay",
        "explain",
        "profile get",
        "demo",
    ];
    for command in commands {
        let mut arguments: Vec<&str> = command.split(' ').collect();
        arguments.push("--help");
        let help = well(&arguments);
        assert!(help.contains("Example"), "{command} shows no example");
        all.push_str(&format!("\n=== faden {command} --help\n{help}"));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn exit_codes_are_0_for_well_1_for_failed_and_2_for_wrong_usage() {
    let shop = Shop::new();
    let (events, workspace) = (shop.path("events.ndjson"), shop.path("shop"));
    shop.write("broken/faden.yaml", "workspace: [\n");
    let broken = shop.path("broken");
    let cases: [(&[&str], i32); 11] = [
        (&["check", text(&workspace)], 0),
        (&["check", text(&broken)], 1),
        (&["check", "/no/such/directory"], 1),
        (&["check"], 2),
        (&["replay", text(&events)], 2),
        (&["replay", text(&events), "--workspace", text(&workspace), "--until", "yesterday"], 2),
        (&["replay", text(&events), "--workspace", text(&workspace), "--partitions", "65"], 2),
        (&["replay", text(&events), "--workspace", text(&broken)], 1),
        (&["replay", "/no/such/file", "--workspace", text(&workspace)], 1),
        (&["explain", "ada", text(&events)], 1),
        (&["profile", "get", "user_id:ada", "--durable", text(&broken)], 1),
    ];
    for (arguments, code) in cases {
        let ran = faden(arguments);
        assert_eq!(ran.code, code, "{arguments:?}\n{}{}", ran.out, ran.complaints);
        assert!(!ran.out.contains('\u{1b}') && !ran.complaints.contains('\u{1b}'), "no colour away from a terminal");
    }
}

#[test]
fn check_points_into_the_file_and_counts() {
    let shop = Shop::new();
    let workspace = shop.workspace("shop", "1h", "remnid");
    let path = shop.path("shop/journeys/cart.yaml");
    let journey = fs::read_to_string(&path).expect("it was just written").replace("id: remnid", "id: remind");
    fs::write(&path, journey).expect("the file can be written");
    let ran = faden(&["check", text(&workspace)]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out);
    let json = faden(&["check", text(&workspace), "--json"]);
    let first: Value = serde_json::from_str(json.out.lines().next().expect("there is a finding")).expect("a finding is JSON");
    let place = (first["file"].as_str(), first["line"].as_u64(), first["code"].as_str(), first["severity"].as_str());
    assert_eq!(place, (Some("journeys/cart.yaml"), Some(10), Some("unknown-step"), Some("error")));
    assert_eq!(first["doc"], "docs/errors/unknown-step.md");
}

#[test]
fn a_workspace_may_not_lead_out_of_its_directory_or_be_huge() {
    let shop = Shop::new();
    let secret = shop.write("secret.yaml", "password: swordfish\n");
    std::os::unix::fs::symlink(secret, shop.path("shop/journeys/link.yaml")).expect("a link can be made");
    let ran = faden(&["check", text(&shop.path("shop"))]);
    assert!(ran.code == 1 && ran.complaints.contains("leads out of the workspace"), "{}", ran.complaints);
    fs::remove_file(shop.path("shop/journeys/link.yaml")).expect("the link can be removed");
    shop.write("shop/journeys/big.yaml", &"# ".repeat(600_000));
    let ran = faden(&["check", text(&shop.path("shop"))]);
    assert!(ran.code == 1 && ran.complaints.contains("the limit for a definition"), "{}", ran.complaints);
}

#[test]
fn plain_packed_and_piped_events_decide_the_same() {
    let shop = Shop::new();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(EVENTS.as_bytes()).expect("memory can be written");
    fs::write(shop.path("events.gz"), packed.finish().expect("memory can be written")).expect("the file can be written");
    let workspace = shop.path("shop");
    let arguments = |file: &str| ["replay", file, "--workspace", text(&workspace), "--hash", "--json"].map(str::to_owned);
    let hash = |out: &str| serde_json::from_str::<Value>(out).expect("the summary is JSON")["hash"].clone();
    let plain = hash(&well(&arguments(text(&shop.path("events.ndjson"))).each_ref().map(String::as_str)));
    assert_eq!(plain.as_str().map(str::len), Some(64));
    assert_eq!(hash(&well(&arguments(text(&shop.path("events.gz"))).each_ref().map(String::as_str))), plain);
    let mut child = Command::new(env!("CARGO_BIN_EXE_faden"))
        .args(arguments("-"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program can be started");
    child.stdin.take().expect("it is a pipe").write_all(EVENTS.as_bytes()).expect("the child reads");
    assert_eq!(hash(&ran(child.wait_with_output().expect("the child ends")).out), plain);
}

#[test]
fn lines_that_are_no_events_are_told_and_kept_and_fail_only_when_strict() {
    let shop = Shop::new();
    let mut lines = EVENTS.as_bytes().to_vec();
    lines.extend_from_slice(b"not json\n\n{\"type\":\"track\",\"userId\":\"u\"}\n\xff\xfe\n{\"type\":\"track\",\"userId\":\"dan\",\"event\":\"Cart Updated\",\"properties\":{\"value\":99}}");
    fs::write(shop.path("events.ndjson"), lines).expect("the file can be written");
    let (events, workspace, rejected) = (shop.path("events.ndjson"), shop.path("shop"), shop.path("rejected.ndjson"));
    let arguments = ["replay", text(&events), "--workspace", text(&workspace), "--json", "--rejected", text(&rejected)];
    let ran = faden(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.complaints);
    let summary: Value = serde_json::from_str(&ran.out).expect("the summary is JSON");
    assert_eq!((summary["events"].as_u64(), summary["refused_lines"].as_u64(), summary["repeats"].as_u64()), (Some(6), Some(3), Some(1)));
    for (line, code) in [(6, "event-not-json"), (8, "event-no-name"), (9, "event-not-json")] {
        let place = format!("events.ndjson:{line}: ");
        assert!(ran.complaints.lines().any(|told| told.contains(&place) && told.contains(code)), "{}", ran.complaints);
    }
    let kept = fs::read_to_string(&rejected).expect("the refused lines can be read");
    let first: Value = serde_json::from_str(kept.lines().next().expect("there are three")).expect("a refused line is JSON");
    assert_eq!((first["line"].as_u64(), first["raw"].as_str()), (Some(6), Some("not json")));
    assert_eq!(faden(&[&arguments[..], &["--strict"]].concat()).code, 1);
}

#[test]
fn time_runs_on_until_nobody_waits_or_to_the_wanted_instant() {
    let shop = Shop::new();
    let last = |decisions: &[Value]| decisions.iter().filter_map(|line| line["at"].as_str()).max().map(str::to_owned);
    assert_eq!(last(&shop.decisions(&[])).as_deref(), Some("2026-04-01T11:06:00Z"));
    assert_eq!(last(&shop.decisions(&["--until", "2026-03-02T11:05:30Z"])).as_deref(), Some("2026-03-02T11:05:00Z"));
    let early = shop.decisions(&["--until", "2026-03-02T10:05:00Z"]);
    assert!(early.iter().all(|line| line["user_id"] != "bob"), "an event after the end is left out");
}

#[test]
fn another_workspace_is_held_against_this_one() {
    let shop = Shop::new();
    shop.workspace("patient", "2h", "remind");
    let [events, workspace, patient, out] = ["events.ndjson", "shop", "patient", "difference.ndjson"].map(|name| shop.path(name));
    let arguments = ["replay", text(&events), "--workspace", text(&workspace), "--against", text(&patient), "--out", text(&out)];
    let told = well(&arguments).replace(text(shop.directory.path()), "");
    insta::assert_snapshot!(told);
    let lines = fs::read_to_string(&out).expect("the differences can be read");
    assert_eq!(lines.lines().count(), 4);
    let same = well(&["replay", text(&events), "--workspace", text(&workspace), "--against", text(&workspace)]);
    assert!(same.contains("no difference in 2 messages"), "{same}");
}

#[test]
fn a_migration_shows_who_would_land_where() {
    let shop = Shop::new();
    shop.workspace("new", "1h", "nudge");
    let [events, workspace, new] = ["events.ndjson", "shop", "new"].map(|name| shop.path(name));
    for (until, stands_at, lands_at) in [("2026-03-02T10:30:00Z", "hold", "hold"), ("2026-03-05T00:00:00Z", "later", "later")] {
        let arguments = ["replay", text(&events), "--workspace", text(&workspace), "--migrate", text(&new), "--until", until, "--json"];
        let summary: Value = serde_json::from_str(&well(&arguments)).expect("the summary is JSON");
        let landings = summary["migration"].as_array().expect("landings were asked for").clone();
        assert!(landings.iter().any(|row| row["from"] == stands_at && row["to"] == lands_at), "{landings:?}");
    }
}

#[test]
fn explain_tells_the_chain_of_a_message_a_passage_and_a_person() {
    let shop = Shop::new();
    let decisions = shop.decisions(&[]);
    let file = shop.path("decisions.ndjson");
    let ada = decisions.iter().find(|line| line["kind"] == "message" && line["user_id"] == "ada").expect("ada is reminded");
    let bob = decisions.iter().find(|line| line["kind"] == "message" && line["user_id"] == "bob").expect("bob is looked at");
    let mut told = String::new();
    for (line, field) in [(ada, "message"), (bob, "id"), (bob, "enrollment"), (ada, "profile")] {
        let id = line[field].as_str().expect("it has the id");
        told.push_str(&format!("{}\n", well(&["explain", id, text(&file)])));
    }
    insta::assert_snapshot!(told);
    let json: Value = serde_json::from_str(&well(&["explain", ada["message"].as_str().unwrap_or_default(), text(&file), "--json"]))
        .expect("the explanation is JSON");
    assert_eq!(json["subject"]["outcome"], "sent");
    assert_eq!(json["chain"][0]["kind"], "enrolled");
}

#[test]
fn a_durable_replay_keeps_profiles_and_refuses_other_rules() {
    let shop = Shop::new();
    let [events, workspace, home, out] = ["events.ndjson", "shop", "home", "out.ndjson"].map(|name| shop.path(name));
    let arguments = ["replay", text(&events), "--workspace", text(&workspace), "--durable", text(&home), "--out", text(&out)];
    well(&arguments);
    let mut stored: Vec<Value> =
        fs::read_to_string(&out).expect("the decisions can be read").lines().flat_map(serde_json::from_str).collect();
    let mut memory = shop.decisions(&[]);
    for lines in [&mut stored, &mut memory] {
        lines.sort_by_key(Value::to_string);
    }
    assert_eq!(stored, memory);
    let profile = well(&["profile", "get", "email:ADA@example.com", "--durable", text(&home)]);
    for part in ["user_id:ada", "anonymous_id:a1", "email:ada@example.com", "marketing granted"] {
        assert!(profile.contains(part), "{part}: {profile}");
    }
    assert_eq!(faden(&["profile", "get", "email:nobody@example.com", "--durable", text(&home)]).code, 1);
    shop.workspace("shop", "3h", "remind");
    let ran = faden(&arguments);
    assert!(ran.code == 1 && ran.complaints.contains("begun with other definitions"), "{}", ran.complaints);
}

#[test]
fn the_commands_of_the_handbooks_page_on_replay_run() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let here = directory.path();
    let customers = ["--customers", "200"];
    well(&[&["demo", "--events", text(&here.join("events.ndjson")), "--workspace", text(&here.join("shop"))], &customers[..]].concat());
    well(&["demo", "--workspace", text(&here.join("shop_new"))]);
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/replay.md")).expect("the page can be read");
    let commands: Vec<&str> = page.lines().filter(|line| line.starts_with("faden ") && !line.contains("FILE...")).collect();
    assert!(commands.len() >= 5, "{commands:?}");
    for command in commands {
        let arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
        let output = Command::new(env!("CARGO_BIN_EXE_faden")).args(arguments).current_dir(here).output();
        let ran = ran(output.expect("the program can be started"));
        assert_eq!(ran.code, 0, "{command}\n{}", ran.complaints);
    }
}
