//! Whole nodes on the memory engine, with a provider that follows a script and a clock that stands still until
//! everything has come to rest: tokio's paused time, which the engine's clock and the limiter follow.

mod commands;
mod flow;
mod world;
