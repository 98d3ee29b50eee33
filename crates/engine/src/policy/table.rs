//! What holds where, as a table for people: each rule with its value and the file it comes from.

use super::effective::{Effective, Policies, minutes};
use super::plan::{Cap, Level, QuietHours};
use std::collections::BTreeSet;

/// The rules of one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeTable {
    /// `global`, `region:EU`, `brand:gold`.
    pub scope: String,
    pub rows: Vec<TableRow>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow {
    pub rule: String,
    pub value: String,
    /// The policy it comes from; empty where several say the same together.
    pub from: String,
    /// The global files do not say it: a narrower one made it so.
    pub tightened: bool,
}

impl Policies {
    /// What holds globally, in each region, and for each brand.
    pub fn table(&self) -> Vec<ScopeTable> {
        let global = self.merged(&BTreeSet::new(), None).rows();
        let mut scopes = vec![ScopeTable { scope: "global".to_owned(), rows: global.clone() }];
        for (index, file) in self.files().iter().enumerate() {
            let (scope, effective) = match &file.level {
                Level::Global => continue,
                Level::Region { name, .. } => (format!("region:{name}"), self.merged(&BTreeSet::from([index]), None)),
                Level::Brand { name } => (format!("brand:{name}"), self.merged(&BTreeSet::new(), Some(name))),
            };
            let marked = |row: TableRow| TableRow { tightened: !global.contains(&row), ..row };
            scopes.push(ScopeTable { scope, rows: effective.rows().into_iter().map(marked).collect() });
        }
        scopes
    }
}

fn row(rule: impl Into<String>, value: impl Into<String>, from: &str) -> TableRow {
    TableRow { rule: rule.into(), value: value.into(), from: from.to_owned(), tightened: false }
}

impl Effective {
    fn rows(&self) -> Vec<TableRow> {
        let mut rows = Vec::new();
        rows.extend(self.channels.iter().map(|(allowed, from)| row("channels", allowed.join(", "), from)));
        for purpose in &self.consent {
            let (kind, rule) = purpose.on("");
            rows.push(row(format!("consent.{}", purpose.purpose), kind.name(), &rule.policy));
            let channels = purpose.channels();
            rows.extend(
                channels.map(|(channel, kind, rule)| row(format!("consent.{}.{channel}", purpose.purpose), kind.name(), &rule.policy)),
            );
        }
        rows.extend(self.quiet_hours.iter().map(|(quiet, rule)| row("quiet_hours", quiet_text(quiet), &rule.policy)));
        rows.extend(self.caps.iter().map(|(cap, rule)| row("cap", cap_text(cap), &rule.policy)));
        rows.extend(self.max_hold.iter().map(|(span, rule)| row("max_hold", span.to_string(), &rule.policy)));
        rows.extend(self.suppressed.iter().map(|(_, rule)| row("suppression_list", "addresses that are never used", &rule.policy)));
        rows.extend(self.retentions().map(|(kind, span)| row(format!("retention.{kind}"), span.to_string(), "")));
        rows.extend(self.languages().map(|languages| row("languages", languages.join(", "), "")));
        rows.extend(self.tone().map(|tone| row("tone", tone, "")));
        rows
    }
}

fn quiet_text(quiet: &QuietHours) -> String {
    let of = [&quiet.purposes, &quiet.channels].map(|names| names.join(", "));
    let of: Vec<&str> = of.iter().map(String::as_str).filter(|names| !names.is_empty()).collect();
    let whom = if of.is_empty() { "everything".to_owned() } else { of.join(" by ") };
    format!("{}-{}: {whom}", minutes(quiet.from), minutes(quiet.to))
}

fn cap_text(cap: &Cap) -> String {
    let what = cap.purpose.as_deref().unwrap_or("all purposes");
    let channel = cap.channel.as_deref().map(|channel| format!(" by {channel}")).unwrap_or_default();
    let journey = if cap.per_journey { ", for each journey" } else { "" };
    format!("{what}{channel}: {} in {}{journey}", cap.max, cap.within)
}

#[cfg(test)]
mod tests {
    use crate::policy::{ConsentRule, Home, Level, OptIn, Policies, PolicyFile, QuietHours};

    #[test]
    fn a_table_says_what_holds_where_and_what_was_tightened() {
        let consent = |kind| vec![ConsentRule { purpose: "marketing".into(), channel: None, kind }];
        let global = PolicyFile { name: "global".into(), consent: consent(OptIn::OptIn), ..PolicyFile::default() };
        let level = Level::Region { name: "eu".into(), countries: vec!["DE".into()] };
        let region = PolicyFile {
            name: "eu".into(),
            level,
            consent: consent(OptIn::DoubleOptIn),
            quiet_hours: vec![QuietHours::default()],
            ..PolicyFile::default()
        };
        let policies = Policies::build(&[global, region], &Home::default()).expect("it tightens");
        let lines = policies.table().into_iter().flat_map(|table| {
            table.rows.into_iter().map(move |row| format!("{} {} {} {} {}", table.scope, row.rule, row.value, row.from, row.tightened))
        });
        let wanted = [
            "global consent.marketing opt_in global false",
            "region:eu consent.marketing double_opt_in eu true",
            "region:eu quiet_hours 20:00-09:00: everything eu true",
        ];
        assert_eq!(lines.collect::<Vec<_>>(), wanted);
    }
}
