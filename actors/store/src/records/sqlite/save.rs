//! Folded rows, written back.

use protocol::content::{Category, Content};
use protocol::fact::MessageStatus;
use protocol::id::{Bsuid, ContactId, ProviderId, TenantId};
use rusqlite::{Transaction, params};

use super::super::fold::{Batch, ContactSlot, MessageChange, Slot, Write, search_words};
use super::super::text::{self, json, name};
use super::super::{AuditEntry, ConsentEntry, ConversationRecord, EventSeq, MessageRecord, RecordsResult};
use super::sql::{Id, place, run};

const CONVERSATION_INSERT: &str = "\
    INSERT INTO conversations (id, mode, owner, vacancy_id, vacancy_title, flow_id, flow_version, flow_step, \
    window_opened_at, window_expires_at, unread, unanswered_since, last_message, last_message_at, last_direction, \
    last_kind, last_text, last_inbound_at, last_outbound_at, last_outbound_by, last_reply_at, blocked, left_chat, \
    paused, sort_at, tenant, number, channel, contact, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, \
    ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)";

const CONVERSATION_UPDATE: &str = "\
    UPDATE conversations SET mode = ?2, owner = ?3, vacancy_id = ?4, vacancy_title = ?5, flow_id = ?6, \
    flow_version = ?7, flow_step = ?8, window_opened_at = ?9, window_expires_at = ?10, unread = ?11, \
    unanswered_since = ?12, last_message = ?13, last_message_at = ?14, last_direction = ?15, last_kind = ?16, \
    last_text = ?17, last_inbound_at = ?18, last_outbound_at = ?19, last_outbound_by = ?20, last_reply_at = ?21, \
    blocked = ?22, left_chat = ?23, paused = ?24, sort_at = ?25 WHERE id = ?1";

const MESSAGE_INSERT: &str = "\
    INSERT INTO messages (seq, id, tenant, conversation, direction, sender, content, attachment, reply_to, at, \
    category, blocked, status, status_rank, status_at, provider_id, pricing, errors) VALUES (?1, ?2, ?3, ?4, ?5, \
    ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) ON CONFLICT (id) DO NOTHING";

/// The status moves forward only; identity and price are taken whenever they come.
const MESSAGE_CHANGE: &str = "\
    UPDATE messages SET provider_id = coalesce(provider_id, ?5), pricing = coalesce(?6, pricing), \
    status = CASE WHEN ?3 > status_rank THEN ?2 ELSE status END, \
    status_at = CASE WHEN ?3 > status_rank THEN ?4 ELSE status_at END, \
    errors = CASE WHEN ?3 > status_rank THEN ?7 ELSE errors END, \
    status_rank = max(?3, status_rank)";

const CONTACT_UPSERT: &str = "\
    INSERT INTO contacts (id, tenant, key, phone, bsuid, username, profile_name, card_name, created_at, stage) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO UPDATE SET phone = ?4, bsuid = ?5, \
    username = ?6, profile_name = ?7, card_name = ?8, created_at = ?9, stage = ?10";

const CONSENT_UPSERT: &str = "\
    INSERT INTO consents (contact, channel, tenant, at, record) VALUES (?1, ?2, ?3, ?4, ?5) \
    ON CONFLICT (contact, channel) DO UPDATE SET at = ?4, record = ?5 WHERE ?4 >= consents.at";

const AUDIT_INSERT: &str = "\
    INSERT INTO audit (event_seq, tenant, at, party, action, conversation, subject, detail) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// Writes a folded batch.
pub(super) fn batch(transaction: &Transaction<'_>, batch: &Batch) -> RecordsResult<()> {
    for slot in batch.contacts.values() {
        contact(transaction, slot)?;
    }
    for slot in batch.conversations.values() {
        conversation(transaction, slot)?;
    }
    for (seq, row) in &batch.messages {
        message(transaction, *seq, row)?;
    }
    messages_changed(transaction, batch)?;
    for (message, attempt) in &batch.attempts {
        let sql = "INSERT INTO attempts (message, at, code, detail) VALUES (?1, ?2, ?3, ?4)";
        run(transaction, sql, (Id::new(message.0), attempt.at.0, attempt.code, &attempt.detail))?;
    }
    for (tenant, contact, entry) in &batch.consents {
        consent(transaction, (*tenant, *contact), entry)?;
    }
    for (seq, line) in &batch.audit {
        audit(transaction, Some(*seq), line)?;
    }
    Ok(())
}

/// Writes a contact and the words by which it is found.
pub(super) fn contact(transaction: &Transaction<'_>, contact: &ContactSlot) -> RecordsResult<()> {
    if contact.slot.write == Write::Keep {
        return Ok(());
    }
    let row = &contact.slot.row;
    let values = params![
        Id::new(row.id.0),
        Id::new(row.tenant.0),
        json(&row.key)?,
        row.phone.map(|phone| phone.digits()),
        row.bsuid.as_ref().map(Bsuid::as_str),
        row.username.as_deref(),
        row.profile_name,
        row.card_name,
        row.created_at.0,
        row.stage.as_deref(),
    ];
    run(transaction, CONTACT_UPSERT, values)?;
    let words = search_words(row);
    for word in contact.words_before.iter().filter(|word| !words.contains(word)) {
        let sql = "DELETE FROM contact_words WHERE tenant = ?1 AND word = ?2 AND contact = ?3";
        run(transaction, sql, (Id::new(row.tenant.0), word, Id::new(row.id.0)))?;
    }
    for word in words.iter().filter(|word| !contact.words_before.contains(word)) {
        let sql =
            "INSERT INTO contact_words (tenant, word, contact) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        run(transaction, sql, (Id::new(row.tenant.0), word, Id::new(row.id.0)))?;
    }
    Ok(())
}

