//! Commands that ask a running server: the same answers as from files.

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

const WORKSPACE: [(&str, &str); 4] = [
    ("faden.yaml", "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\nchannels:\n  - {name: page, kind: in_app}\n"),
    ("policies/global.yaml", "policy: global\nconsent: {marketing: opt_in}\n"),
    ("templates/reminder/in_app.en.jinja", "---\ntitle: Your cart\n---\nIt waits.\n"),
    (
        "journeys/cart.yaml",
        "journey: cart\ntitle: Cart\npurpose: marketing\nentry: {event: Cart Updated, reentry: always}\nsteps:\n  - id: remind\n    send: {template: reminder, channels: [in_app]}\n  - id: hold\n    wait: {event: Order Completed, timeout: 3d}\n",
    ),
];

const EVENTS: &str = r#"{"type":"identify","messageId":"m1","userId":"ada","anonymousId":"a1","traits":{"email":"ada@example.com"},"context":{"consent":{"categoryPreferences":{"marketing":true}}}}
{"type":"track","messageId":"m2","userId":"ada","event":"Cart Updated","properties":{"value":50.0}}
{"type":"track","messageId":"m3","userId":"bob","event":"Cart Updated","properties":{"value":30.0},"context":{"externalIds":[{"type":"crm_id","id":"c-7"}]}}
{"type":"alias","messageId":"m4","userId":"bob","previousId":"a2"}
{"type":"group","messageId":"m5","userId":"bob","groupId":"club"}
{"specversion":"1.0","id":"x1","source":"shop","type":"Shop Opened","data":{"city":"Wien"}}
"#;

/// The allocator's setting that the program sets for itself.
const PURGE_DELAY: &str = "MIMALLOC_PURGE_DELAY";

/// A server of its own; it ends with the test.
struct Server {
    process: Child,
    url: String,
    key: String,
    directory: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn start() -> Server {
        Server::start_in(tempfile::tempdir().expect("a directory can be made"))
    }

    fn start_in(directory: TempDir) -> Server {
        Server::start_with(directory, None)
    }

    fn start_with(directory: TempDir, purge_delay: Option<&str>) -> Server {
        for (path, text) in WORKSPACE {
            let file = directory.path().join("shop").join(path);
            fs::create_dir_all(file.parent().expect("it lies in a directory")).expect("a directory can be made");
            fs::write(file, text).expect("the file can be written");
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_faden"));
        command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(directory.path().join("data"));
        command.arg("--workspace").arg(directory.path().join("shop")).stdout(Stdio::piped()).stderr(Stdio::null());
        command.env_remove(PURGE_DELAY).envs(purge_delay.map(|delay| (PURGE_DELAY, delay)));
        let mut process = command.spawn().expect("the program can be started");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("an output")).read_line(&mut line).expect("a greeting");
        let greeting: Value = serde_json::from_str(&line).expect("a greeting");
        let text = |name: &str| greeting[name].as_str().expect("a text").to_owned();
        Server { process, url: text("base_url"), key: text("admin_key"), directory }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().expect("temporary paths are text").to_owned()
    }

    /// Runs a command that asks this server: exit code and standard output, or what it complains.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_faden"));
        let command = command.args(arguments).env("FADEN_URL", &self.url).env("FADEN_KEY", &self.key).env("COLUMNS", "100");
        let output = command.output().expect("the program can be started");
        let code = output.status.code().unwrap_or(-1);
        (code, String::from_utf8(if code == 0 { output.stdout } else { output.stderr }).expect("output is text"))
    }

    fn well(&self, arguments: &[&str]) -> String {
        let (code, out) = self.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {out}");
        out
    }
}

