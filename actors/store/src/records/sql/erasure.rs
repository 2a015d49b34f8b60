//! Forgetting people: what an erasure takes out of the tables, and what is left.

use async_trait::async_trait;
use futures_util::FutureExt as _;
use protocol::codec;
use protocol::command::{Consent, ConsentRecord};
use protocol::fact::{Event, Fact};
use protocol::id::{ContactId, ConversationId, TenantId};
use protocol::time::TimestampMs;
use serde_json::{Value as Json, json};

use super::super::fold::search_words;
use super::super::text::{from_json, json as text_of, party};
use super::super::{
    AuditEntry, Change, DocumentKind, DocumentWrite, Erasure, Expect, RecordsError, RecordsResult,
    StoredEvent, Trace,
};
use super::statement::{Database, Durability, Sql, one};
use super::value::{Value, values};
use super::{documents, events, files, load, save};

#[async_trait]
impl<D: Database> Erasure for D {
    async fn erase_contact(
        &self,
        change: Change,
        tenant: TenantId,
        id: ContactId,
        conversations: Vec<ConversationId>,
    ) -> RecordsResult<()> {
        self.write(Durability::Disk, move |db| erase(db, change, (tenant, id), conversations).boxed()).await
    }

    async fn traces(
        &self,
        tenant: TenantId,
        id: ContactId,
        conversations: Vec<ConversationId>,
        before: TimestampMs,
    ) -> RecordsResult<Vec<Trace>> {
        self.snapshot(move |db| traces(db, (tenant, id), conversations, before).boxed()).await
    }
}

async fn erase<S: Sql>(
    db: &mut S,
    change: Change,
    (tenant, id): (TenantId, ContactId),
    conversations: Vec<ConversationId>,
) -> RecordsResult<()> {
    let card = DocumentWrite {
        kind: DocumentKind::Contact,
        tenant: Some(tenant),
        id: id.to_string().into(),
        expect: Expect::Any,
        body: None,
    };
    documents::write(db, change, vec![card]).await?;
    // Kept for a day, so that a repeated call is answered the same.
    let sql = "DELETE FROM idempotency_keys WHERE tenant = ?1 AND body LIKE ?2";
    db.run(sql, values![tenant.0, format!("%{id}%")]).await?;
    forget(db, id).await?;
    let line = AuditEntry {
        tenant,
        at: change.at,
        by: change.by,
        action: "contact.erased".into(),
        conversation: None,
        subject: Some(format!("contact/{id}").into()),
        detail: json!({ "conversations": conversations }),
    };
    save::audit(db, vec![(None, line)]).await
}

/// What the last event of a batch asks to be forgotten, if it does: everything before it in its conversation.
pub(super) async fn follow<S: Sql>(db: &mut S, last: Option<&Event>) -> RecordsResult<()> {
    let Some(Event { conversation: Some(conversation), fact, .. }) = last else { return Ok(()) };
    let Fact::ContactErased { contact_id, .. } = fact else { return Ok(()) };
    let mut walk = events::Walk::from_newest(db, *conversation).await?;
    while let Some(page) = walk.earlier(db).await? {
        redact(db, page).await?;
    }
    files::erase(db, *conversation).await?;
    db.run("DELETE FROM conversations WHERE id = ?1", values![conversation.0]).await?;
    audit(db, *conversation).await?;
    forget(db, *contact_id).await
}

