//! Settings of a server from flags, the environment and a file: which one holds, and how a wrong file is told.

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The program in an environment without settings.
fn faden(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faden"));
    for name in ["CONFIG", "DATA", "LISTEN", "WORKSPACE", "BASE_URL", "PARTITIONS", "CACHE", "LOG_JSON", "URL", "KEY"] {
        command.env_remove(format!("FADEN_{name}"));
    }
    command.args(arguments);
    command
}

/// Exit code, standard output and standard error.
fn ran(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().expect("the program can be started");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn written(text: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let file = directory.path().join("server.yaml");
    fs::write(&file, text).expect("the file can be written");
    (directory, file)
}

fn path(path: &Path) -> &str {
    path.to_str().expect("temporary paths are text")
}

/// What `--print-config` says of one setting: its value and where it comes from.
fn effective(command: &mut Command, name: &str) -> (String, String) {
    let (code, out, complaints) = ran(command.arg("--print-config"));
    assert_eq!(code, Some(0), "{complaints}");
    let line = out.lines().find(|line| line.starts_with(&format!("{name}:"))).expect("the setting is there");
    let (value, origin) = line.split_once(" # ").expect("it says where it comes from");
    (value[name.len() + 1..].trim().to_owned(), origin.to_owned())
}

#[test]
fn a_flag_stands_before_the_environment_and_that_before_the_file_and_that_before_the_default() {
    let (_directory, file) = written("partitions: 4\nlog_json: true\nlisten: 127.0.0.1:1\n");
    let file = path(&file);
    for (arguments, environment, name, value, origin) in [
        (vec![], None, "partitions", "1", "default"),
        (vec!["--config", file], None, "partitions", "4", file),
        (vec!["--config", file], Some(("FADEN_PARTITIONS", "8")), "partitions", "8", "FADEN_PARTITIONS"),
        (vec!["--config", file, "--partitions", "16"], Some(("FADEN_PARTITIONS", "8")), "partitions", "16", "--partitions"),
        (vec![], Some(("FADEN_CONFIG", file)), "partitions", "4", file),
        (vec!["--config", file], None, "log_json", "true", file),
        (vec!["--config", file, "--log-json=false"], None, "log_json", "false", "--log-json"),
        (vec!["--log-json"], None, "log_json", "true", "--log-json"),
        (vec!["--config", file], None, "listen", "\"127.0.0.1:1\"", file),
        (vec!["--config", file], Some(("FADEN_LISTEN", "0.0.0.0:2")), "listen", "\"0.0.0.0:2\"", "FADEN_LISTEN"),
        (vec!["--config", file], None, "cache", "256", "default"),
    ] {
        let mut command = faden(&["serve"]);
        let found = effective(command.args(&arguments).envs(environment), name);
        assert_eq!((found.0.as_str(), found.1.as_str()), (value, origin), "{arguments:?} {environment:?}");
    }
}

/// The example of the page on serving.
fn example() -> String {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/serving.md")).expect("the page is there");
    let (_, rest) = page.split_once("```yaml settings=server.yaml\n").expect("the page has the example");
    rest.split_once("```").expect("the example ends").0.to_owned()
}

#[test]
fn the_documented_example_is_a_whole_settings_file_and_what_is_printed_is_one_again() {
    let (directory, file) = written(&example());
    let (code, out, complaints) = ran(faden(&["serve", "--print-config", "--config"]).arg(&file));
    assert_eq!((code, complaints.as_str()), (Some(0), ""));
    for (name, _) in example().lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(':')) {
        let line = out.lines().find(|line| line.starts_with(&format!("{name}: "))).expect("every name of the example is printed");
        assert!(line.ends_with(path(&file)), "{line}");
    }
    // Paths start where the file lies.
    let workspace = directory.path().join("my-shop");
    assert!(out.contains(&format!("workspace: \"{}\"", path(&workspace))), "{out}");
    let values = |text: &str| text.lines().filter_map(|line| Some(line.split_once(" # ")?.0.to_owned())).collect::<Vec<_>>();
    let (_again, printed) = written(&out);
    let (_, twice, complaints) = ran(faden(&["serve", "--print-config", "--config"]).arg(&printed));
    assert_eq!((values(&twice), complaints.as_str()), (values(&out), ""));
}

#[test]
fn a_wrong_settings_file_starts_nothing_and_says_where_and_what_to_write() {
    let (directory, file) = written("listen: nowhere\npartition: 4\ncache: many\nbase_url: faden.example.com\nlog_json: 1\n");
    for command in ["serve", "doctor"] {
        let (code, out, complaints) = ran(faden(&[command, "--config"]).arg(&file).current_dir(&directory));
        assert_eq!((code, out.as_str()), (Some(1), ""), "{complaints}");
        for part in [
            "server.yaml:1:9",
            "listen: 127.0.0.1:7700",
            "server.yaml:2:1",
            "did you mean `partitions`?",
            "server.yaml:3:8",
            "write a whole number",
            "server.yaml:4:11",
            "base_url: https://faden.example.com",
            "server.yaml:5:11",
            "write true or false",
        ] {
            assert!(complaints.contains(part), "{part}: {complaints}");
        }
    }
    assert!(!directory.path().join("faden-data").exists());
    let missing = directory.path().join("missing.yaml");
    let (code, _, complaints) = ran(faden(&["serve", "--config"]).arg(&missing));
    assert!(code == Some(1) && complaints.contains("cannot read the settings file") && complaints.contains("missing.yaml"), "{complaints}");
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_starts_by_its_file_alone_and_tells_without_a_key_whether_it_takes_events() {
    let (directory, file) = written("data: state\nlisten: 127.0.0.1:0\npartitions: 2\njson: true\n");
    let mut command = faden(&["serve", "--config"]);
    let mut server = Server(command.arg(&file).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program can be started"));
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().expect("an output")).read_line(&mut line).expect("a greeting");
    let greeting: Value = serde_json::from_str(&line).expect("a greeting in JSON");
    let address = greeting["address"].as_str().expect("an address");
    assert!(directory.path().join("state/log").is_dir());

    // A health check has the file and no more.
    fs::write(&file, format!("listen: {address}\njson: true\n")).expect("the file can be written");
    let ready = || ran(faden(&["doctor", "--ready", "--config"]).arg(&file));
    let (code, out, complaints) = ready();
    assert!(code == Some(0) && out.starts_with("well  server") && out.contains("takes events"), "{out}{complaints}");
    drop(server);
    let (code, out, _) = ready();
    assert!(code == Some(1) && out.contains("cannot reach") && out.contains(address), "{out}");
}
