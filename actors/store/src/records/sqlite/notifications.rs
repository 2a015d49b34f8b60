//! Notifications.

use async_trait::async_trait;
use protocol::id::{ConversationId, MessageId, NotificationId, TenantId, UserId};
use protocol::time::TimestampMs;
use rusqlite::{Connection, Transaction, params};

use super::super::limits::{MAX_PAGE, MAX_UNREAD_CONVERSATIONS};
use super::super::text::{from_name, name};
use super::super::{
    EventSeq, NotificationRecord, Notifications, NotifyCommit, ReadThrough, RecordsResult, UnreadCounts,
};
use super::sql::{Cells, Id, all, one, place, run};
use super::{SqliteRecords, events};

const COLUMNS: &str = "seq, id, tenant, user_id, about, conversation, message, at, read_at";

#[async_trait]
impl Notifications for SqliteRecords {
    async fn notify_commit(&self, commit: NotifyCommit) -> RecordsResult<()> {
        self.write(move |transaction| notify_commit(transaction, &commit)).await
    }

    async fn notifications_after(
        &self,
        tenant: TenantId,
        user: UserId,
        after: EventSeq,
        limit: usize,
    ) -> RecordsResult<Vec<NotificationRecord>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM notifications WHERE user_id = ?1 AND tenant = ?2 AND seq > ?3 \
             ORDER BY seq LIMIT ?4"
        );
        let values = (Id::new(user.0), Id::new(tenant.0), place(after), limit.clamp(1, MAX_PAGE));
        self.read(move |connection| all(connection, &sql, values, record)).await
    }

    async fn notifications_before(
        &self,
        tenant: TenantId,
        user: UserId,
        before: Option<EventSeq>,
        limit: usize,
    ) -> RecordsResult<Vec<NotificationRecord>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM notifications WHERE user_id = ?1 AND tenant = ?2 AND seq < ?3 \
             ORDER BY seq DESC LIMIT ?4"
        );
        let before = before.map_or(i64::MAX, place);
        let values = (Id::new(user.0), Id::new(tenant.0), before, limit.clamp(1, MAX_PAGE));
        self.read(move |connection| all(connection, &sql, values, record)).await
    }

    async fn unread_counts(&self, tenant: TenantId, user: UserId) -> RecordsResult<UnreadCounts> {
        self.read(move |connection| unread_counts(connection, tenant, user)).await
    }

    async fn mark_read(
        &self,
        tenant: TenantId,
        user: UserId,
        through: ReadThrough,
        now: TimestampMs,
    ) -> RecordsResult<u64> {
        let unread =
            "UPDATE notifications SET read_at = ?3 WHERE user_id = ?1 AND tenant = ?2 AND read_at IS NULL";
        let (user, tenant) = (Id::new(user.0), Id::new(tenant.0));
        let changed = self
            .write_durably(move |transaction| match through {
                ReadThrough::Seq(seq) => {
                    let sql = format!("{unread} AND seq <= ?4");
                    run(transaction, &sql, (user, tenant, now.0, place(seq)))
                }
                ReadThrough::Conversation(id) => {
                    let sql = format!("{unread} AND conversation = ?4");
                    run(transaction, &sql, (user, tenant, now.0, Id::new(id.0)))
                }
            })
            .await?;
        Ok(changed as u64)
    }
}

fn notify_commit(transaction: &Transaction<'_>, commit: &NotifyCommit) -> RecordsResult<()> {
    events::advance(transaction, commit.advance)?;
    let sql = "INSERT INTO notifications (user_id, seq, id, tenant, about, conversation, message, at, read_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (user_id, seq) DO NOTHING";
    for row in &commit.notifications {
        let values = params![
            Id::new(row.user.0),
            place(row.seq),
            Id::new(row.id.0),
            Id::new(row.tenant.0),
            name(&row.about)?,
            Id::new(row.conversation.0),
            row.message.map(|id| Id::new(id.0)),
            row.at.0,
            row.read_at.map(|at| at.0),
        ];
        run(transaction, sql, values)?;
    }
    Ok(())
}

fn unread_counts(connection: &Connection, tenant: TenantId, user: UserId) -> RecordsResult<UnreadCounts> {
    let (user, tenant) = (Id::new(user.0), Id::new(tenant.0));
    let unread = "FROM notifications WHERE user_id = ?1 AND tenant = ?2 AND read_at IS NULL";
    let total = one(connection, &format!("SELECT count(*) {unread}"), (user, tenant), |cells| cells.take())?;
    let sql = format!(
        "SELECT conversation, count(*) AS unread {unread} GROUP BY conversation ORDER BY unread DESC, conversation \
         LIMIT ?3"
    );
    let values = (user, tenant, MAX_UNREAD_CONVERSATIONS);
    let conversations =
        all(connection, &sql, values, |cells| Ok((cells.id(ConversationId)?, cells.take()?)))?;
    Ok(UnreadCounts { total: total.unwrap_or(0), conversations })
}

fn record(cells: &mut Cells<'_>) -> RecordsResult<NotificationRecord> {
    Ok(NotificationRecord {
        seq: EventSeq(cells.take()?),
        id: cells.id(NotificationId)?,
        tenant: cells.id(TenantId)?,
        user: cells.id(UserId)?,
        about: cells.text(|text| from_name("notification kind", text))?,
        conversation: cells.id(ConversationId)?,
        message: cells.maybe_id(MessageId)?,
        at: cells.time()?,
        read_at: cells.maybe_time()?,
    })
}
