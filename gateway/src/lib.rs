//! The server: webhooks, internal API, provider adapters, configuration, telemetry and the command line.
//!
//! Everything that decides lives in `domain`, everything that acts on conversations in `runtime`; this crate connects
//! them with HTTP, files and the environment. A whole node starts inside a test: nothing here is global.

pub mod api;
pub mod apply;
pub mod cli;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod directory;
pub mod doctor;
pub mod ids;
mod introductions;
pub mod limits;
pub mod metrics;
pub mod provider;
pub mod recent;
pub mod server;
pub mod state;
pub mod telemetry;
pub mod webhooks;