async fn redact<S: Sql>(db: &mut S, page: Vec<StoredEvent>) -> RecordsResult<()> {
    let (mut bodies, mut places, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    let mut repliers = Vec::new();
    for StoredEvent { seq, event } in page {
        if let (Fact::MessageQueued { by, .. } | Fact::ApprovalAwaited { by, .. }, Some(tenant), Some(chat)) =
            (&event.fact, event.tenant, event.conversation)
        {
            repliers.push(values![tenant.0, party(*by), chat.0]);
        }
        if let Fact::MessageReceived { message, .. }
        | Fact::MessageQueued { message, .. }
        | Fact::ApprovalAwaited { message, .. } = &event.fact
        {
            places.push(values![seq]);
            messages.push(values![message.0]);
        }
        let redacted = domain::erasure::redacted(event.clone());
        if redacted != event {
            let body = codec::encode(&redacted).map_err(|error| RecordsError::Failed(error.into()))?;
            bodies.push((seq, body));
        }
    }
    let bodies = bodies.iter().map(|(seq, body)| values![*seq, &body[..]]).collect();
    db.run_each("UPDATE events SET body = ?2 WHERE seq = ?1", bodies).await?;
    db.run_each("DELETE FROM messages WHERE seq = ?1", places).await?;
    db.run_each("DELETE FROM attempts WHERE message = ?1", messages).await?;
    let sql = "DELETE FROM repliers WHERE tenant = ?1 AND party = ?2 AND conversation = ?3";
    db.run_each(sql, repliers).await
}

/// The words with which a consent was given or refused.
async fn audit<S: Sql>(db: &mut S, conversation: ConversationId) -> RecordsResult<()> {
    let mut rows = Vec::new();
    for (id, mut detail) in worded(db, conversation).await? {
        detail["text"] = Json::Null;
        rows.push(values![id, detail.to_string()]);
    }
    db.run_each("UPDATE audit SET detail = ?2 WHERE id = ?1", rows).await
}

/// Lines of the audit that quote the contact.
async fn worded<S: Sql>(db: &mut S, conversation: ConversationId) -> RecordsResult<Vec<(i64, Json)>> {
    let sql = "SELECT id, detail FROM audit WHERE conversation = ?1 AND action = 'contact.consent_changed'";
    let lines = db.all(sql, values![conversation.0], |cells| {
        Ok((cells.take::<i64>()?, cells.text(|text| from_json::<Json>("audit detail", text))?))
    });
    Ok(lines.await?.into_iter().filter(|(_, detail)| !detail["text"].is_null()).collect())
}

/// The contact itself, unless there is a conversation with it. A refusal stays, without its words: the contact is
/// never messaged again by mistake.
pub(super) async fn forget<S: Sql>(db: &mut S, id: ContactId) -> RecordsResult<()> {
    if load::is_in_conversation(db, id).await? {
        return Ok(());
    }
    let Some(row) = load::contact(db, id).await? else { return Ok(()) };
    let words = search_words(&row).into_iter().map(|word| values![row.tenant.0, word, id.0]).collect();
    save::forget_words(db, words).await?;
    db.run("DELETE FROM contacts WHERE id = ?1", values![id.0]).await?;
    for (channel, mut record) in consents(db, id).await? {
        if record.consent == Consent::OptedOut {
            record.text = None;
            let sql = "UPDATE consents SET record = ?3 WHERE contact = ?1 AND channel = ?2";
            db.run(sql, values![id.0, channel, text_of(&record)?]).await?;
        } else {
            db.run("DELETE FROM consents WHERE contact = ?1 AND channel = ?2", values![id.0, channel])
                .await?;
        }
    }
    Ok(())
}

async fn consents<S: Sql>(db: &mut S, id: ContactId) -> RecordsResult<Vec<(String, ConsentRecord)>> {
    let sql = "SELECT channel, record FROM consents WHERE contact = ?1";
    db.all(sql, values![id.0], |cells| Ok((cells.take()?, cells.text(|text| from_json("consent", text))?)))
        .await
}

async fn traces<S: Sql>(
    db: &mut S,
    (tenant, id): (TenantId, ContactId),
    conversations: Vec<ConversationId>,
    before: TimestampMs,
) -> RecordsResult<Vec<Trace>> {
    let document = id.to_string();
    let (at, kind) = (before.0, DocumentKind::Contact.name());
    let counts: [(&'static str, &str, Vec<Value<'_>>); 4] = [
        (
            "contacts",
            "SELECT count(*) FROM contacts WHERE tenant = ?1 AND id = ?2 AND created_at < ?3",
            values![tenant.0, id.0, at],
        ),
        (
            "conversations",
            "SELECT count(*) FROM conversation_keys k JOIN conversations c ON c.id = k.id \
             WHERE k.contact = ?1 AND c.created_at < ?2",
            values![id.0, at],
        ),
        (
            "cards",
            "SELECT count(*) FROM documents WHERE kind = ?1 AND tenant = ?2 AND id = ?3 AND updated_at < ?4",
            values![kind, tenant.0, document.as_str(), at],
        ),
        (
            "stored_answers",
            "SELECT count(*) FROM idempotency_keys WHERE tenant = ?1 AND body LIKE ?2 AND at < ?3",
            values![tenant.0, format!("%{id}%"), at],
        ),
    ];
    let mut found = Vec::new();
    for (place, sql, values) in counts {
        let count = one(db, sql, values, |cells| cells.take::<u64>()).await?.unwrap_or(0);
        found.push(Trace { place, count });
    }
    let told = consents(db, id).await?.into_iter().filter(|(_, record)| record.at < before);
    let quoted = told.filter(|(_, record)| record.text.is_some()).count() as u64;
    found.push(Trace { place: "consents", count: quoted });
    let (mut told, mut audited, mut kept) = (0, 0, 0);
    for conversation in conversations {
        told += events_left(db, conversation, before).await?;
        audited += worded(db, conversation).await?.len() as u64;
        kept += files::left(db, conversation, before).await?;
    }
    found.extend([
        Trace { place: "events", count: told },
        Trace { place: "audit", count: audited },
        Trace { place: "files", count: kept },
    ]);
    found.retain(|trace| trace.count > 0);
    Ok(found)
}

/// Events from before a time that still tell who the contact is.
async fn events_left<S: Sql>(
    db: &mut S,
    conversation: ConversationId,
    before: TimestampMs,
) -> RecordsResult<u64> {
    let mut walk = events::Walk::from_newest(db, conversation).await?;
    let mut left = 0;
    while let Some(page) = walk.earlier(db).await? {
        let old = page.into_iter().map(|stored| stored.event).filter(|event| event.at < before);
        left += old.filter(|event| domain::erasure::redacted(event.clone()) != *event).count() as u64;
    }
    Ok(left)
}
