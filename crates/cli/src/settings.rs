//! Where a server's settings come from: flags, else the environment, else a settings file, else the defaults.
//!
//! A settings file (`--config`) has the names of `faden serve`'s flags with `_` for `-`. What it says becomes the
//! defaults of a second reading of the command line, so flags and the environment stand before it by
//! themselves. None of the settings is a secret: those stay in the environment, where a workspace names them.

use crate::terminal::Paint;
use anyhow::Context;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use faden_engine::workspace::{self, Colours, Shape, read_flat};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Most partitions of a data directory.
pub const PARTITIONS_MAX: i64 = 64;
/// Largest cache of the store, in megabytes: a terabyte.
pub const CACHE_MB_MAX: u64 = 1 << 20;

/// What a settings file may hold: the flags of `faden serve`, without those that say what the command does.
const SETTINGS: [(&str, Shape); 8] = [
    ("data", Shape::Text),
    ("listen", Shape::Like { fits: |text| text.parse::<SocketAddr>().is_ok(), example: "127.0.0.1:7700" }),
    ("workspace", Shape::Text),
    ("base_url", Shape::Like { fits: is_url, example: "https://faden.example.com" }),
    ("partitions", Shape::Whole { min: 1, max: PARTITIONS_MAX }),
    ("cache", Shape::Whole { min: 1, max: CACHE_MB_MAX as i64 }),
    ("log_json", Shape::Boolean),
    ("json", Shape::Boolean),
];
/// Settings that are paths; in a file they start where it lies.
const PATHS: [&str; 2] = ["data", "workspace"];

fn is_url(text: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}

/// The command line together with the settings file that it names.
pub struct Settings {
    pub matches: ArgMatches,
    /// The settings file, where there is one.
    pub file: Option<PathBuf>,
    /// What stands in it.
    said: BTreeMap<&'static str, String>,
}

/// Reads the command line and the settings file; `None` when that file is wrong, which was printed then.
///
/// # Errors
/// When the file cannot be read. A wrong command line ends the program with exit code 2.
pub fn read(command: Command) -> anyhow::Result<Option<Settings>> {
    let matches = command.clone().get_matches();
    let (name, chosen) = matches.subcommand().expect("a command is required");
    let Some(path) = chosen.try_get_one::<PathBuf>("config").ok().flatten().cloned() else {
        return Ok(Some(Settings { matches, file: None, said: BTreeMap::new() }));
    };
    let Some(said) = read_file(&path)? else { return Ok(None) };
    let matches = with_defaults(command, name, &said).get_matches();
    Ok(Some(Settings { matches, file: Some(path), said }))
}

fn read_file(path: &Path) -> anyhow::Result<Option<BTreeMap<&'static str, String>>> {
    let raw = std::fs::read(path).with_context(|| format!("cannot read the settings file `{}`", path.display()))?;
    let text = String::from_utf8(raw).with_context(|| format!("`{}` is not UTF-8 text; save it as UTF-8", path.display()))?;
    let mut said = match read_flat(&path.display().to_string(), &text, "the server", &SETTINGS) {
        Ok(said) => said,
        Err(findings) => {
            let colours = if Paint::for_stderr().on { Colours::On } else { Colours::Off };
            for finding in &findings {
                // Nobody is left to be told when standard error is closed.
                let _ = writeln!(std::io::stderr(), "{}", workspace::render(finding, &text, colours));
            }
            return Ok(None);
        }
    };
    let home = path.parent().unwrap_or(Path::new(""));
    for (_, value) in said.iter_mut().filter(|(name, _)| PATHS.contains(name)) {
        *value = home.join(&*value).to_str().context("the path of a settings file must be text")?.to_owned();
    }
    Ok(Some(said))
}

