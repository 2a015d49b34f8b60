//! What a decision may look at besides the state and the input.

use protocol::directory::Number;
use protocol::time::TimestampMs;

use crate::directory::TenantDirectory;

/// Time and configuration, handed in.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The store's time of this input; never goes back within a shard.
    pub now: TimestampMs,
    /// Tenant, templates, flows.
    pub tenant: &'a TenantDirectory,
    /// The conversation's number.
    pub number: &'a Number,
}
