//! Every bound of the engine, with its reason.

use protocol::time::SpanMs;

/// How long the result of a command is kept: what we promise to callers that repeat an idempotency key.
pub const RESULT_LIFE: SpanMs = SpanMs::hours(24);

/// How long a provider id is remembered. The provider repeats a webhook for up to 7 days; a day is added for
/// clocks and for the time an entry waits in the log.
pub const SEEN_LIFE: SpanMs = SpanMs::hours(8 * 24);
