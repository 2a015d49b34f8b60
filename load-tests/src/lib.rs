//! The world outside the gateway, for demos, tests and measurements.
//!
//! [`simulator`] is a provider with the Graph API's shape and rules; [`client`] builds the signed webhooks that
//! such a provider sends. The gateway is only ever met over HTTP: nothing here knows its crates.

pub mod client;
mod limits;
pub mod simulator;
