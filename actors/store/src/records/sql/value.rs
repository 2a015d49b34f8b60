//! Parameters of statements.

use std::borrow::Cow;

use super::super::EventSeq;

/// A 128-bit id as 16 bytes, big-endian: half the size of its text form, in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id([u8; 16]);

impl Id {
    pub(super) const fn get(self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    pub(super) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Nothing.
    Null,
    /// A number, a time, or a yes as one.
    Int(i64),
    /// Text.
    Text(Cow<'a, str>),
    /// An id.
    Id(Id),
    /// Anything else.
    Bytes(Cow<'a, [u8]>),
}

/// The parameters of one statement, in order of their numbers.
pub(crate) type Values<'a> = Vec<Value<'a>>;

/// Makes [`Values`] of whatever has a [`Value`].
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::records::sql::value::Value::from($value)),*] };
}
pub(super) use values;

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<u16> for Value<'_> {
    fn from(value: u16) -> Self {
        Self::Int(value.into())
    }
}

impl From<u64> for Value<'_> {
    /// What is beyond all columns can hold is beyond all rows.
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value<'_> {
    fn from(value: usize) -> Self {
        Self::from(value as u64)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}

impl From<EventSeq> for Value<'_> {
    fn from(value: EventSeq) -> Self {
        Self::from(value.0)
    }
}

impl From<u128> for Value<'_> {
    /// Only ids are that long.
    fn from(value: u128) -> Self {
        Self::Id(Id(value.to_be_bytes()))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value.into())
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
