//! Whole nodes on the memory engine, with a provider that follows a script and a clock that stands still until
//! everything has come to rest: tokio's paused time, which the engine's clock and the limiter follow.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod commands;
mod crash;
mod flow;
mod ingress;
mod memory;
mod nodes;
mod poison;
mod simulation;
mod world;
