//! Holds the manifests of all rooms against the picture in `ARCHITECTURE.md`.
//!
//! The picture is the source: the block with the info string `text rooms`. A line `  name/  what → a b`
//! is a room and what it may import. Development and build dependencies count like all others.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A room and the rooms it may import, in the order of the picture.
#[derive(Debug, PartialEq, Eq)]
struct Room {
    name: String,
    may_import: Vec<String>,
}

/// All findings, one line each; empty when everything holds.
///
/// # Errors
/// When the picture or a manifest cannot be read at all.
pub fn findings(root: &Path) -> Result<Vec<String>> {
    let document = fs::read_to_string(root.join("ARCHITECTURE.md")).context("cannot read ARCHITECTURE.md")?;
    let rooms = rooms(&document)?;
    let mut manifests = BTreeMap::new();
    for entry in fs::read_dir(root.join("crates")).context("cannot list crates/")? {
        let folder = entry?.path();
        let manifest = folder.join("Cargo.toml");
        if manifest.is_file() {
            let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            manifests.insert(name, fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?);
        }
    }
    compare(&rooms, &manifests)
}

/// Reads the picture.
fn rooms(document: &str) -> Result<Vec<Room>> {
    let block = document
        .split_once("```text rooms\n")
        .and_then(|(_, rest)| rest.split_once("```"))
        .map(|(block, _)| block)
        .context("ARCHITECTURE.md has no block that begins with ```text rooms")?;
    let mut rooms = Vec::new();
    for line in block.lines() {
        let Some((left, right)) = line.split_once('→') else { continue };
        let Some((name, _)) = left.trim().split_once('/') else {
            bail!("ARCHITECTURE.md: `{line}` has an arrow but no room; write `name/  what it is → what it may import`");
        };
        let may_import = right.split_whitespace().filter(|word| *word != "nothing").map(str::to_owned).collect();
        rooms.push(Room { name: name.to_owned(), may_import });
    }
    if rooms.is_empty() {
        bail!("the picture in ARCHITECTURE.md has no rooms");
    }
    Ok(rooms)
}

fn compare(rooms: &[Room], manifests: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (index, room) in rooms.iter().enumerate() {
        for target in &room.may_import {
            if !rooms[..index].iter().any(|above| above.name == *target) {
                found.push(format!("ARCHITECTURE.md: `{}` → `{target}` does not point to a room above it", room.name));
            }
        }
        if !manifests.contains_key(&room.name) {
            found.push(format!("ARCHITECTURE.md: room `{}` is in the picture, but crates/{}/Cargo.toml is missing", room.name, room.name));
        }
    }
    for (folder, text) in manifests {
        let manifest: toml::Table = text.parse().with_context(|| format!("crates/{folder}/Cargo.toml is not TOML"))?;
        let place = format!("crates/{folder}/Cargo.toml");
        let Some(room) = rooms.iter().find(|room| room.name == *folder) else {
            found.push(format!("{place}: room `{folder}` is not in the picture in ARCHITECTURE.md; add it there first"));
            continue;
        };
        let package = manifest.get("package").and_then(|table| table.get("name")).and_then(toml::Value::as_str).unwrap_or("");
        if package != package_of(folder) {
            found.push(format!("{place}: the package is called `{package}`, but its folder asks for `{}`", package_of(folder)));
        }
        for target in imports(&manifest, rooms) {
            if !room.may_import.contains(&target) {
                found.push(format!("{place}: `{folder}` imports `{target}`; ARCHITECTURE.md allows it {}", allowed(room)));
            }
        }
    }
    Ok(found)
}

fn allowed(room: &Room) -> String {
    if room.may_import.is_empty() { "nothing".to_owned() } else { format!("only {}", room.may_import.join(", ")) }
}

fn package_of(folder: &str) -> String {
    match folder {
        "cli" => "faden".to_owned(),
        "xtask" => "xtask".to_owned(),
        other => format!("faden-{other}"),
    }
}

