//! The shape of a record, and records put together again from columns.
//!
//! A definition level says how much of the way to a value is there, a repetition level in which list a value goes on.
//! Lists come in the shapes that older programs wrote, too. A field of a struct that is null is left out: files of
//! structs hold every field that any row has. Nulls in lists and maps stay.
//! Source: Melnik et al., "Dremel", VLDB 2010, section 4.2; Apache Parquet, LogicalTypes.md, nested types.

use super::column::Column;
use parquet::basic::{ConvertedType, LogicalType, Repetition};
use parquet::schema::types::{Type, TypePtr};
use std::ops::Range;

/// A part of a record.
pub struct Node {
    pub name: String,
    shape: Shape,
    /// From this definition level on it is there, if only as an empty list.
    there: i16,
    /// The columns below it.
    columns: Range<usize>,
}

enum Shape {
    Value,
    Struct(Vec<Node>),
    List { item: Box<Node>, repetition: i16 },
    Map { key: Box<Node>, value: Box<Node>, repetition: i16 },
}

/// Columns that do not fit together.
#[derive(Debug, thiserror::Error)]
#[error("its columns do not fit together; the file is damaged, write it again")]
pub struct Damaged;

/// A value that has no JSON, by its column.
pub struct Wrong {
    pub column: usize,
    pub reason: &'static str,
}

/// Where the walk through a schema is.
struct Walk {
    columns: usize,
}

/// The fields of records of this schema.
pub fn fields(schema: &Type) -> Vec<Node> {
    let mut walk = Walk { columns: 0 };
    inner(schema).iter().map(|field| walk.field(field, 0, 0)).collect()
}

impl Walk {
    /// A field as its schema repeats it.
    fn field(&mut self, field: &Type, definition: i16, repetition: i16) -> Node {
        let first = self.columns;
        match repeated(field) {
            Repetition::REQUIRED => self.body(field, definition, repetition),
            Repetition::OPTIONAL => self.body(field, definition + 1, repetition),
            // A list that nothing says is one.
            Repetition::REPEATED => {
                let item = Box::new(self.body(field, definition + 1, repetition + 1));
                let shape = Shape::List { item, repetition: repetition + 1 };
                Node { name: field.name().to_owned(), shape, there: definition, columns: first..self.columns }
            }
        }
    }

    fn body(&mut self, field: &Type, definition: i16, repetition: i16) -> Node {
        let first = self.columns;
        let shape = match inner(field) {
            _ if field.is_primitive() => {
                self.columns += 1;
                Shape::Value
            }
            [group] if is_list(field) && repeated(group) == Repetition::REPEATED => {
                let item = match inner(group) {
                    [element] if !is_element(field, group, element) => self.field(element, definition + 1, repetition + 1),
                    _ => self.body(group, definition + 1, repetition + 1),
                };
                Shape::List { item: Box::new(item), repetition: repetition + 1 }
            }
            [pair] if is_map(field) && repeated(pair) == Repetition::REPEATED && inner(pair).len() == 2 => {
                let [key, value] = [0, 1].map(|place| Box::new(self.field(&inner(pair)[place], definition + 1, repetition + 1)));
                Shape::Map { key, value, repetition: repetition + 1 }
            }
            fields => Shape::Struct(fields.iter().map(|field| self.field(field, definition, repetition)).collect()),
        };
        Node { name: field.name().to_owned(), shape, there: definition, columns: first..self.columns }
    }
}

/// The fields of a group; a value has none.
fn inner(field: &Type) -> &[TypePtr] {
    if field.is_group() { field.get_fields() } else { &[] }
}

fn repeated(field: &Type) -> Repetition {
    let facts = field.get_basic_info();
    if facts.has_repetition() { facts.repetition() } else { Repetition::REQUIRED }
}

fn is_list(field: &Type) -> bool {
    let facts = field.get_basic_info();
    facts.logical_type_ref() == Some(&LogicalType::List) || facts.converted_type() == ConvertedType::LIST
}

fn is_map(field: &Type) -> bool {
    let facts = field.get_basic_info();
    facts.logical_type_ref() == Some(&LogicalType::Map)
        || matches!(facts.converted_type(), ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE)
}

/// Whether the repeated group is the element itself, as some programs wrote it.
fn is_element(list: &Type, group: &Type, element: &Type) -> bool {
    repeated(element) == Repetition::REPEATED || group.name() == "array" || group.name() == format!("{}_tuple", list.name())
}

impl Node {
    /// Appends the next value as JSON. What has no JSON is `null` and goes to `wrong`.
    ///
    /// # Errors
    /// When the columns do not fit together.
    pub fn read(&self, columns: &mut [Column], out: &mut String, wrong: &mut Vec<Wrong>) -> Result<(), Damaged> {
        match &self.shape {
            Shape::Value => self.value(columns, out, wrong),
            _ if self.definition(columns)? < self.there => self.skip(columns, "null", out),
            Shape::Struct(fields) => {
                out.push('{');
                for field in fields {
                    member(out, |out| field.read(columns, out, wrong), &field.name)?;
                }
                out.push('}');
                Ok(())
            }
            Shape::List { .. } if self.definition(columns)? == self.there => self.skip(columns, "[]", out),
            Shape::Map { .. } if self.definition(columns)? == self.there => self.skip(columns, "{}", out),
            Shape::List { item, repetition } => {
                out.push('[');
                loop {
                    item.read(columns, out, wrong)?;
                    if !self.goes_on(columns, *repetition) {
                        break;
                    }
                    out.push(',');
                }
                out.push(']');
                Ok(())
            }
            Shape::Map { key, value, repetition } => {
                out.push('{');
                loop {
                    let mut name = String::new();
                    key.read(columns, &mut name, wrong)?;
                    if !name.starts_with('"') {
                        name = serde_json::Value::from(name).to_string();
                    }
                    out.push_str(&name);
                    out.push(':');
                    value.read(columns, out, wrong)?;
                    if !self.goes_on(columns, *repetition) {
                        break;
                    }
                    out.push(',');
                }
                out.push('}');
                Ok(())
            }
        }
    }

