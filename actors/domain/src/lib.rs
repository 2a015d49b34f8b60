//! Who decides. Pure state machines: the conversation with its window, mode, flow, consent and statuses;
//! metering; credits; templates; notification policy.
//!
//! Nothing here waits, reads a clock, draws a random number or does IO: time and configuration are handed in,
//! and what has to happen comes back as effects. The same state, context and input always yield the same result.

pub mod capability;
pub mod consent;
pub mod conversation;
pub mod credits;
pub mod directory;
pub mod erasure;
pub mod file;
pub mod flow;
pub mod limits;
pub mod market;
pub mod metering;
pub mod notice;
pub mod template;
pub mod texts;
pub mod words;