/// The rooms that a manifest names in any of its dependency tables, under their own name or another.
fn imports(manifest: &toml::Table, rooms: &[Room]) -> Vec<String> {
    let mut tables = vec![manifest];
    if let Some(targets) = manifest.get("target").and_then(toml::Value::as_table) {
        tables.extend(targets.values().filter_map(toml::Value::as_table));
    }
    let mut found = Vec::new();
    for table in tables {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in table.get(kind).and_then(toml::Value::as_table).into_iter().flatten() {
                let package = value.get("package").and_then(toml::Value::as_str).unwrap_or(name);
                let path = value.get("path").and_then(toml::Value::as_str).and_then(|path| path.rsplit('/').next());
                for room in rooms {
                    let named = package == package_of(&room.name) || path == Some(room.name.as_str());
                    if named && !found.contains(&room.name) {
                        found.push(room.name.clone());
                    }
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: &str =
        "# x\n```text rooms\ncrates/\n  model/   nouns → nothing\n  engine/  verbs → model\n  cli/     door → engine model\n```\n";

    fn check(picture: &str, manifests: &[(&str, &str)], expected: &[&str]) {
        let manifests = manifests.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let found = compare(&rooms(picture).expect("the picture is readable"), &manifests).expect("the manifests are TOML");
        assert_eq!(found, expected);
    }

    fn manifests(engine: &'static str) -> Vec<(&'static str, &'static str)> {
        vec![
            ("model", "[package]\nname = 'faden-model'"),
            ("engine", engine),
            ("cli", "[package]\nname = 'faden'\n[dependencies]\nfaden-engine.workspace = true"),
        ]
    }

    #[test]
    fn an_arrow_that_is_in_the_picture_may_be_drawn() {
        check(PICTURE, &manifests("[package]\nname = 'faden-engine'\n[dependencies]\nfaden-model.workspace = true"), &[]);
    }

    #[test]
    fn an_arrow_that_is_not_in_the_picture_is_found_however_it_is_written() {
        let expected = ["crates/engine/Cargo.toml: `engine` imports `cli`; ARCHITECTURE.md allows it only model"];
        for dependency in [
            "[dependencies]\nfaden.workspace = true",
            "[dev-dependencies]\nfaden = { path = '../cli' }",
            "[build-dependencies]\nfaden = '1'",
            "[dependencies]\nother = { package = 'faden', version = '1' }",
            "[dependencies]\nother = { path = '../cli' }",
            "[target.'cfg(unix)'.dependencies]\nfaden.workspace = true",
        ] {
            let engine: &'static str = Box::leak(format!("[package]\nname = 'faden-engine'\n{dependency}").into_boxed_str());
            check(PICTURE, &manifests(engine), &expected);
        }
    }

    #[test]
    fn rooms_and_folders_must_be_the_same_and_names_must_fit() {
        check(
            PICTURE,
            &[("model", "[package]\nname = 'model'"), ("engine", "[package]\nname = 'faden-engine'"), ("attic", "[package]\nname = 'x'")],
            &[
                "ARCHITECTURE.md: room `cli` is in the picture, but crates/cli/Cargo.toml is missing",
                "crates/attic/Cargo.toml: room `attic` is not in the picture in ARCHITECTURE.md; add it there first",
                "crates/model/Cargo.toml: the package is called `model`, but its folder asks for `faden-model`",
            ],
        );
    }

    #[test]
    fn an_arrow_in_the_picture_may_only_point_up() {
        let picture = "```text rooms\n  model/ nouns → engine\n  engine/ verbs → nothing\n```";
        check(
            picture,
            &[("model", "[package]\nname = 'faden-model'"), ("engine", "[package]\nname = 'faden-engine'")],
            &["ARCHITECTURE.md: `model` → `engine` does not point to a room above it"],
        );
    }

    #[test]
    fn every_room_of_this_project_imports_only_what_the_picture_allows() {
        let found = findings(&crate::tree::root()).expect("the checkout is readable");
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}