fn lines(path: &str) -> Vec<Value> {
    let text = fs::read_to_string(Path::new(path)).expect("the file can be read");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// Who went into which journey when, and what was said to him.
fn said(decisions: &[Value]) -> BTreeSet<String> {
    let told = decisions.iter().filter(|line| line["kind"] == "enrolled" || line["kind"] == "message" || line["kind"] == "merged");
    told.map(|line| format!("{} {} {} {}", line["at"], line["kind"], line["user_id"], line["outcome"])).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn the_allocator_keeps_what_is_freed_unless_somebody_says_otherwise() {
    let delay = |said: Option<&str>| {
        let server = Server::start_with(tempfile::tempdir().expect("a directory can be made"), said);
        let environment = fs::read_to_string(format!("/proc/{}/environ", server.process.id())).expect("Linux knows it");
        let settings: Vec<String> = environment.split('\0').filter_map(|one| one.strip_prefix(PURGE_DELAY)).map(str::to_owned).collect();
        settings.concat()
    };
    assert_eq!([delay(None), delay(Some("10"))], ["=-1", "=10"]);
}

#[test]
fn the_keys_are_shown_by_the_first_start_that_succeeds() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let broken = directory.path().join("broken");
    fs::create_dir_all(&broken).expect("a directory can be made");
    fs::write(broken.join("faden.yaml"), "workspace: shop\nnonsense: 1\n").expect("the file can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_faden"));
    command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(directory.path().join("data"));
    let refused = command.arg("--workspace").arg(broken).output().expect("the program can be started");
    assert_eq!((refused.status.success(), refused.stdout.as_slice()), (false, &b""[..]));
    let server = Server::start_in(directory);
    server.well(&["plan", &server.path("shop")]);
}

#[test]
fn a_server_is_asked_for_people_reasons_and_its_past() {
    let server = Server::start();
    let events = server.path("events.ndjson");
    fs::write(&events, EVENTS).expect("the file can be written");
    server.well(&["import", &events, "--source", "test"]);

    let ada = server.well(&["profile", "get", "email:Ada@example.com"]);
    assert!(["user_id:ada", "anonymous_id:a1", "marketing granted", " cart since "].iter().all(|part| ada.contains(part)), "{ada}");
    let json: Value = serde_json::from_str(&server.well(&["profile", "get", "user_id:bob", "--json"])).expect("JSON");
    assert_eq!(json["identifiers"].as_array().map(Vec::len), Some(3), "{json}");
    let (code, complaint) = server.run(&["profile", "get", "user_id:nobody"]);
    assert!(code == 1 && complaint.contains("no such profile"), "{complaint}");

    let decisions = server.path("decisions.ndjson");
    server.well(&["export", "decisions", "--out", &decisions]);
    let live = lines(&decisions);
    let message = live.iter().find(|line| line["kind"] == "message" && line["user_id"] == "ada").expect("a message");
    for id in [&message["message"], &message["enrollment"], &message["id"], &message["profile"]] {
        let id = id.as_str().expect("an id");
        for form in [&["explain", id][..], &["explain", id, "--json"]] {
            let of_file = server.well(&[form, &[decisions.as_str()][..]].concat());
            assert_eq!(server.well(form), of_file, "{form:?}");
        }
    }
    assert_eq!(server.run(&["explain", "msg_7b_99"]).0, 1);

    // The log again under the same rules decides the same; what is exported is what came in.
    let again = server.path("again.ndjson");
    let replay = ["replay", "--from", "2020-01-01T00:00:00Z", "--workspace", &server.path("shop")];
    let told: Value = serde_json::from_str(&server.well(&[&replay[..], &["--out", &again, "--json", "--hash"]].concat())).expect("JSON");
    assert_eq!((&told["events"], &told["refused_lines"]), (&Value::from(6), &Value::from(0)), "{told}");
    assert!(told["hash"].is_string() && told["profiles"] == 2, "{told}");
    assert_eq!(said(&lines(&again)), said(&live));
    assert_eq!(said(&live).len(), 4, "{:?}", said(&live));
    let none: Value =
        serde_json::from_str(&server.well(&[&replay[..], &["--to", "2020-01-02T00:00:00Z", "--json"]].concat())).expect("JSON");
    assert_eq!(none["events"], 0);
    let differ = server.well(&[&replay[..], &["--against", &server.path("shop")]].concat());
    assert!(!differ.is_empty());
}
