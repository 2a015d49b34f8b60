//! The simulator's rules, checked by real HTTP on the loopback.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod contacts;
mod delivery;
mod faults;
mod harness;
mod limits;
mod load;
mod media;
mod sending;
mod templates;
mod window;
