//! Parquet files, row by row: whole calls under their own names, or rows of a table.
//!
//! A file is read a few hundred rows at a time; a row group needs not fit into memory. A row with a value that has no
//! JSON is refused by its number, the others are taken. What no row can be read of is told before anything is sent.

mod cell;
mod column;
mod tree;

use super::batch::Batch;
use super::call::Rows;
use crate::progress::Progress;
use anyhow::{Context, bail, ensure};
use cell::Meaning;
use column::Column;
use faden_model::json::write_text;
use parquet::basic::Compression;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use tree::{Damaged, Node, Wrong};

/// What a Parquet file begins with.
const MAGIC: [u8; 4] = *b"PAR1";
/// Rows that are read of all columns before they are put together.
const ROWS: usize = 256;
/// Columns that only whole calls have, as lines of NDJSON do; tables name them `user_id` and `anonymous_id`.
const OF_CALLS: [&str; 3] = ["userId", "anonymousId", "specversion"];

/// Whether the file is Parquet, by how it begins.
///
/// # Errors
/// When it cannot be read, or only its name says so.
pub fn is_parquet(path: &Path) -> anyhow::Result<bool> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("cannot open `{name}`"))?;
    let mut start = Vec::new();
    file.take(MAGIC.len() as u64).read_to_end(&mut start).with_context(|| format!("cannot read `{name}`"))?;
    let is = start == MAGIC;
    ensure!(is || path.extension().is_none_or(|end| end != "parquet"), "`{name}` is not Parquet, though its name says so; rename it");
    Ok(is)
}

/// How the columns of a file are read, column by column of its schema.
struct Layout {
    fields: Vec<Node>,
    meanings: Vec<Meaning>,
    /// Names with their parents', for people.
    names: Vec<String>,
    /// Rows are whole calls.
    calls: bool,
}

/// Every row becomes an event of `batch`.
///
/// # Errors
/// When the file cannot be read, or the events cannot be sent.
pub fn read(rows: &Rows, path: &Path, batch: &mut Batch<'_>) -> anyhow::Result<()> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("cannot open `{name}`"))?;
    let reader = SerializedFileReader::new(file).with_context(|| format!("cannot read `{name}` as Parquet"))?;
    let layout = layout(&reader).with_context(|| format!("cannot import `{name}`"))?;
    if !layout.calls {
        rows.check(layout.fields.iter().map(|field| field.name.as_str())).with_context(|| format!("cannot import `{name}`"))?;
    }
    let mut progress = Progress::of(u64::try_from(reader.metadata().file_metadata().num_rows()).ok());
    each(&reader, &layout, |number, row| {
        progress.advance(1, batch.sent());
        match row {
            Ok(cells) if layout.calls => batch.event(number, &object(cells)),
            Ok(cells) => batch.event(number, &rows.call(cells.into_iter().map(whole_id))?),
            Err(Wrong { column, reason }) => batch.wrong(number, &format!("column `{}` holds {reason}", layout.names[column])),
        }
    })
    .with_context(|| format!("cannot import `{name}`"))?;
    progress.finish();
    Ok(())
}

/// Names with values as JSON, those left out that are null; or what has no JSON.
type Row<'l> = Result<Vec<(&'l str, String)>, Wrong>;

/// Hands over every row with its number, from 1 on.
fn each<'l>(reader: &dyn FileReader, layout: &'l Layout, mut take: impl FnMut(u64, Row<'l>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut number = 0;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group)?;
        let mut columns = Vec::new();
        for (index, meaning) in layout.meanings.iter().enumerate() {
            let descriptor = group.metadata().schema_descr().column(index);
            columns.push(Column::new(group.get_column_reader(index)?, *meaning, descriptor.max_def_level(), descriptor.max_rep_level()));
        }
        let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        while left > 0 {
            let some = left.min(ROWS);
            columns.iter_mut().try_for_each(|column| column.read(some)).with_context(|| format!("cannot read on after row {number}"))?;
            for _ in 0..some {
                number += 1;
                take(number, row(layout, &mut columns).with_context(|| format!("cannot read row {number}"))?)?;
            }
            left -= some;
        }
    }
    Ok(())
}

