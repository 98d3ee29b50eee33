//! Lines of JSON as a Parquet file: columns with types, row groups of bounded size, packed with zstd.
//!
//! At most one row group is in memory. A file that broke off has no foot and is read by nobody.

mod column;
mod tables;

use super::What;
use anyhow::Context;
use column::Column;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

/// Most rows of a row group (DuckDB reads so many at a time), and most bytes of JSON that they come from.
const GROUP: Group = Group { rows_max: 122_880, bytes_max: 64 << 20 };
/// The column for everything that has none.
const OTHER: &str = "other";

#[derive(Clone, Copy)]
struct Group {
    rows_max: usize,
    bytes_max: usize,
}

/// A Parquet file that is being written.
pub struct Table<W: Write + Send> {
    file: SerializedFileWriter<W>,
    columns: Vec<Column>,
    group: Group,
    /// What a line is made into before its members become columns.
    shape: fn(&[u8]) -> serde_json::Result<Vec<u8>>,
    rows: usize,
    bytes: usize,
}

impl<W: Write + Send> Table<W> {
    /// # Errors
    /// When nothing can be written to `out`.
    pub fn new(what: What, out: W) -> anyhow::Result<Table<W>> {
        Table::sized(what, out, GROUP)
    }

    fn sized(what: What, out: W, group: Group) -> anyhow::Result<Table<W>> {
        let (schema, shape): (&str, fn(&[u8]) -> _) = match what {
            What::Events => (tables::EVENTS, |line| Ok(line.to_vec())),
            What::Messages => (tables::MESSAGES, |line| Ok(line.to_vec())),
            What::Decisions | What::Journeys => (tables::DECISIONS, |line| Ok(line.to_vec())),
            What::Profiles => (tables::PROFILES, tables::profile),
        };
        let schema = Arc::new(parse_message_type(schema).context("a table of ours has no schema")?);
        let columns = schema.get_fields().iter().map(|field| Column::new(field)).collect();
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
        let file = SerializedFileWriter::new(out, schema, Arc::new(properties)).context("cannot begin the file")?;
        Ok(Table { file, columns, group, shape, rows: 0, bytes: 0 })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the line is not what a server of this version writes, or the file cannot be written.
    pub fn line(&mut self, line: &[u8]) -> anyhow::Result<()> {
        let row = (self.shape)(line).context("the server wrote a line that this version cannot read")?;
        let mut members: BTreeMap<String, &RawValue> =
            serde_json::from_slice(&row).context("the server wrote a line that this version cannot read")?;
        for column in &mut self.columns {
            if column.name == OTHER {
                let rest = if members.is_empty() { None } else { Some(to_raw_value(&members)?) };
                column.push(rest.as_deref())?;
            } else {
                column.push(members.remove(&column.name)).with_context(|| format!("cannot write `{}`", column.name))?;
            }
        }
        self.rows += 1;
        self.bytes += row.len();
        if self.rows >= self.group.rows_max || self.bytes >= self.group.bytes_max { self.write() } else { Ok(()) }
    }

    /// Writes the row group that is in memory.
    fn write(&mut self) -> anyhow::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        (self.rows, self.bytes) = (0, 0);
        let mut group = self.file.next_row_group().context("cannot write a row group")?;
        for column in &mut self.columns {
            let mut writer = group.next_column()?.context("the file has fewer columns than its schema")?;
            column.write(&mut writer)?;
            writer.close()?;
        }
        group.close().context("cannot write a row group")?;
        Ok(())
    }

    /// Writes what is left, and the foot.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.write()?;
        self.file.close().context("cannot end the file")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    fn written(what: What, group: Group, lines: &[&str]) -> anyhow::Result<SerializedFileReader<bytes::Bytes>> {
        let mut out = Vec::new();
        let mut table = Table::sized(what, &mut out, group)?;
        lines.iter().try_for_each(|line| table.line(line.as_bytes()))?;
        table.finish()?;
        Ok(SerializedFileReader::new(bytes::Bytes::from(out))?)
    }

    #[test]
    fn a_row_group_has_at_most_so_many_rows_and_bytes() {
        let line = r#"{"id":"msg_1","at":"2026-03-01T10:00:00Z"}"#;
        for (rows_max, bytes_max, groups) in
            [(2, 1 << 20, vec![2, 2, 1]), (100, 80, vec![2, 2, 1]), (100, 1 << 20, vec![5]), (5, 1 << 20, vec![5])]
        {
            let file = written(What::Messages, Group { rows_max, bytes_max }, &[line; 5]).unwrap();
            let found: Vec<i64> = file.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
            assert_eq!(found, groups, "{rows_max} rows, {bytes_max} bytes");
        }
        assert_eq!(written(What::Messages, GROUP, &[]).unwrap().metadata().num_row_groups(), 0);
    }

    #[test]
    fn members_become_columns_and_what_has_none_goes_to_other() {
        let line = r#"{"type":"track","messageId":"m1","timestamp":"2026-03-01T10:00:00.5Z","properties":{"value":50.10},"event":"a\"b","new":[1]}"#;
        let file = written(What::Events, GROUP, &[line]).unwrap();
        let row = file.get_row_iter(None).unwrap().next().unwrap().unwrap();
        let told: Vec<String> =
            row.get_column_iter().map(|(name, field)| format!("{name}={field}")).filter(|told| !told.ends_with("=null")).collect();
        let expected = [
            "type=\"track\"",
            "event=\"a\"b\"",
            "messageId=\"m1\"",
            "timestamp=2026-03-01 10:00:00.500000 +00:00",
            "properties=\"{\"value\":50.10}\"",
            "other=\"{\"new\":[1]}\"",
        ];
        assert_eq!(told, expected);
        for wrong in ["{\"timestamp\":\"soon\"}", "[]", "{"] {
            assert!(written(What::Events, GROUP, &[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_decision_has_a_column_for_all_that_it_says() {
        let line = r#"{"kind":"moved","id":"dec_1","at":"2026-03-01T10:00:00Z","undo":true,"merge":3,"granted":false,"until":"2026-03-01T10:00:00Z","value":1.0}"#;
        let file = written(What::Decisions, GROUP, &[line]).unwrap();
        let row = file.get_row_iter(None).unwrap().next().unwrap().unwrap();
        let told: Vec<String> =
            row.get_column_iter().map(|(name, field)| format!("{name}={field}")).filter(|told| !told.ends_with("=null")).collect();
        let instant = "2026-03-01 10:00:00.000000 +00:00";
        let expected = [
            "kind=\"moved\"",
            "id=\"dec_1\"",
            &format!("at={instant}"),
            "undo=true",
            &format!("until={instant}"),
            "value=\"1.0\"",
            "granted=false",
            "merge=3",
        ];
        assert_eq!(told, expected);
    }
}
