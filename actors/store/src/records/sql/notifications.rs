//! Notifications.

use async_trait::async_trait;
use futures_util::FutureExt as _;
use protocol::id::{ConversationId, MessageId, NotificationId, TenantId, UserId};
use protocol::time::TimestampMs;

use super::super::limits::{MAX_PAGE, MAX_UNREAD_CONVERSATIONS};
use super::super::text::{from_name, name};
use super::super::{
    EventSeq, NotificationRecord, Notifications, NotifyCommit, ReadThrough, RecordsResult, UnreadCounts,
};
use super::cells::Cells;
use super::statement::Kind::{Bytes, Int, Text};
use super::statement::{Database, Durability, Insert, Sql, one};
use super::value::{Values, values};
use super::{events, reaches};

const COLUMNS: &str = "seq, id, tenant, user_id, about, conversation, message, at, read_at";

const INSERT: Insert = Insert {
    table: "notifications",
    columns: &[
        ("user_id", Bytes),
        ("seq", Int),
        ("id", Bytes),
        ("tenant", Bytes),
        ("about", Text),
        ("conversation", Bytes),
        ("message", Bytes),
        ("at", Int),
        ("read_at", Int),
    ],
    conflict: "ON CONFLICT (user_id, seq) DO NOTHING",
};

#[async_trait]
impl<D: Database> Notifications for D {
    async fn notify_commit(&self, commit: NotifyCommit) -> RecordsResult<()> {
        self.write(Durability::Process, move |db| notify_commit(db, commit).boxed()).await
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
        let values = values![user.0, tenant.0, after, limit.clamp(1, MAX_PAGE)];
        self.read(move |db| async move { db.all(&sql, values, record).await }.boxed()).await
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
        let before = before.unwrap_or(EventSeq(u64::MAX));
        let values = values![user.0, tenant.0, before, limit.clamp(1, MAX_PAGE)];
        self.read(move |db| async move { db.all(&sql, values, record).await }.boxed()).await
    }

    async fn unread_counts(&self, tenant: TenantId, user: UserId) -> RecordsResult<UnreadCounts> {
        self.read(move |db| unread_counts(db, tenant, user).boxed()).await
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
        let mut values = values![user.0, tenant.0, now.0];
        let sql = match through {
            ReadThrough::Seq(seq) => {
                values.push(seq.into());
                format!("{unread} AND seq <= ?4")
            }
            ReadThrough::Conversation(id) => {
                values.push(id.0.into());
                format!("{unread} AND conversation = ?4")
            }
        };
        self.write(Durability::Disk, move |db| async move { db.run(&sql, values).await }.boxed()).await
    }
}

async fn notify_commit<S: Sql>(db: &mut S, commit: NotifyCommit) -> RecordsResult<()> {
    events::advance(db, commit.advance).await?;
    let rows: RecordsResult<Vec<_>> = commit.notifications.iter().map(values_of).collect();
    db.insert(&INSERT, rows?).await?;
    reaches::wake(db, &commit).await
}

fn values_of(row: &NotificationRecord) -> RecordsResult<Values<'static>> {
    Ok(values![
        row.user.0,
        row.seq,
        row.id.0,
        row.tenant.0,
        name(&row.about)?,
        row.conversation.map(|id| id.0),
        row.message.map(|id| id.0),
        row.at.0,
        row.read_at.map(|at| at.0),
    ])
}

async fn unread_counts<S: Sql>(db: &mut S, tenant: TenantId, user: UserId) -> RecordsResult<UnreadCounts> {
    let unread = "FROM notifications WHERE user_id = ?1 AND tenant = ?2 AND read_at IS NULL";
    let sql = format!("SELECT count(*) {unread}");
    let total = one(db, &sql, values![user.0, tenant.0], |cells| cells.take()).await?;
    let sql = format!(
        "SELECT conversation, count(*) AS unread {unread} AND conversation IS NOT NULL GROUP BY conversation ORDER BY unread DESC, conversation \
         LIMIT ?3"
    );
    let values = values![user.0, tenant.0, MAX_UNREAD_CONVERSATIONS];
    let conversations = db.all(&sql, values, |cells| Ok((cells.id(ConversationId)?, cells.take()?))).await?;
    Ok(UnreadCounts { total: total.unwrap_or(0), conversations })
}

fn record(cells: &mut Cells<'_>) -> RecordsResult<NotificationRecord> {
    Ok(NotificationRecord {
        seq: cells.seq()?,
        id: cells.id(NotificationId)?,
        tenant: cells.id(TenantId)?,
        user: cells.id(UserId)?,
        about: cells.text(|text| from_name("notification kind", text))?,
        conversation: cells.maybe_id(ConversationId)?,
        message: cells.maybe_id(MessageId)?,
        at: cells.time()?,
        read_at: cells.maybe_time()?,
    })
}
