//! Idempotency keys of HTTP writes, kept for 24 hours.

use async_trait::async_trait;
use protocol::id::TenantId;
use protocol::time::TimestampMs;

use super::RecordsResult;

/// What is known about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Never seen within 24 hours: now it is the caller's.
    Fresh,
    /// Seen with the same request.
    Same {
        /// The answer that was given; `None` while the first is under way, and for commands, whose results
        /// the engine keeps.
        response: Option<StoredResponse>,
    },
    /// Seen with another request.
    Different,
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    /// Status code.
    pub status: u16,
    /// `ETag`, if it had one.
    pub etag: Option<String>,
    /// Body.
    pub body: String,
}

/// Idempotency keys.
#[async_trait]
pub trait Keys: Send + Sync + 'static {
    /// Takes a key for a request, whose `fingerprint` is a hash of everything that was asked.
    async fn claim_key(
        &self,
        tenant: TenantId,
        key: String,
        fingerprint: u64,
        now: TimestampMs,
    ) -> RecordsResult<Claim>;

    /// Keeps the answer for callers that ask again.
    async fn keep_response(
        &self,
        tenant: TenantId,
        key: String,
        response: StoredResponse,
    ) -> RecordsResult<()>;

    /// Gives a key back: the request had no effect and may be tried again.
    async fn release_key(&self, tenant: TenantId, key: String) -> RecordsResult<()>;
}