/// Takes one row out of the columns.
fn row<'l>(layout: &'l Layout, columns: &mut [Column]) -> Result<Row<'l>, Damaged> {
    let (mut cells, mut wrong) = (Vec::new(), Vec::new());
    for field in &layout.fields {
        let mut json = String::new();
        field.read(columns, &mut json, &mut wrong)?;
        if json != "null" {
            cells.push((field.name.as_str(), json));
        }
    }
    // The next row begins with a new record everywhere.
    if columns.iter().any(|column| column.next().is_some_and(|next| next.repetition > 0)) {
        return Err(Damaged);
    }
    Ok(wrong.into_iter().next().map_or(Ok(cells), Err))
}

fn layout(reader: &dyn FileReader) -> anyhow::Result<Layout> {
    let schema = reader.metadata().file_metadata().schema_descr();
    let (mut meanings, mut names) = (Vec::new(), Vec::new());
    for column in schema.columns() {
        let name = column.path().string();
        let Some(meaning) = Meaning::of(column) else {
            bail!("column `{name}` is of a type that has no JSON; leave it out or write it as text");
        };
        meanings.push(meaning);
        names.push(name);
    }
    for group in reader.metadata().row_groups() {
        for column in group.columns() {
            match column.compression() {
                Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::ZSTD(_) | Compression::GZIP(_) => {}
                other => bail!("its columns are packed with {other}, which is not read; write it with zstd, snappy or gzip"),
            }
        }
    }
    let fields = tree::fields(schema.root_schema());
    let calls = fields.iter().any(|field| OF_CALLS.contains(&field.name.as_str()));
    Ok(Layout { fields, meanings, names, calls })
}

fn object(cells: Vec<(&str, String)>) -> String {
    let mut out = String::from("{");
    for (name, json) in cells {
        if out.len() > 1 {
            out.push(',');
        }
        write_text(&mut out, name);
        out.push(':');
        out.push_str(&json);
    }
    out.push('}');
    out
}

/// Data frames turn whole numbers into floats where one is missing: the id 7.0 is 7.
fn whole_id((name, json): (&str, String)) -> (&str, String) {
    match json.strip_suffix(".0") {
        Some(whole) if matches!(name, "user_id" | "anonymous_id") => (name, whole.to_owned()),
        _ => (name, json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::data_type::Int32Type;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use std::sync::Arc;

    /// A column of 32-bit numbers as it lies in a file.
    #[derive(Clone)]
    pub struct Written {
        definitions: Vec<i16>,
        repetitions: Vec<i16>,
        values: Vec<i32>,
    }

    impl Written {
        pub fn new(definitions: &[i16], repetitions: &[i16], values: &[i32]) -> Written {
            Written { definitions: definitions.to_vec(), repetitions: repetitions.to_vec(), values: values.to_vec() }
        }
    }

    /// The rows of a file of these columns.
    pub fn rows(schema: &str, columns: &[Written]) -> Result<Vec<String>, String> {
        let mut bytes = Vec::new();
        let mut file = SerializedFileWriter::new(&mut bytes, Arc::new(parse_message_type(schema).unwrap()), Arc::default()).unwrap();
        let mut group = file.next_row_group().unwrap();
        for column in columns {
            let mut writer = group.next_column().unwrap().unwrap();
            let [definitions, repetitions] =
                [&column.definitions, &column.repetitions].map(|levels| (!levels.is_empty()).then_some(&levels[..]));
            writer.typed::<Int32Type>().write_batch(&column.values, definitions, repetitions).unwrap();
            writer.close().unwrap();
        }
        group.close().unwrap();
        file.close().unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).map_err(|error| error.to_string())?;
        let layout = layout(&reader).map_err(|error| format!("{error:#}"))?;
        let mut found = Vec::new();
        each(&reader, &layout, |_, row| {
            found.push(row.map_or_else(|wrong| wrong.reason.to_owned(), object));
            Ok(())
        })
        .map_err(|error| format!("{error:#}"))?;
        Ok(found)
    }
}
