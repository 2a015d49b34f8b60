//! Tables, by version. A migration is never changed once released; a new one is added at the end.
//!
//! The SQL is plain enough for PostgreSQL (`BLOB` → `BYTEA`, `INTEGER` → `BIGINT`); what is SQLite's own is
//! `WITHOUT ROWID` (the row lives in its index) and the pragmas in [`tune`].

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

use super::super::limits::STATEMENT_CACHE;
use super::super::{RecordsError, RecordsResult};

/// Each brings the tables from its index to the next version.
const MIGRATIONS: &[&str] = &[include_str!("schema_1.sql")];

/// Pages of the log before they are moved into the database: 32 MiB, so that a burst rewrites a page once.
const CHECKPOINT_PAGES: i64 = 8_192;

/// Page cache of a connection in KiB (negative by SQLite's convention).
const CACHE_KIB: i64 = -32_768;

/// A reader that meets the end of a checkpoint waits this long before it fails.
const BUSY_MS: u64 = 5_000;

/// Settings of every connection.
pub(super) fn tune(connection: &Connection) -> RecordsResult<()> {
    // Plans do not depend on the values of parameters. Otherwise SQLite prepares a cached statement again with
    // every new value of a parameter that a partial index might be about: a fifth of the time of a projection.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

/// Brings the tables up to date.
pub(super) fn migrate(connection: &mut Connection) -> RecordsResult<()> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(RecordsError::Incompatible(format!(
            "the records were written by a newer version (schema {found}, this one knows {known}): use that version"
        )));
    }
    for (version, sql) in (1i64..).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}
