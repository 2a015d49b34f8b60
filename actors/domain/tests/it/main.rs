//! The pure machines as everybody else sees them.
#![allow(clippy::unwrap_used, reason = "the exemption for tests does not reach their helper functions")]

mod billing;
mod conversation;
