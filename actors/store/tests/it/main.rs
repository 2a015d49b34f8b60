//! The contract suites of the store.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

mod engine;
mod records;
