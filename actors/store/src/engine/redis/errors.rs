//! What errors of the server and of the connection mean.

use redis::{RedisError, ServerError, ServerErrorKind, Value};

use crate::engine::{EngineError, EngineResult};

/// What an error reply says about the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The slot is elsewhere now: learn where, ask there.
    Moved,
    /// The slot is on its way: ask the other server, this once.
    Ask(String),
    /// Not now; nothing happened.
    Again(String),
    /// The library is missing: a new server, or somebody flushed the functions.
    NoFunction,
    /// Memory or disk is short; nothing happened.
    Full(String),
    /// Nothing happened, and nothing will if it is repeated.
    Refused(String),
    /// It failed while it ran.
    Doubtful(String),
}

/// Reads an error reply.
pub(super) fn read(error: &ServerError) -> Reply {
    let text = error.to_string();
    let details = error.details().unwrap_or_default();
    match (error.kind(), error.code()) {
        (Some(ServerErrorKind::Moved), _) => Reply::Moved,
        (Some(ServerErrorKind::Ask), _) => {
            Reply::Ask(details.split_ascii_whitespace().nth(1).unwrap_or_default().to_owned())
        }
        (
            Some(
                ServerErrorKind::TryAgain
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::BusyLoading
                | ServerErrorKind::ReadOnly,
            ),
            _,
        )
        | (_, "BUSY") => Reply::Again(text),
        (Some(ServerErrorKind::NoScript), _) => Reply::NoFunction,
        (Some(ServerErrorKind::CrossSlot | ServerErrorKind::NoPerm), _) | (_, "NOAUTH" | "NOREPLICAS") => {
            Reply::Refused(text)
        }
        (_, "OOM" | "MISCONF") => Reply::Full(text),
        _ if details.contains("Function not found") => Reply::NoFunction,
        _ => Reply::Doubtful(text),
    }
}

/// The server answered something that the library cannot have said.
pub(super) fn garbled(what: &str) -> EngineError {
    EngineError::Failed(format!("the server's answer to {what} cannot be read").into())
}

/// The call was not sent, or only read.
pub(super) fn failed(error: RedisError) -> EngineError {
    EngineError::Failed(Box::new(error))
}

/// Something stored cannot be read, or something to store cannot be written.
pub(super) fn failed_read(error: postcard::Error) -> EngineError {
    EngineError::Failed(Box::new(error))
}

/// For calls that change nothing: an answer that was lost is no doubt.
pub(super) fn nothing_changed(error: EngineError) -> EngineError {
    match error {
        EngineError::Unknown(reason) => EngineError::Failed(reason.into()),
        other => other,
    }
}

/// A whole number, however the server writes it.
pub(super) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::BulkString(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
        _ => None,
    }
}

/// Several whole numbers.
pub(super) fn numbers(value: &Value, what: &str) -> EngineResult<Vec<u64>> {
    let Value::Array(values) = value else { return Err(garbled(what)) };
    values.iter().map(|value| number(value).ok_or_else(|| garbled(what))).collect()
}

/// The elements of an array.
pub(super) fn elements(value: Value, what: &str) -> EngineResult<Vec<Value>> {
    match value {
        Value::Array(values) => Ok(values),
        _ => Err(garbled(what)),
    }
}

/// A string, or nothing.
pub(super) fn bytes(value: Value, what: &str) -> EngineResult<Option<Vec<u8>>> {
    match value {
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::Nil => Ok(None),
        _ => Err(garbled(what)),
    }
}
