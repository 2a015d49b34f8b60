//! A conversation derived anew from its events, beside what is stored.

use std::collections::BTreeMap;

use protocol::id::{ConversationId, MessageId, TenantId};

use super::super::fold::Batch;
use super::super::limits::MAX_REPLAY_EVENTS;
use super::super::{MessageRecord, RecordsError, RecordsResult, Replay, StoredEvent};
use super::events::Walk;
use super::statement::Sql;
use super::{inbox, rows};

/// Folds the events of a conversation into nothing, and compares with what is stored.
pub(super) async fn replay<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    id: ConversationId,
) -> RecordsResult<Option<Replay>> {
    let Some(stored) = inbox::conversation(db, tenant, id).await? else { return Ok(None) };
    let events = all(db, id).await?;
    let mut batch = Batch::default();
    for StoredEvent { seq, event } in &events {
        batch.fold(*seq, event);
    }
    let replayed = batch.conversations.remove(&id).map(|slot| slot.row);
    let messages = batch.into_messages();
    let known = stored_messages(db, &messages).await?;
    let differs = |message: &&MessageRecord| known.get(&message.id) != Some(message);
    Ok(Some(Replay {
        events: events.len(),
        replayed: replayed.map(|row| row.with_contact(stored.contact.clone())),
        stored,
        messages: messages.len(),
        differing: messages.iter().filter(differs).map(|message| message.id).collect(),
    }))
}

/// All events of a conversation, oldest first.
async fn all<S: Sql>(db: &mut S, id: ConversationId) -> RecordsResult<Vec<StoredEvent>> {
    let mut events: Vec<StoredEvent> = Vec::new();
    let mut walk = Walk::from_newest(db, id).await?;
    while let Some(page) = walk.earlier(db).await? {
        events.extend(page);
        if events.len() > MAX_REPLAY_EVENTS {
            let detail = format!(
                "it has more than {MAX_REPLAY_EVENTS} events; `gateway rebuild` derives everything anew"
            );
            return Err(RecordsError::Invalid { field: "id", detail });
        }
    }
    events.reverse();
    Ok(events)
}

async fn stored_messages<S: Sql>(
    db: &mut S,
    wanted: &[MessageRecord],
) -> RecordsResult<BTreeMap<MessageId, MessageRecord>> {
    let sql =
        format!("SELECT {} FROM messages m JOIN events e ON e.seq = m.seq WHERE m.id IN (?1)", rows::MESSAGE);
    let found = db.of_keys(&sql, wanted.iter().map(|row| row.id.0.into()).collect(), rows::message).await?;
    Ok(found.into_iter().map(|(_, row)| (row.id, row)).collect())
}
