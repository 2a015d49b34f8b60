//! Idempotency keys.

use async_trait::async_trait;
use protocol::id::TenantId;
use protocol::time::{SpanMs, TimestampMs};
use rusqlite::Transaction;

use super::super::limits::KEY_HOURS;
use super::super::{Claim, Keys, RecordsResult, StoredResponse};
use super::SqliteRecords;
use super::sql::{Id, one, run};

#[async_trait]
impl Keys for SqliteRecords {
    async fn claim_key(
        &self,
        tenant: TenantId,
        key: String,
        fingerprint: u64,
        now: TimestampMs,
    ) -> RecordsResult<Claim> {
        // Not durable against a power failure: the engine keeps the results of commands by the same key, and a
        // document write repeated after one is a write of the same document.
        self.write(move |transaction| claim(transaction, (tenant, &key), fingerprint, now)).await
    }

    async fn keep_response(
        &self,
        tenant: TenantId,
        key: String,
        response: StoredResponse,
    ) -> RecordsResult<()> {
        let sql =
            "UPDATE idempotency_keys SET status = ?3, etag = ?4, body = ?5 WHERE tenant = ?1 AND key = ?2";
        self.write(move |transaction| {
            let values = (Id::new(tenant.0), key, response.status, response.etag, response.body);
            run(transaction, sql, values).map(drop)
        })
        .await
    }

    async fn release_key(&self, tenant: TenantId, key: String) -> RecordsResult<()> {
        let sql = "DELETE FROM idempotency_keys WHERE tenant = ?1 AND key = ?2 AND status IS NULL";
        self.write(move |transaction| run(transaction, sql, (Id::new(tenant.0), key)).map(drop)).await
    }
}

fn claim(
    transaction: &Transaction<'_>,
    (tenant, key): (TenantId, &str),
    fingerprint: u64,
    now: TimestampMs,
) -> RecordsResult<Claim> {
    let sql =
        "SELECT fingerprint, at, status, etag, body FROM idempotency_keys WHERE tenant = ?1 AND key = ?2";
    let known = one(transaction, sql, (Id::new(tenant.0), key), |cells| {
        let (print, at) = (cells.take::<i64>()?, cells.time()?);
        let (status, etag, body) =
            (cells.take::<Option<u16>>()?, cells.take()?, cells.take::<Option<String>>()?);
        let response = status.map(|status| StoredResponse { status, etag, body: body.unwrap_or_default() });
        Ok((print as u64, at, response))
    })?;
    match known {
        Some((print, at, response)) if now - at < SpanMs::hours(KEY_HOURS) => {
            Ok(if print == fingerprint { Claim::Same { response } } else { Claim::Different })
        }
        _ => {
            let sql = "INSERT INTO idempotency_keys (tenant, key, fingerprint, at) VALUES (?1, ?2, ?3, ?4) \
                       ON CONFLICT (tenant, key) DO UPDATE SET fingerprint = ?3, at = ?4, status = NULL, \
                       etag = NULL, body = NULL";
            run(transaction, sql, (Id::new(tenant.0), key, fingerprint as i64, now.0))?;
            Ok(Claim::Fresh)
        }
    }
}
