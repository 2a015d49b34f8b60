//! The world outside the gateway, for demos, tests and measurements.
//!
//! [`simulator`] is a provider with the Graph API's shape and rules; [`client`] builds the signed webhooks that
//! such a provider sends; [`load`] sends many of them, [`lab`], [`mod@bench`] and [`scale`] measure,
//! and [`crash`] kills; [`verify`] compares what was acknowledged with what is there. The gateway is only ever met over HTTP: nothing here knows its crates.

pub mod bench;
pub mod ceiling;
pub mod client;
pub mod crash;
pub mod intake;
pub mod lab;
mod limits;
pub mod load;
mod metrics;
pub mod process;
pub mod report;
pub mod scale;
pub mod simulator;
pub mod verify;
