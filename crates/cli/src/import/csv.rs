//! CSV (RFC 4180) with a head line.

use super::call::Rows;
use anyhow::Context;
use faden_model::json::write_text;
use std::io::BufRead;

/// One record: a line, or several where a quoted cell goes over the line's end.
///
/// # Errors
/// The reader's.
pub fn read_record(reader: &mut impl BufRead, line: &mut String) -> std::io::Result<usize> {
    let mut read = reader.read_line(line)?;
    while read > 0 && !line.matches('"').count().is_multiple_of(2) {
        let more = reader.read_line(line)?;
        if more == 0 {
            break;
        }
        read += more;
    }
    Ok(read)
}

/// Names of the columns.
///
/// # Errors
/// When there is no head line, or its columns do not say whom a row is about.
pub fn head(rows: &Rows, reader: &mut impl BufRead) -> anyhow::Result<Vec<String>> {
    let mut line = String::new();
    read_record(reader, &mut line).context("cannot read the head line")?;
    let columns = cells(line.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']));
    rows.check(columns.iter().map(String::as_str))?;
    Ok(columns)
}

/// A line as a Segment call.
///
/// # Errors
/// As [`Rows::call`].
pub fn call(rows: &Rows, columns: &[String], line: &str) -> anyhow::Result<String> {
    let cells = cells(line);
    let filled = columns.iter().zip(&cells).filter(|(_, cell)| !cell.is_empty());
    rows.call(filled.map(|(column, cell)| (column.as_str(), value(cell))))
}

fn cells(line: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells
}

/// A cell as JSON. A leading zero or plus is part of a name, not of a number.
fn value(cell: &str) -> String {
    let number = cell.starts_with(|sign: char| sign == '-' || sign.is_ascii_digit())
        && !cell.ends_with(char::is_whitespace)
        && serde_json::from_str::<serde_json::Number>(cell).is_ok();
    if number || matches!(cell, "true" | "false") {
        return cell.to_owned();
    }
    let mut out = String::with_capacity(cell.len() + 2);
    write_text(&mut out, cell);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_as_rfc_4180_says() {
        for (line, found) in [
            ("a,b", vec!["a", "b"]),
            ("a,", vec!["a", ""]),
            ("\"a,b\",c", vec!["a,b", "c"]),
            ("\"say \"\"hi\"\"\",1", vec!["say \"hi\"", "1"]),
            ("\"two\nlines\",x", vec!["two\nlines", "x"]),
        ] {
            assert_eq!(cells(line), found, "{line}");
        }
    }

    #[test]
    fn a_cell_is_a_number_only_if_json_would_write_it_so() {
        for (cell, json) in [
            ("50.0", "50.0"),
            ("-1.50", "-1.50"),
            ("0123", "\"0123\""),
            ("+49", "\"+49\""),
            (" 7", "\" 7\""),
            ("1e999", "\"1e999\""),
            ("true", "true"),
            ("say \"hi\"", "\"say \\\"hi\\\"\""),
        ] {
            assert_eq!(value(cell), json, "{cell}");
        }
    }
}