    fn value(&self, columns: &mut [Column], out: &mut String, wrong: &mut Vec<Wrong>) -> Result<(), Damaged> {
        let column = self.columns.start;
        match columns.get_mut(column).and_then(Column::take).ok_or(Damaged)?.cell {
            Some(Ok(json)) => out.push_str(&json),
            Some(Err(reason)) => {
                wrong.push(Wrong { column, reason });
                out.push_str("null");
            }
            None => out.push_str("null"),
        }
        Ok(())
    }

    /// Every column below has a value's place for what is not there.
    fn skip(&self, columns: &mut [Column], json: &str, out: &mut String) -> Result<(), Damaged> {
        out.push_str(json);
        columns[self.columns.clone()].iter_mut().try_for_each(|column| column.take().map(drop).ok_or(Damaged))
    }

    fn definition(&self, columns: &[Column]) -> Result<i16, Damaged> {
        columns.get(self.columns.start).and_then(Column::next).map(|placed| placed.definition).ok_or(Damaged)
    }

    fn goes_on(&self, columns: &[Column], repetition: i16) -> bool {
        columns[self.columns.start].next().is_some_and(|placed| placed.repetition >= repetition)
    }
}

/// Appends a member to an object that is open, unless it is null.
fn member(out: &mut String, write: impl FnOnce(&mut String) -> Result<(), Damaged>, name: &str) -> Result<(), Damaged> {
    let before = out.len();
    if !out.ends_with('{') {
        out.push(',');
    }
    faden_model::json::write_text(out, name);
    out.push(':');
    let value = out.len();
    write(out)?;
    if &out[value..] == "null" {
        out.truncate(before);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Written, rows};

    const LIST: &str = "message m { optional group l (LIST) { repeated group list { optional int32 element; } } }";

    /// What each row is, for files of which only levels and values are given.
    #[test]
    fn records_are_put_together_from_their_levels() {
        let one = |definitions: &[i16], repetitions: &[i16], values: &[i32]| vec![Written::new(definitions, repetitions, values)];
        for (schema, columns, found) in [
            (
                "message m { required int32 a; optional int32 b; }",
                [one(&[], &[], &[1, 2]), one(&[1, 0], &[], &[3])].concat(),
                vec!["{\"a\":1,\"b\":3}", "{\"a\":2}"],
            ),
            (
                LIST,
                one(&[0, 1, 2, 3, 3, 3], &[0, 0, 0, 0, 1, 1], &[7, 8, 9]),
                vec!["{}", "{\"l\":[]}", "{\"l\":[null]}", "{\"l\":[7,8,9]}"],
            ),
            // Shapes of older programs: the repeated part is the element.
            (
                "message m { optional group l (LIST) { repeated int32 element; } }",
                one(&[2, 2, 1], &[0, 1, 0], &[1, 2]),
                vec!["{\"l\":[1,2]}", "{\"l\":[]}"],
            ),
            (
                "message m { optional group l (LIST) { repeated group array { required int32 a; } } }",
                one(&[2, 2], &[0, 1], &[1, 2]),
                vec!["{\"l\":[{\"a\":1},{\"a\":2}]}"],
            ),
            ("message m { repeated int32 l; }", one(&[0, 1, 1], &[0, 0, 1], &[1, 2]), vec!["{\"l\":[]}", "{\"l\":[1,2]}"]),
            (
                "message m { optional group s { optional int32 a; optional group t { required int32 b; } } }",
                [one(&[0, 1, 2, 2], &[], &[1, 2]), one(&[0, 1, 1, 2], &[], &[3])].concat(),
                vec!["{}", "{\"s\":{}}", "{\"s\":{\"a\":1}}", "{\"s\":{\"a\":2,\"t\":{\"b\":3}}}"],
            ),
            (
                "message m { optional group l (LIST) { repeated group list { optional group element (LIST) { repeated group list { required int32 element; } } } } }",
                one(&[4, 4, 4, 3, 2], &[0, 2, 1, 1, 1], &[1, 2, 3]),
                vec!["{\"l\":[[1,2],[3],[],null]}"],
            ),
            (
                "message m { optional group p (MAP) { repeated group key_value { required int32 key; optional int32 value; } } }",
                [one(&[2, 2, 1, 0], &[0, 1, 0, 0], &[1, 2]), one(&[3, 2, 1, 0], &[0, 1, 0, 0], &[10])].concat(),
                vec!["{\"p\":{\"1\":10,\"2\":null}}", "{\"p\":{}}", "{}"],
            ),
        ] {
            let found: Vec<_> = found.into_iter().map(str::to_owned).collect();
            assert_eq!(rows(schema, &columns).unwrap(), found, "{schema}");
        }
    }

    #[test]
    fn columns_that_do_not_fit_together_are_damage() {
        let schema = "message m { optional group l (LIST) { repeated group list { required int32 a; required int32 b; } } }";
        let columns = [Written::new(&[2, 2], &[0, 1], &[1, 2]), Written::new(&[2], &[0], &[1])];
        assert!(rows(schema, &columns).unwrap_err().contains("damaged"));
    }
}
