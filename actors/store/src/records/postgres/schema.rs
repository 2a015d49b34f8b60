//! Tables, by version. A migration is never changed once released; a new one is added at the end, and leaves the
//! tables such that nodes of the version before can go on: they are stopped one after another.

use super::super::{RecordsError, RecordsResult};
use super::session::{SCHEMA_LOCK, Session};

/// Each brings the tables from its index to the next version.
const MIGRATIONS: &[&str] = &[
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
    include_str!("schema_7.sql"),
    include_str!("schema_8.sql"),
    include_str!("schema_9.sql"),
    include_str!("schema_10.sql"),
    include_str!("schema_11.sql"),
    include_str!("schema_12.sql"),
    include_str!("schema_13.sql"),
];

/// Brings the tables up to date. Of several nodes that start at once one does it and the others wait.
pub(super) async fn migrate(session: &mut Session) -> RecordsResult<()> {
    session.batch(&format!("BEGIN; {SCHEMA_LOCK}")).await?;
    let migrated = migrate_alone(session).await;
    session.batch(if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    migrated
}

async fn migrate_alone(session: &mut Session) -> RecordsResult<()> {
    session.batch("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)").await?;
    let found = session.version().await?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(RecordsError::newer_schema(found, known));
    }
    for sql in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        session.batch(sql).await?;
    }
    if found < known {
        let sql =
            format!("DELETE FROM schema_version; INSERT INTO schema_version (version) VALUES ({known})");
        session.batch(&sql).await?;
    }
    Ok(())
}
