//! Tables, by version. A migration is never changed once released; a new one is added at the end.
//!
//! The tables are those of PostgreSQL; what is SQLite's own is `WITHOUT ROWID` (the row lives in its index), a view in
//! place of the table `conversation_keys`, `plans_1.sql` and the pragmas in [`tune`].

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

use super::super::limits::STATEMENT_CACHE;
use super::super::{RecordsError, RecordsResult};

/// Each brings the tables from its index to the next version.
const MIGRATIONS: &[&str] = &[
    concat!(include_str!("schema_1.sql"), include_str!("plans_1.sql")),
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

/// Pages of the log before they are moved into the database: 4 MiB. Nearly all of them are new pages of events, which
/// a longer log would not save, and the journal of the engine waits behind what is moved at once: with 64 MiB the p99 of
/// webhook answers at 70 % of the knee was 54 and 92 ms, with 16 MiB 48 and 57 ms, with this 42 ms twice.
const CHECKPOINT_PAGES: i64 = 1_024;

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
        return Err(RecordsError::newer_schema(found, known));
    }
    for (version, sql) in (1i64..).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::sql::{Listed, look_up_people, walk_people};
    use crate::records::sql::{Value, Values, assumed, look_up, select_messages, walk};
    use crate::records::{Filter, Order};
    use protocol::command::{Owner, Party};
    use protocol::id::{ContactId, NumberId, TenantId, UserId};
    use protocol::time::TimestampMs;
    use rusqlite::params_from_iter;

    fn plan(connection: &Connection, sql: &str, values: Values<'_>) -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3));
        steps.unwrap().map(Result::unwrap).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn d10_pages_are_found_by_an_index_whatever_they_are_filtered_by() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        tune(&connection).unwrap();
        let (tenant, newest) = (TenantId(1), "c USING COVERING INDEX conversations_newest");
        let owner = |id| Owner::User(UserId(id));
        for (filter, few, way) in [
            (Filter::All(vec![]), "", newest),
            (Filter::Search("rossi anna".into()), "conversations_by_contact", newest),
            (Filter::Contact(ContactId(1)), "conversations_by_contact", newest),
            (Filter::Owners(vec![owner(1)]), "conversations_by_owner", "conversations_by_owner"),
            (Filter::Owners(vec![owner(1), owner(2)]), "conversations_by_owner", newest),
            (Filter::Numbers(vec![NumberId(1)]), "conversations_by_number", newest),
            (
                Filter::Vacancy("v1".into()),
                "conversations_by_vacancy",
                "c USING INDEX conversations_by_vacancy",
            ),
            (Filter::Stage("hired".into()), "conversations_by_contact", newest),
            (Filter::RepliedBy(Party::User(UserId(1))), "r USING PRIMARY KEY", newest),
            (Filter::Left, "conversations_left", newest),
            (Filter::InFlow, "conversations_in_flow", newest),
            (Filter::LastMessageBefore(TimestampMs(1)), "", newest),
            (Filter::All(vec![Filter::Unread]), "conversations_unread", "c USING INDEX conversations_unread"),
            (Filter::Unanswered, "conversations_unanswered", "c USING INDEX conversations_unanswered"),
        ] {
            if let Some(keys) = assumed(tenant, &filter) {
                let (sql, values) = look_up((tenant, &filter), keys, None, 50).unwrap();
                let plan = plan(&connection, &sql, values);
                let walks = plan.contains("conversations_newest") || plan.contains("SCAN c");
                assert!(plan.contains(few) && !walks, "{filter:?}: {plan}");
            }
            let (sql, values) = walk((tenant, &filter), (Vec::new(), 9), None, 50).unwrap();
            let plan = plan(&connection, &sql, values);
            assert!(plan.contains(way) && plan.contains("CO-ROUTINE c"), "{filter:?}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{filter:?}: {plan}");
        }
    }

    #[test]
    fn b3_people_are_found_by_an_index_however_common_their_names_are() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        tune(&connection).unwrap();
        let (tenant, text) = (TenantId(1), "rossi anna");
        let keys = assumed(tenant, &Filter::Search(text.into())).unwrap();
        let (sql, values) = look_up_people((tenant, text), keys, None, 50).unwrap();
        let rare = plan(&connection, &sql, values);
        assert!(rare.contains("p USING INDEX sqlite_autoindex_contacts_1 (id=?)"), "{rare}");
        for listed in [Vec::new(), vec![Listed::Word("rossi".to_owned())]] {
            let (sql, values) = walk_people((tenant, text), (listed, 9), None, 50).unwrap();
            let common = plan(&connection, &sql, values);
            assert!(common.contains("p USING COVERING INDEX contacts_newest"), "{common}");
        }
    }

    #[test]
    fn messages_do_not_walk_the_events_of_the_tenant() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        for order in [Order::NewestFirst, Order::OldestFirst] {
            for attachments_only in [false, true] {
                let plan = plan(&connection, &select_messages(order, attachments_only), vec![Value::Null; 4]);
                assert!(!plan.contains("events_by_tenant") && !plan.contains("SCAN m"), "{plan}");
            }
        }
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(migrate(&mut connection), Err(RecordsError::Incompatible(_))));
    }
}
