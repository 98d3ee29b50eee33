//! A column of a row group that is being filled, as compact as it will lie in the file.

use anyhow::{Context, bail};
use bytes::Bytes;
use faden_model::Timestamp;
use parquet::basic::{LogicalType, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::file::writer::SerializedColumnWriter;
use parquet::schema::types::Type;
use serde_json::value::RawValue;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Json,
    /// Microseconds since 1970.
    Instant,
    Number,
    Flag,
}

/// A column; every value may be missing.
pub struct Column {
    pub name: String,
    kind: Kind,
    /// For each row whether there is a value, as the file says it.
    definitions: Vec<i16>,
    /// Texts one after the other, and where each ends.
    text: Vec<u8>,
    ends: Vec<usize>,
    numbers: Vec<i64>,
    flags: Vec<bool>,
}

impl Column {
    /// For a field of one of our own schemas.
    pub fn new(field: &Type) -> Column {
        let kind = match (field.get_physical_type(), field.get_basic_info().logical_type_ref()) {
            (_, Some(LogicalType::Json)) => Kind::Json,
            (_, Some(LogicalType::Timestamp(_))) => Kind::Instant,
            (Physical::INT64, _) => Kind::Number,
            (Physical::BOOLEAN, _) => Kind::Flag,
            _ => Kind::Text,
        };
        let (definitions, text, ends, numbers, flags) = Default::default();
        Column { name: field.name().to_owned(), kind, definitions, text, ends, numbers, flags }
    }

    /// Adds the value of a row.
    ///
    /// # Errors
    /// When the value is of another kind.
    pub fn push(&mut self, value: Option<&RawValue>) -> anyhow::Result<()> {
        let Some(value) = value.map(RawValue::get).filter(|value| *value != "null") else {
            self.definitions.push(0);
            return Ok(());
        };
        match self.kind {
            Kind::Text => {
                let text: String = serde_json::from_str(value).context("it is no text")?;
                self.text.extend_from_slice(text.as_bytes());
                self.ends.push(self.text.len());
            }
            Kind::Json => {
                self.text.extend_from_slice(value.as_bytes());
                self.ends.push(self.text.len());
            }
            Kind::Instant => {
                let text: String = serde_json::from_str(value).context("it is no instant")?;
                let Some(micros) = Timestamp::parse(&text)?.0.checked_mul(1000) else { bail!("`{text}` is too far away") };
                self.numbers.push(micros);
            }
            Kind::Number => self.numbers.push(serde_json::from_str(value).context("it is no whole number")?),
            Kind::Flag => self.flags.push(serde_json::from_str(value).context("it is neither true nor false")?),
        }
        self.definitions.push(1);
        Ok(())
    }

    /// Writes the values and is empty again.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> parquet::errors::Result<()> {
        let definitions = Some(&self.definitions[..]);
        match self.kind {
            Kind::Text | Kind::Json => {
                let all = Bytes::from(std::mem::take(&mut self.text));
                let starts = std::iter::once(&0).chain(&self.ends);
                let texts: Vec<ByteArray> = starts.zip(&self.ends).map(|(start, end)| all.slice(*start..*end).into()).collect();
                writer.typed::<ByteArrayType>().write_batch(&texts, definitions, None)?;
            }
            Kind::Instant | Kind::Number => drop(writer.typed::<Int64Type>().write_batch(&self.numbers, definitions, None)?),
            Kind::Flag => drop(writer.typed::<BoolType>().write_batch(&self.flags, definitions, None)?),
        }
        self.ends.clear();
        self.numbers.clear();
        self.flags.clear();
        self.definitions.clear();
        Ok(())
    }
}