/// The command with what a file says as the defaults of its flags.
fn with_defaults(command: Command, name: &str, said: &BTreeMap<&'static str, String>) -> Command {
    // How the server prints its start is nothing to other commands.
    let concerned = said.iter().filter(|(setting, _)| **setting != "json" || name == "serve");
    let mut defaults: BTreeMap<&str, String> = concerned.map(|(name, value)| (*name, value.clone())).collect();
    if let Some(listen) = said.get("listen") {
        defaults.insert("server", reached_at(listen));
    }
    command.mut_subcommand(name, |mut subcommand| {
        for (name, value) in defaults {
            if subcommand.get_arguments().any(|argument| argument.get_id() == name) {
                // A handful of texts, once in a program's life; clap wants them to stay.
                let value: &'static str = value.leak();
                subcommand = subcommand.mut_arg(name, |argument| argument.default_value(value));
            }
        }
        subcommand
    })
}

/// Where a server that listens on an address is reached from its own machine.
fn reached_at(listen: &str) -> String {
    let address: SocketAddr = listen.parse().expect("the shape of `listen` is an address");
    match (address.ip().is_unspecified(), address.is_ipv4()) {
        (true, true) => format!("http://127.0.0.1:{}", address.port()),
        (true, false) => format!("http://[::1]:{}", address.port()),
        (false, _) => format!("http://{address}"),
    }
}

impl Settings {
    /// The settings that hold, as a settings file that says where each comes from.
    pub fn effective(&self) -> String {
        let (_, chosen) = self.matches.subcommand().expect("a command is required");
        let mut text = String::new();
        for (name, shape) in SETTINGS {
            let Some(value) = chosen.get_raw(name).and_then(|mut values| values.next()) else {
                text.push_str(&format!("# {name} is not set\n"));
                continue;
            };
            let value = if PATHS.contains(&name) { std::path::absolute(value).unwrap_or_else(|_| value.into()) } else { value.into() };
            let value = value.to_string_lossy();
            let written = match shape {
                Shape::Whole { .. } | Shape::Boolean => value.into_owned(),
                // JSON's texts are YAML's as well.
                Shape::Text | Shape::Like { .. } => serde_json::Value::from(value.as_ref()).to_string(),
            };
            text.push_str(&format!("{:<40} # {}\n", format!("{name}: {written}"), self.origin(chosen, name)));
        }
        text
    }

    fn origin(&self, chosen: &ArgMatches, name: &str) -> String {
        match (chosen.value_source(name), &self.file) {
            (Some(ValueSource::CommandLine), _) => format!("--{}", name.replace('_', "-")),
            (Some(ValueSource::EnvVariable), _) => format!("FADEN_{}", name.to_uppercase()),
            (_, Some(file)) if self.said.contains_key(name) => file.display().to_string(),
            _ => "default".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn a_settings_file_may_hold_every_flag_that_is_a_setting() {
        let mut program = crate::Arguments::command();
        program.build();
        let serve = program.find_subcommand("serve").expect("there is `faden serve`");
        let not_settings = ["config", "print_config", "help", "version"];
        let shown = serve.get_arguments().filter(|argument| !argument.is_hide_set()).map(|argument| argument.get_id().as_str());
        let flags: Vec<&str> = shown.filter(|name| !not_settings.contains(name)).collect();
        assert_eq!(flags, SETTINGS.map(|(name, _)| name));
        for (name, _) in SETTINGS.iter().filter(|(name, _)| *name != "json") {
            let flag = serve.get_arguments().find(|argument| argument.get_id() == name).expect("it is a flag");
            assert_eq!(flag.get_env().and_then(|name| name.to_str()), Some(format!("FADEN_{}", name.to_uppercase()).as_str()));
        }
    }

    #[test]
    fn a_server_is_reached_at_home_by_what_it_listens_on() {
        for (listen, reached) in [
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:7700", "http://[::1]:7700"),
            ("10.0.0.7:7700", "http://10.0.0.7:7700"),
            ("[fd00::1]:7700", "http://[fd00::1]:7700"),
        ] {
            assert_eq!(reached_at(listen), reached);
        }
    }
}
