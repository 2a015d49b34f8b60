//! Tests of the public API of `protocol`.

#![allow(clippy::unwrap_used, reason = "a panic in a helper is how a test fails")]

mod send;
mod webhook;
