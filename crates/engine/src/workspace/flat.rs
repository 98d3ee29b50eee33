//! A file of names and values that belongs to no workspace, such as a server's settings.
//!
//! Read by the same rules as definitions, so what is wrong has its place and a way out.

use super::code;
use super::fields::{first_line, kind_of};
use super::report::{Report, Sheet};
use super::{Finding, yaml};
use faden_model::diagnostic::Severity;
use std::collections::BTreeMap;

/// What may stand under a name.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    Text,
    /// A whole number between two bounds, which belong to it.
    Whole {
        min: i64,
        max: i64,
    },
    Boolean,
    /// A text that fits; `example` shows one.
    Like {
        fits: fn(&str) -> bool,
        example: &'static str,
    },
}

/// Reads the names and values of a flat file; `what` says what it describes, such as `the server`.
///
/// Values come as texts that fit their shapes: numbers in digits, `true` or `false`.
///
/// # Errors
/// Everything that is wrong, by place: names that are not among `keys`, values of another shape, broken YAML.
pub fn read_flat(
    file: &str,
    text: &str,
    what: &str,
    keys: &[(&'static str, Shape)],
) -> Result<BTreeMap<&'static str, String>, Vec<Finding>> {
    let report = Report::default();
    let sheet = Sheet::new(file, text, &report);
    let values = read(&sheet, what, keys);
    let findings = report.finish();
    let wrong = findings.iter().any(|finding| finding.problem.severity == Severity::Error);
    if wrong { Err(findings) } else { Ok(values) }
}

fn read(sheet: &Sheet<'_>, what: &str, keys: &[(&'static str, Shape)]) -> BTreeMap<&'static str, String> {
    // A file of comments alone says nothing, which is allowed.
    let solid = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    if !sheet.text.lines().any(solid) {
        return BTreeMap::new();
    }
    let (root, problems) = yaml::parse(sheet.text);
    problems.into_iter().for_each(|problem| sheet.push(problem));
    let Some(root) = root else { return BTreeMap::new() };
    let names: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
    let Some(map) = sheet.map(&root, what, &names) else { return BTreeMap::new() };
    let read = |(name, shape): &(&'static str, Shape)| Some((*name, value(sheet, map.get(name)?, name, *shape)?));
    keys.iter().filter_map(read).collect()
}

fn value(sheet: &Sheet<'_>, node: &yaml::Node, name: &str, shape: Shape) -> Option<String> {
    match shape {
        Shape::Text => sheet.text(node, name).map(|text| text.to_string()),
        Shape::Whole { min, max } => sheet.integer(node, name, (min, max)).map(|number| number.to_string()),
        Shape::Boolean => sheet.boolean(node, name).map(|is| is.to_string()),
        Shape::Like { fits, example } => {
            let text = node.text().map(str::trim).filter(|text| fits(text));
            if text.is_none() {
                let found = node.text().map_or_else(|| kind_of(node).to_owned(), |text| format!("`{text}`"));
                let place = first_line(sheet, node.place);
                sheet.error(place, code::WRONG_TYPE, format!("`{name}` is {found}"), format!("write it as in `{name}: {example}`"));
            }
            text.map(str::to_owned)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Colours, render};

    const KEYS: [(&str, Shape); 4] = [
        ("data", Shape::Text),
        ("partitions", Shape::Whole { min: 1, max: 64 }),
        ("log_json", Shape::Boolean),
        ("listen", Shape::Like { fits: |text| text.contains(':'), example: "127.0.0.1:7700" }),
    ];

    fn wrong(text: &str) -> String {
        let findings = read_flat("server.yaml", text, "the server", &KEYS).expect_err("it is wrong");
        findings.iter().map(|finding| render(finding, text, Colours::Off)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn names_and_values_are_read_and_what_is_not_written_is_not_there() {
        let text = "# ours\ndata: /var/lib/faden\npartitions: 4\nlog_json: True\nlisten: \"0.0.0.0:80\"\n";
        let all = read_flat("s", text, "the server", &KEYS).expect("it is right");
        let expected = [("data", "/var/lib/faden"), ("listen", "0.0.0.0:80"), ("log_json", "true"), ("partitions", "4")];
        assert_eq!(all, expected.map(|(name, value)| (name, value.to_owned())).into());
        for empty in ["", "# only words\n\n"] {
            assert_eq!(read_flat("s", empty, "the server", &KEYS), Ok(BTreeMap::new()));
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_in_one_go_with_its_place() {
        insta::assert_snapshot!(wrong("data: [a]\npartition: 3\npartitions: 65\nlog_json: \"yes\"\nlisten: 7700\n"), @r#"
        error[wrong-type]: `data` is a list
          --> server.yaml:1:7
           |
        1  | data: [a]
           |       ^^^
          help: write a text

        error[unknown-key]: the server has no key `partition`
          --> server.yaml:2:1
           |
        2  | partition: 3
           | ^^^^^^^^^
          help: did you mean `partitions`? allowed here: `data`, `partitions`, `log_json`, `listen`

        error[out-of-range]: `partitions` is 65
          --> server.yaml:3:13
           |
        3  | partitions: 65
           |             ^^
          help: write a whole number from 1 to 64

        error[wrong-type]: `log_json` is a text
          --> server.yaml:4:11
           |
        4  | log_json: "yes"
           |           ^^^^^
          help: write true or false

        error[wrong-type]: `listen` is `7700`
          --> server.yaml:5:9
           |
        5  | listen: 7700
           |         ^^^^
          help: write it as in `listen: 127.0.0.1:7700`
        "#);
        insta::assert_snapshot!(wrong("- data\n"), @r"
        error[wrong-type]: the server is a list here
          --> server.yaml:1:1
           |
        1  | - data
           | ^^^^^^
          help: write a map: `key: value` lines, or `{key: value}`
        ");
        insta::assert_snapshot!(wrong("data: {\n"), @r"
        error[yaml-syntax]: not YAML: parsing a node, did not find expected node content
          --> server.yaml:2:1
           |
        2  | 
           | ^
          help: see the line above as well: an open quote or bracket is often the cause
        ");
    }
}
