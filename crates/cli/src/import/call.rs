//! A row of a table as a Segment call: an event with properties, or a customer with traits.

use anyhow::{Context, bail};
use clap::Args;
use faden_model::json::write_text;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

/// What rows of a table are.
#[derive(Args)]
pub struct Rows {
    /// Tables: rows are this event instead of facts about a customer
    #[arg(long, value_name = "NAME")]
    pub event: Option<String>,
    /// Tables: column with the time, RFC 3339
    #[arg(long, value_name = "COLUMN", default_value = "timestamp")]
    pub timestamp: String,
}

impl Rows {
    /// Whether the columns say whom a row is about.
    ///
    /// # Errors
    /// When they do not.
    pub fn check<'c>(&self, mut columns: impl Iterator<Item = &'c str>) -> anyhow::Result<()> {
        if !columns.any(|name| matches!(name, "user_id" | "anonymous_id")) {
            bail!("the file has no column `user_id` or `anonymous_id`; name one of its columns so");
        }
        Ok(())
    }

    /// The member of a call that a column is; none for a property or a trait.
    fn member(&self, column: &str) -> Option<&'static str> {
        match column {
            "user_id" => Some("userId"),
            "anonymous_id" => Some("anonymousId"),
            "message_id" => Some("messageId"),
            name if name == self.timestamp => Some("timestamp"),
            _ => None,
        }
    }

    /// The call of a row, as JSON; `cells` are names with their values as JSON, empty ones left out.
    ///
    /// # Errors
    /// When a cell is no JSON, which whoever made it takes care of.
    pub fn call<'c>(&self, cells: impl Iterator<Item = (&'c str, String)>) -> anyhow::Result<String> {
        let (mut call, mut facts) = (BTreeMap::new(), BTreeMap::new());
        for (column, cell) in cells {
            match self.member(column) {
                Some(member) => call.insert(member, raw(quoted(cell))?),
                None => facts.insert(column, raw(cell)?),
            };
        }
        match &self.event {
            Some(event) => {
                call.insert("type", to_raw_value("track")?);
                call.insert("event", to_raw_value(event)?);
                call.insert("properties", to_raw_value(&facts)?);
            }
            None => {
                call.insert("type", to_raw_value("identify")?);
                call.insert("traits", to_raw_value(&facts)?);
            }
        }
        Ok(serde_json::to_string(&call)?)
    }
}

fn raw(json: String) -> anyhow::Result<Box<RawValue>> {
    RawValue::from_string(json).context("a cell is no JSON")
}

/// Ids and times are texts, also where a table holds them as numbers.
fn quoted(json: String) -> String {
    if json.starts_with('"') {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 2);
    write_text(&mut out, &json);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_customer_or_an_event_and_its_numbers_stay_as_they_are() {
        let cells = [("user_id", "7"), ("when", r#""2026-03-01T10:00:00Z""#), ("total", "12.340"), ("big", "12345678901234567890.12")];
        for (event, call) in [
            (
                None,
                r#"{"timestamp":"2026-03-01T10:00:00Z","traits":{"big":12345678901234567890.12,"total":12.340},"type":"identify","userId":"7"}"#,
            ),
            (
                Some("Bought"),
                r#"{"event":"Bought","properties":{"big":12345678901234567890.12,"total":12.340},"timestamp":"2026-03-01T10:00:00Z","type":"track","userId":"7"}"#,
            ),
        ] {
            let rows = Rows { event: event.map(str::to_owned), timestamp: "when".to_owned() };
            assert_eq!(rows.call(cells.iter().map(|(name, cell)| (*name, (*cell).to_owned()))).unwrap(), call);
        }
    }
}
