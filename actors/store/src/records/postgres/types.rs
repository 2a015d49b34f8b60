//! Our values and columns as PostgreSQL's.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::super::RecordsResult;
use super::super::sql::{Cell, Row, Value};

type Failure = Box<dyn Error + Sync + Send>;

impl ToSql for Value<'_> {
    fn to_sql(&self, column: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match (self, column) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(number), &Type::INT8) => number.to_sql(column, out),
            (Self::Int(number), &Type::INT4) => i32::try_from(*number)?.to_sql(column, out),
            (Self::Int(number), &Type::INT2) => i16::try_from(*number)?.to_sql(column, out),
            (Self::Text(text), &Type::TEXT) if text.contains('\0') => {
                // The one character that PostgreSQL has no place for, and no person has typed.
                text.replace('\0', "\u{fffd}").to_sql(column, out)
            }
            (Self::Text(text), &Type::TEXT) => text.to_sql(column, out),
            (Self::Id(id), &Type::BYTEA) => id.bytes().to_sql(column, out),
            (Self::Bytes(bytes), &Type::BYTEA) => bytes.as_ref().to_sql(column, out),
            _ => Err(format!("{self:?} does not fit a column of {column}").into()),
        }
    }

    fn accepts(column: &Type) -> bool {
        matches!(*column, Type::INT8 | Type::INT4 | Type::INT2 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(column: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        Ok(match *column {
            Type::INT8 => Self::Int(i64::from_sql(column, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(column, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(column, raw)?.into()),
            Type::BYTEA => Self::Bytes(raw),
            _ => Self::Text(<&str>::from_sql(column, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failure> {
        Ok(Self::Null)
    }

    fn accepts(column: &Type) -> bool {
        matches!(*column, Type::INT8 | Type::INT4 | Type::INT2 | Type::TEXT | Type::BYTEA)
    }
}

impl Row for tokio_postgres::Row {
    fn cell(&self, index: usize) -> RecordsResult<Cell<'_>> {
        Ok(self.try_get(index)?)
    }
}
