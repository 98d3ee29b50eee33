//! Every link in the documentation that stays inside the checkout leads somewhere: file and heading.

use crate::tree::File;
use std::collections::BTreeSet;

pub fn findings(files: &[File]) -> Vec<String> {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        for (number, target) in links(&file.text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let place = if path.is_empty() { file.path.clone() } else { resolve(&file.path, path) };
            let folder = format!("{}/", place.trim_end_matches('/'));
            if !paths.contains(place.as_str()) && !paths.range(folder.as_str()..).next().is_some_and(|next| next.starts_with(&folder)) {
                found.push(format!("{}:{number}: `{target}` leads nowhere", file.path));
                continue;
            }
            let page = files.iter().find(|other| other.path == place && place.ends_with(".md"));
            if let Some(page) = page.filter(|_| !heading.is_empty())
                && !headings(&page.text).contains(heading)
            {
                found.push(format!("{}:{number}: `{target}` has no heading `{heading}`", file.path));
            }
        }
    }
    found
}

/// Line number and target of every `[text](target)` outside fenced blocks and code.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        // Every second part stands between backticks.
        for plain in line.split('`').step_by(2) {
            found.extend(plain.split("](").skip(1).filter_map(|rest| Some((index + 1, rest.split_once(')')?.0))));
        }
        // A link whose text is code has its target after the closing backtick: `](target)` begins a plain part.
    }
    found
}

/// `path` as seen from the folder of `from`, without `.` and `..`.
fn resolve(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// The anchors of a page, made from its headings the way code hosts do.
fn headings(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if let Some(title) = line.strip_prefix('#').filter(|_| !fenced) {
            let title = title.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            found.insert(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_must_lead_to_a_file_a_folder_or_a_heading() {
        let table = [
            ("[a](other.md)", 0),
            ("[a](../README.md#two-words)", 0),
            ("[a](../README.md#none)", 1),
            ("[a](#here)\n# Here", 0),
            ("[a](missing.md)", 1),
            ("[`a`](missing.md)", 1),
            ("[a](sub/)", 0),
            ("[a](https://example.com/x)", 0),
            ("`[a](missing.md)`", 0),
            ("```\n[a](missing.md)\n```", 0),
        ];
        for (text, expected) in table {
            let files = [("README.md", "## Two words"), ("docs/a.md", text), ("docs/other.md", ""), ("docs/sub/x.yaml", "")];
            let files: Vec<File> = files.into_iter().map(|(path, text)| File { path: path.to_owned(), text: text.to_owned() }).collect();
            let found = findings(&files);
            assert_eq!(found.len(), expected, "{text}: {found:?}");
        }
    }
}
