//! A column of a row group, value by value, with the levels that say where in a record each stands.

use super::cell::{Cell, Meaning};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::Result;
use std::collections::VecDeque;

/// A value in its place; `cell` is missing where something on the way to it is null or empty.
pub struct Placed {
    pub definition: i16,
    pub repetition: i16,
    pub cell: Option<Cell>,
}

/// What has been read of a column and not been taken yet.
pub struct Column {
    reader: ColumnReader,
    meaning: Meaning,
    /// Levels of a value that is there, inside the deepest list.
    definition_max: i16,
    repetition_max: i16,
    ahead: VecDeque<Placed>,
}

impl Column {
    pub fn new(reader: ColumnReader, meaning: Meaning, definition_max: i16, repetition_max: i16) -> Column {
        Column { reader, meaning, definition_max, repetition_max, ahead: VecDeque::new() }
    }

    /// The next value; `None` at the end of what was read.
    pub fn next(&self) -> Option<&Placed> {
        self.ahead.front()
    }

    pub fn take(&mut self) -> Option<Placed> {
        self.ahead.pop_front()
    }

    /// Reads so many records, or as many as there are.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn read(&mut self, records: usize) -> Result<()> {
        let meaning = self.meaning;
        let levels = Levels { definition_max: self.definition_max, repetition_max: self.repetition_max, records };
        self.ahead = match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => levels.read(reader, |value| meaning.bool(*value)),
            ColumnReader::Int32ColumnReader(reader) => levels.read(reader, |value| meaning.integer(i64::from(*value), 32)),
            ColumnReader::Int64ColumnReader(reader) => levels.read(reader, |value| meaning.integer(*value, 64)),
            ColumnReader::Int96ColumnReader(reader) => levels.read(reader, |value| meaning.julian(value.data())),
            // Each in its own width: 0.1 stays 0.1.
            ColumnReader::FloatColumnReader(reader) => levels.read(reader, |value| meaning.float(f64::from(*value), json(value))),
            ColumnReader::DoubleColumnReader(reader) => levels.read(reader, |value| meaning.float(*value, json(value))),
            ColumnReader::ByteArrayColumnReader(reader) => levels.read(reader, |value| meaning.bytes(value.data())),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => levels.read(reader, |value| meaning.bytes(value.data())),
        }?;
        Ok(())
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

struct Levels {
    definition_max: i16,
    repetition_max: i16,
    records: usize,
}

impl Levels {
    fn read<T: DataType>(&self, reader: &mut ColumnReaderImpl<T>, cell: impl Fn(&T::T) -> Cell) -> Result<VecDeque<Placed>> {
        let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
        let (_, _, read) = reader.read_records(self.records, Some(&mut definitions), Some(&mut repetitions), &mut values)?;
        let mut values = values.iter();
        let placed = (0..read).map(|index| {
            let definition = if self.definition_max > 0 { definitions[index] } else { 0 };
            let repetition = if self.repetition_max > 0 { repetitions[index] } else { 0 };
            let there = definition == self.definition_max;
            Placed { definition, repetition, cell: if there { values.next().map(&cell) } else { None } }
        });
        Ok(placed.collect())
    }
}
