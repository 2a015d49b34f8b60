//! Idempotency keys.

use async_trait::async_trait;
use futures_util::FutureExt as _;
use protocol::id::TenantId;
use protocol::time::{SpanMs, TimestampMs};

use super::super::limits::KEY_HOURS;
use super::super::{Claim, Keys, RecordsResult, StoredResponse};
use super::statement::{Database, Durability, Sql, one};
use super::value::values;

#[async_trait]
impl<D: Database> Keys for D {
    async fn claim_key(
        &self,
        tenant: TenantId,
        key: String,
        fingerprint: u64,
        now: TimestampMs,
    ) -> RecordsResult<Claim> {
        // Not durable against a power failure: the engine keeps the results of commands by the same key, and a
        // document write repeated after one is a write of the same document.
        self.write(Durability::Process, move |db| claim(db, (tenant, key), fingerprint, now).boxed()).await
    }

    async fn keep_response(
        &self,
        tenant: TenantId,
        key: String,
        response: StoredResponse,
    ) -> RecordsResult<()> {
        let sql =
            "UPDATE idempotency_keys SET status = ?3, etag = ?4, body = ?5 WHERE tenant = ?1 AND key = ?2";
        let values = values![tenant.0, key, response.status, response.etag, response.body];
        self.write(Durability::Process, move |db| db.run(sql, values).boxed()).await.map(drop)
    }

    async fn release_key(&self, tenant: TenantId, key: String) -> RecordsResult<()> {
        let sql = "DELETE FROM idempotency_keys WHERE tenant = ?1 AND key = ?2 AND status IS NULL";
        let values = values![tenant.0, key];
        self.write(Durability::Process, move |db| db.run(sql, values).boxed()).await.map(drop)
    }
}

async fn claim<S: Sql>(
    db: &mut S,
    (tenant, key): (TenantId, String),
    fingerprint: u64,
    now: TimestampMs,
) -> RecordsResult<Claim> {
    // One statement takes it or does not: of two nodes that ask at once only one may get it.
    let take = "INSERT INTO idempotency_keys (tenant, key, fingerprint, at) VALUES (?1, ?2, ?3, ?4) \
                ON CONFLICT (tenant, key) DO UPDATE SET fingerprint = ?3, at = ?4, status = NULL, \
                etag = NULL, body = NULL WHERE idempotency_keys.at <= ?5";
    let expired = now - SpanMs::hours(KEY_HOURS);
    let values = values![tenant.0, key.as_str(), fingerprint as i64, now.0, expired.0];
    if db.run(take, values).await? > 0 {
        return Ok(Claim::Fresh);
    }
    let sql = "SELECT fingerprint, status, etag, body FROM idempotency_keys WHERE tenant = ?1 AND key = ?2";
    let known = one(db, sql, values![tenant.0, key.as_str()], |cells| {
        let print = cells.take::<i64>()? as u64;
        let (status, etag, body) =
            (cells.take::<Option<u16>>()?, cells.take()?, cells.take::<Option<String>>()?);
        let response = status.map(|status| StoredResponse { status, etag, body: body.unwrap_or_default() });
        Ok((print, response))
    });
    Ok(match known.await? {
        Some((print, response)) if print == fingerprint => Claim::Same { response },
        Some(_) => Claim::Different,
        // Given back since: the next try gets it.
        None => Claim::Same { response: None },
    })
}
