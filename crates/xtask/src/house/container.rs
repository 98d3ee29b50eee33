//! The Dockerfile held against the checkout: it is built seldom, and must not go stale meanwhile.
//!
//! Sources that are copied exist and are let through `.dockerignore`; whatever the program embeds is copied;
//! Rust and Node are those that the checkout names; address, port, data and health check go together with
//! compose.yaml and the page on serving.

use crate::tree::File;

const DOCKERFILE: &str = "Dockerfile";
const PAGE: &str = "docs/serving.md";

pub fn findings(files: &[File]) -> Vec<String> {
    let text = |path: &str| files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str());
    let dockerfile = text(DOCKERFILE);
    let mut found = Vec::new();
    for source in copied(dockerfile) {
        if !files.iter().any(|file| within(&file.path, source)) {
            found.push(format!("{DOCKERFILE}: copies `{source}`, which does not exist"));
        } else if !text(".dockerignore").lines().any(|line| line.strip_prefix('!').is_some_and(|let_through| within(source, let_through))) {
            found.push(format!(".dockerignore: keeps `{source}` from the builder, which {DOCKERFILE} copies"));
        }
    }
    for folder in embedded(files) {
        if !dockerfile.lines().any(|line| line.starts_with("COPY ") && line.split_whitespace().last() == Some(folder.as_str())) {
            found.push(format!("{DOCKERFILE}: does not copy `{folder}`, which the program embeds"));
        }
    }
    for (name, wanted, is) in [
        ("Rust", field(text("Cargo.toml"), "rust-version = \"", "\""), field(dockerfile, "FROM rust:", "-")),
        ("the port of compose.yaml", field(dockerfile, "EXPOSE ", "\n"), field(text("compose.yaml"), ":7700:", "\"")),
        ("FADEN_DATA", field(dockerfile, "VOLUME ", "\n"), field(dockerfile, "FADEN_DATA=", " ")),
        ("the volume of compose.yaml", field(dockerfile, "VOLUME ", "\n"), field(text("compose.yaml"), "[\"data:", "\"")),
        ("FADEN_LISTEN", field(dockerfile, "EXPOSE ", "\n"), field(dockerfile, "FADEN_LISTEN=0.0.0.0:", "\n")),
    ] {
        if wanted.is_none() || wanted != is {
            found.push(format!("{DOCKERFILE}: {name} is {is:?} and should be {wanted:?}"));
        }
    }
    let node = |text: Option<&str>| text.and_then(|text| text.split('.').next()?.parse::<u32>().ok());
    let needed = node(field(text("web/package.json"), "\"node\": \">=", "\""));
    // A whole version above the one that is needed has whatever it has.
    if needed.is_none() || node(field(dockerfile, "FROM node:", "-")) <= needed {
        found.push(format!("{DOCKERFILE}: Node is not newer than the {needed:?} that web/package.json asks for"));
    }
    let last = dockerfile.rfind("\nFROM ").map_or("", |at| &dockerfile[at..]);
    let user = field(last, "USER ", "\n").and_then(|user| user.split(':').next()?.parse::<u32>().ok());
    if user.is_none_or(|user| user == 0) {
        found.push(format!("{DOCKERFILE}: the program must run as a user with a number other than 0"));
    }
    for told in [field(dockerfile, "VOLUME ", "\n"), field(dockerfile, "EXPOSE ", "\n"), field(dockerfile, "USER ", ":")] {
        if !told.is_some_and(|told| text(PAGE).contains(&format!("`{told}`"))) {
            found.push(format!("{PAGE}: does not say `{}`, as {DOCKERFILE} has it", told.unwrap_or_default()));
        }
    }
    found
}

/// What is copied out of the checkout.
fn copied(dockerfile: &str) -> impl Iterator<Item = &str> {
    let lines = dockerfile.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--from="));
    lines.flat_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words[..words.len().saturating_sub(1)].to_vec()
    })
}

/// Folders outside of `crates/` that the compiler reads files of.
fn embedded(files: &[File]) -> Vec<String> {
    let sources = files.iter().filter(|file| file.path.starts_with("crates/") && file.path.contains("/src/"));
    let folders = sources.flat_map(|file| file.text.lines().filter_map(|line| line.trim().strip_prefix("#[folder = \"../../")));
    folders.filter_map(|line| Some(line.split_once('"')?.0.to_owned())).collect()
}

fn within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What stands between a start and the next end.
fn field<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split(end).next().map(|found| found.split_whitespace().next().unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(changes: &[(&str, &str, &str)]) -> Vec<String> {
        let mut files = crate::tree::files(&crate::tree::root()).expect("the checkout is readable");
        for (path, old, new) in changes {
            let file = files.iter_mut().find(|file| file.path == *path).expect("the file is there");
            assert!(file.text.contains(old), "{path} has no `{old}`");
            file.text = file.text.replace(old, new);
        }
        findings(&files)
    }

    #[test]
    fn a_dockerfile_that_went_stale_is_found_out() {
        assert_eq!(with(&[]), [""; 0]);
        for (path, old, new, finding) in [
            (
                "Dockerfile",
                "COPY docs/errors docs/errors",
                "COPY docs/mistakes docs/errors",
                "copies `docs/mistakes`, which does not exist",
            ),
            ("Dockerfile", "COPY docs/errors docs/errors\n", "", "does not copy `docs/errors`"),
            (".dockerignore", "!docs/errors\n", "", "keeps `docs/errors` from the builder"),
            ("Cargo.toml", "rust-version = \"1.95\"", "rust-version = \"1.99\"", "Rust is Some(\"1.95\") and should be Some(\"1.99\")"),
            ("web/package.json", ">=20.19", ">=24.1", "Node is not newer"),
            ("Dockerfile", "VOLUME /data", "VOLUME /var", "FADEN_DATA is Some(\"/data\") and should be Some(\"/var\")"),
            ("Dockerfile", "FADEN_LISTEN=0.0.0.0:7700", "FADEN_LISTEN=0.0.0.0:80", "FADEN_LISTEN is"),
            ("compose.yaml", "data:/data", "data:/home", "the volume of compose.yaml is"),
            ("Dockerfile", "USER 7700:7700", "USER 0:0", "must run as a user"),
            ("docs/serving.md", "`/data`", "there", "does not say `/data`"),
        ] {
            let found = with(&[(path, old, new)]);
            assert!(found.iter().any(|line| line.contains(finding)), "{path}: {found:?}");
        }
    }
}
