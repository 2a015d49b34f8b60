//! The provider's limits, and our own of what is kept (facts: Cloud API messages, interactive messages).

/// What is kept of a part that is not understood. Real parts are far smaller; a log entry stays small too.
pub const MAX_RAW_BYTES: usize = 64 * 1024;