/// Writes an audit line; without a place it is not derived and survives a rebuild.
pub(super) fn audit(
    transaction: &Transaction<'_>,
    seq: Option<EventSeq>,
    line: &AuditEntry,
) -> RecordsResult<()> {
    let values = params![
        seq.map(place),
        Id::new(line.tenant.0),
        line.at.0,
        text::party(line.by),
        line.action.as_str(),
        line.conversation.map(|id| Id::new(id.0)),
        line.subject.as_deref(),
        line.detail.to_string(),
    ];
    run(transaction, AUDIT_INSERT, values).map(drop)
}

fn conversation(transaction: &Transaction<'_>, slot: &Slot<ConversationRecord>) -> RecordsResult<()> {
    let row = &slot.row;
    let last = row.last_message.as_ref();
    let id = Id::new(row.id.0);
    let mode = name(&row.mode)?;
    let owner = row.owner.as_ref().map(text::owner);
    let last_id = last.map(|last| Id::new(last.message.0));
    let last_direction = last.map(|last| name(&last.direction)).transpose()?;
    let replied_by = row.last_outbound_by.map(text::party);
    let sort_at = last.map_or(row.created_at, |last| last.at).0;
    let changing = params![
        id,
        mode,
        owner,
        row.vacancy.as_ref().map(|vacancy| vacancy.id.as_str()),
        row.vacancy.as_ref().map(|vacancy| vacancy.title.as_str()),
        row.flow.as_ref().map(|flow| flow.id.as_str()),
        row.flow.as_ref().map(|flow| flow.version),
        row.flow.as_ref().and_then(|flow| flow.step.as_deref()),
        row.window_opened_at.map(|at| at.0),
        row.window_expires_at.map(|at| at.0),
        row.unread,
        row.unanswered_since.map(|at| at.0),
        last_id,
        last.map(|last| last.at.0),
        last_direction,
        last.map(|last| last.kind.as_str()),
        last.map(|last| last.text.as_str()),
        row.last_inbound_at.map(|at| at.0),
        row.last_outbound_at.map(|at| at.0),
        replied_by,
        row.last_reply_at.map(|at| at.0),
        row.blocked,
        row.left,
        row.paused,
        sort_at,
    ];
    match slot.write {
        Write::Keep => Ok(()),
        Write::Update => run(transaction, CONVERSATION_UPDATE, changing).map(drop),
        Write::Insert => {
            let channel = name(&row.channel)?;
            let (tenant, number) = (Id::new(row.tenant.0), Id::new(row.number.0));
            let contact = Id::new(row.contact.id.0);
            let fixed = params![tenant, number, channel, contact, row.created_at.0];
            let values: Vec<_> = changing.iter().chain(fixed).copied().collect();
            run(transaction, CONVERSATION_INSERT, values.as_slice()).map(drop)
        }
    }
}

fn message(transaction: &Transaction<'_>, seq: EventSeq, row: &MessageRecord) -> RecordsResult<()> {
    let values = params![
        place(seq),
        Id::new(row.id.0),
        Id::new(row.tenant.0),
        Id::new(row.conversation.0),
        name(&row.direction)?,
        text::party(row.sender),
        json(&row.content)?,
        matches!(row.content, Content::Media(_)),
        row.reply_to.as_ref().map(ProviderId::as_str),
        row.at.0,
        row.category.map(Category::name),
        row.blocked,
        row.status.map(MessageStatus::name),
        row.status.map_or(-1, |status| i64::from(status.rank())),
        row.status_at.map(|at| at.0),
        row.provider_id.as_ref().map(ProviderId::as_str),
        row.pricing.as_ref().map(json).transpose()?,
        if row.errors.is_empty() { None } else { Some(json(&row.errors)?) },
    ];
    run(transaction, MESSAGE_INSERT, values).map(drop)
}

fn messages_changed(transaction: &Transaction<'_>, batch: &Batch) -> RecordsResult<()> {
    let by_id = format!("{MESSAGE_CHANGE} WHERE id = ?1 AND direction = 'outbound'");
    for (id, change) in &batch.message_changes {
        changed(transaction, &by_id, Id::new(id.0), change)?;
    }
    let by_provider =
        format!("{MESSAGE_CHANGE} WHERE conversation = ?1 AND provider_id = ?5 AND direction = 'outbound'");
    for (conversation, change) in &batch.unnamed_changes {
        changed(transaction, &by_provider, Id::new(conversation.0), change)?;
    }
    Ok(())
}

fn changed(transaction: &Transaction<'_>, sql: &str, which: Id, change: &MessageChange) -> RecordsResult<()> {
    let values = params![
        which,
        change.status.name(),
        i64::from(change.status.rank()),
        change.at.0,
        change.provider_id.as_ref().map(ProviderId::as_str),
        change.pricing.as_ref().map(json).transpose()?,
        if change.errors.is_empty() { None } else { Some(json(&change.errors)?) },
    ];
    run(transaction, sql, values).map(drop)
}

fn consent(
    transaction: &Transaction<'_>,
    (tenant, contact): (TenantId, ContactId),
    entry: &ConsentEntry,
) -> RecordsResult<()> {
    let (at, record) = (entry.record.at.0, json(&entry.record)?);
    let values = (Id::new(contact.0), name(&entry.channel)?, Id::new(tenant.0), at, record);
    run(transaction, CONSENT_UPSERT, values).map(drop)
}
