//! What a definition says about itself: the texts at the top of its file, for people who look at it.

use super::Files;
use super::yaml::{self, Kind};
use std::collections::BTreeMap;

/// Names and texts at the top of a YAML file, such as `title` and `description`; empty where it is none.
pub fn about(text: &str) -> BTreeMap<String, String> {
    let Some(root) = yaml::parse(text).0 else { return BTreeMap::new() };
    match root.kind {
        Kind::Map(fields) => fields.into_iter().filter_map(|(key, node)| Some((key.name, node.text()?.to_owned()))).collect(),
        _ => BTreeMap::new(),
    }
}

impl Files {
    /// The file of `folder` that defines `name` under `kind`, such as `audience: gold`: its path and text.
    pub fn defining(&self, folder: &str, kind: &str, name: &str) -> Option<(&str, &str)> {
        let within = self.0.iter().filter(|(path, _)| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
        let mut texts = within.map(|(path, text)| (path.as_str(), text.as_str()));
        texts.find(|(_, text)| text.contains(name) && about(text).get(kind).is_some_and(|found| found == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_found_by_what_its_file_says_and_not_by_the_files_name() {
        let texts = [
            ("audiences/a.yaml", "audience: gold # not silver\ntitle: \"Gold: best\"\nwhere: x > 1\n"),
            ("audiences/gold.yaml", "audience: silver\n"),
        ];
        let files = Files(texts.map(|(path, text)| (path.to_owned(), text.to_owned())).into());
        let (path, text) = files.defining("audiences", "audience", "gold").expect("it is there");
        assert_eq!((path, about(text)["title"].as_str()), ("audiences/a.yaml", "Gold: best"));
        assert_eq!(files.defining("audiences", "audience", "bronze"), None);
        assert_eq!(files.defining("journeys", "journey", "gold"), None);
        assert!(about("- a\n- b\n").is_empty() && about("{").is_empty());
    }
}
