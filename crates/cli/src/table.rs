//! Small tables of text, aligned by characters: words to the left, numbers to the right.

use crate::terminal::Paint;

/// Rows under one header.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

#[derive(Clone, Debug)]
struct Column {
    name: &'static str,
    numbers: bool,
}

/// Longest cell that is shown, in characters.
const CELL_CHARS_MAX: usize = 40;

impl Table {
    /// Names of columns; one that begins with `#` holds numbers.
    pub fn new<const N: usize>(names: [&'static str; N]) -> Table {
        let columns = names.iter().map(|name| match name.strip_prefix('#') {
            Some(name) => Column { name, numbers: true },
            None => Column { name, numbers: false },
        });
        Table { columns: columns.collect(), rows: Vec::new() }
    }

    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into_iter().map(|cell| shortened(&cell)).collect());
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table with two spaces before each line and between columns, a line end after each row.
    pub fn render(&self, paint: Paint) -> String {
        let width = |at: usize| {
            let cells = self.rows.iter().map(|row| row[at].chars().count());
            cells.chain([self.columns[at].name.chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let names: Vec<String> = self.columns.iter().map(|column| column.name.to_owned()).collect();
        let mut out = format!("{}\n", paint.dim(self.line(&names, &widths).trim_end()));
        for row in &self.rows {
            out.push_str(self.line(row, &widths).trim_end());
            out.push('\n');
        }
        out
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, column), width) in cells.iter().zip(&self.columns).zip(widths) {
            let space = " ".repeat(width - cell.chars().count());
            let (before, after) = if column.numbers { (space.as_str(), "") } else { ("", space.as_str()) };
            line.push_str("  ");
            line.push_str(before);
            line.push_str(cell);
            line.push_str(after);
        }
        line
    }
}

fn shortened(cell: &str) -> String {
    if cell.chars().count() <= CELL_CHARS_MAX {
        return cell.to_owned();
    }
    cell.chars().take(CELL_CHARS_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_numbers_right() {
        let mut table = Table::new(["journey", "#sent"]);
        table.row(["welcome".to_owned(), "7".to_owned()]);
        table.row(["grüße".to_owned(), "1,200".to_owned()]);
        assert_eq!(table.render(Paint { on: false }), "  journey   sent\n  welcome      7\n  grüße    1,200\n");
    }
}
