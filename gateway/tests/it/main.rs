//! Whole gateways on free ports, with the embedded stores and the simulated provider.

#![allow(clippy::unwrap_used, reason = "a panic in a helper is how a test fails")]

mod api;
mod apply;
mod command_line;
#[cfg(feature = "demo")]
mod demo;
mod harness;
mod operator;
mod postgres;
mod provider;
mod redis;
mod replies;
mod telemetry;
mod tidy;
mod webhooks;
