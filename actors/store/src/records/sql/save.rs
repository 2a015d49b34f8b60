//! Folded rows, written back.

use std::collections::BTreeSet;

use protocol::content::Content;
use protocol::fact::MessageStatus;
use protocol::id::{Bsuid, ProviderId};

use super::super::fold::{Batch, ContactSlot, MessageChange, Row, Write, search_words};
use super::super::text::{self, json, name};
use super::super::{AuditEntry, Direction, EventSeq, MessageRecord, RecordsResult};
use super::files;
use super::statement::Kind::{Bytes, Int, Text};
use super::statement::{Insert, Kind, Sql};
use super::value::{Values, values};

const CONVERSATION: &[(&str, Kind)] = &[
    ("id", Bytes),
    ("mode", Text),
    ("owner", Text),
    ("vacancy_id", Text),
    ("vacancy_title", Text),
    ("flow_id", Text),
    ("flow_version", Int),
    ("flow_step", Text),
    ("window_opened_at", Int),
    ("window_expires_at", Int),
    ("unread", Int),
    ("unanswered_since", Int),
    ("last_message", Bytes),
    ("last_message_at", Int),
    ("last_direction", Text),
    ("last_kind", Text),
    ("last_text", Text),
    ("last_inbound_at", Int),
    ("last_outbound_at", Int),
    ("last_outbound_by", Text),
    ("last_reply_at", Int),
    ("blocked", Int),
    ("left_chat", Int),
    ("paused", Int),
    ("sort_at", Int),
    ("tenant", Bytes),
    ("number", Bytes),
    ("channel", Text),
    ("contact", Bytes),
    ("created_at", Int),
];

/// What messages change of a conversation. The database leaves indexes of other columns alone, even where a column
/// would only be set to what it is: half of all indexes.
macro_rules! talk {
    () => {
        "ON CONFLICT (id) DO UPDATE SET window_opened_at = excluded.window_opened_at, \
         window_expires_at = excluded.window_expires_at, unread = excluded.unread, \
         unanswered_since = excluded.unanswered_since, last_message = excluded.last_message, \
         last_message_at = excluded.last_message_at, last_direction = excluded.last_direction, \
         last_kind = excluded.last_kind, last_text = excluded.last_text, \
         last_inbound_at = excluded.last_inbound_at, last_outbound_at = excluded.last_outbound_at, \
         last_outbound_by = excluded.last_outbound_by, last_reply_at = excluded.last_reply_at, \
         sort_at = excluded.sort_at"
    };
}

const CONVERSATIONS_TALK: Insert =
    Insert { table: "conversations", columns: CONVERSATION, conflict: talk!() };

/// Of one that is known, everything changes but what it began with: whose it is, and when.
const CONVERSATIONS: Insert = Insert {
    conflict: concat!(
        talk!(),
        ", mode = excluded.mode, owner = excluded.owner, vacancy_id = excluded.vacancy_id, \
         vacancy_title = excluded.vacancy_title, flow_id = excluded.flow_id, \
         flow_version = excluded.flow_version, flow_step = excluded.flow_step, blocked = excluded.blocked, \
         left_chat = excluded.left_chat, paused = excluded.paused"
    ),
    ..CONVERSATIONS_TALK
};

const MESSAGES: Insert = Insert {
    table: "messages",
    columns: &[
        ("seq", Int),
        ("id", Bytes),
        ("conversation", Bytes),
        ("attachment", Int),
        ("sender", Text),
        ("status", Text),
        ("status_rank", Int),
        ("status_at", Int),
        ("provider_id", Text),
        ("pricing", Text),
        ("errors", Text),
    ],
    conflict: "ON CONFLICT (id) DO NOTHING",
};

/// The status moves forward only; identity and price are taken whenever they come.
const MESSAGE_CHANGE: &str = "\
    UPDATE messages SET provider_id = coalesce(provider_id, ?5), pricing = coalesce(?6, pricing), \
    status = CASE WHEN ?3 > status_rank THEN ?2 ELSE status END, \
    status_at = CASE WHEN ?3 > status_rank THEN ?4 ELSE status_at END, \
    errors = CASE WHEN ?3 > status_rank THEN ?7 ELSE errors END, \
    status_rank = CASE WHEN ?3 > status_rank THEN ?3 ELSE status_rank END";

const CONTACTS: Insert = Insert {
    table: "contacts",
    columns: &[
        ("id", Bytes),
        ("tenant", Bytes),
        ("key", Text),
        ("phone", Int),
        ("bsuid", Text),
        ("username", Text),
        ("profile_name", Text),
        ("card_name", Text),
        ("created_at", Int),
        ("stage", Text),
    ],
    conflict: "ON CONFLICT (id) DO UPDATE SET phone = excluded.phone, bsuid = excluded.bsuid, \
        username = excluded.username, profile_name = excluded.profile_name, card_name = excluded.card_name, \
        created_at = excluded.created_at, stage = excluded.stage",
};

const WORDS: Insert = Insert {
    table: "contact_words",
    columns: &[("tenant", Bytes), ("word", Text), ("contact", Bytes)],
    conflict: "ON CONFLICT DO NOTHING",
};

const CONSENTS: Insert = Insert {
    table: "consents",
    columns: &[("contact", Bytes), ("channel", Text), ("tenant", Bytes), ("at", Int), ("record", Text)],
    conflict: "ON CONFLICT (contact, channel) DO UPDATE SET at = excluded.at, record = excluded.record \
        WHERE excluded.at >= consents.at",
};

const REPLIERS: Insert = Insert {
    table: "repliers",
    columns: &[("tenant", Bytes), ("party", Text), ("conversation", Bytes)],
    conflict: "ON CONFLICT DO NOTHING",
};

const ATTEMPTS: Insert = Insert {
    table: "attempts",
    columns: &[("message", Bytes), ("at", Int), ("code", Int), ("detail", Text)],
    conflict: "",
};

const AUDIT: Insert = Insert {
    table: "audit",
    columns: &[
        ("event_seq", Int),
        ("tenant", Bytes),
        ("at", Int),
        ("party", Text),
        ("action", Text),
        ("conversation", Bytes),
        ("subject", Text),
        ("detail", Text),
    ],
    conflict: "",
};

/// Writes what a folded batch changes besides [`places`].
pub(super) async fn rows<S: Sql>(db: &mut S, batch: &Batch) -> RecordsResult<()> {
    contacts(db, batch.contacts.values()).await?;
    conversations(db, batch).await?;
    files::of_messages(db, batch).await?;
    let attempts = batch
        .attempts
        .iter()
        .map(|(message, attempt)| values![message.0, attempt.at.0, attempt.code, attempt.detail.as_str()]);
    db.insert(&ATTEMPTS, attempts.collect()).await?;
    let mut consents = Vec::with_capacity(batch.consents.len());
    for ((contact, channel), (tenant, record)) in &batch.consents {
        consents.push(values![contact.0, name(channel)?, tenant.0, record.at.0, json(record)?]);
    }
    db.insert(&CONSENTS, consents).await?;
    let sql = format!("{MESSAGE_CHANGE} WHERE id = ?1 AND sender IS NOT NULL");
    let changes = batch.message_changes.iter().map(|(id, change)| changed(id.0, change));
    db.run_each(&sql, changes.collect::<RecordsResult<_>>()?).await
}

/// Writes the rows of a folded batch that stand at places among the events: `base` is the place before the batch.
pub(super) async fn places<S: Sql>(db: &mut S, batch: &Batch, base: EventSeq) -> RecordsResult<()> {
    let place = |seq: EventSeq| EventSeq(base.0 + seq.0);
    let messages = batch.messages.iter().map(|(seq, row)| message(place(*seq), row));
    db.insert(&MESSAGES, messages.collect::<RecordsResult<_>>()?).await?;
    let sent = batch.messages.iter().filter(|(_, row)| row.direction == Direction::Outbound);
    let repliers: BTreeSet<_> =
        sent.map(|(_, row)| (row.tenant, text::party(row.sender), row.conversation)).collect();
    let repliers =
        repliers.into_iter().map(|(tenant, party, conversation)| values![tenant.0, party, conversation.0]);
    db.insert(&REPLIERS, repliers.collect()).await?;
    // After the messages: they may be among those of this batch.
    let sql = format!("{MESSAGE_CHANGE} WHERE conversation = ?1 AND provider_id = ?5 AND sender IS NOT NULL");
    let changes = batch.unnamed_changes.iter().map(|(id, change)| changed(id.0, change));
    db.run_each(&sql, changes.collect::<RecordsResult<_>>()?).await?;
    audit(db, batch.audit.iter().map(|(seq, line)| (Some(place(*seq)), line.clone())).collect()).await
}

/// Writes contacts and the words by which they are found.
pub(super) async fn contacts<'a, S: Sql>(
    db: &mut S,
    contacts: impl Iterator<Item = &'a ContactSlot>,
) -> RecordsResult<()> {
    let (mut rows, mut lost, mut gained) = (Vec::new(), Vec::new(), Vec::new());
    for contact in contacts.filter(|contact| contact.slot.write != Write::Keep) {
        let row = &contact.slot.row;
        rows.push(values![
            row.id.0,
            row.tenant.0,
            json(&row.key)?,
            row.phone.map(|phone| phone.digits()),
            row.bsuid.as_ref().map(Bsuid::as_str),
            row.username.as_deref(),
            row.profile_name.as_deref(),
            row.card_name.as_deref(),
            row.created_at.0,
            row.stage.as_deref(),
        ]);
        let words = search_words(row);
        for word in contact.words_before.iter().filter(|word| !words.contains(word)) {
            lost.push(values![row.tenant.0, word.as_str(), row.id.0]);
        }
        for word in words.into_iter().filter(|word| !contact.words_before.contains(word)) {
            gained.push(values![row.tenant.0, word, row.id.0]);
        }
    }
    db.insert(&CONTACTS, rows).await?;
    forget_words(db, lost).await?;
    db.insert(&WORDS, gained).await
}

/// Contacts are no longer found by these: each a tenant, a word and a contact.
pub(super) async fn forget_words<S: Sql>(db: &mut S, words: Vec<Values<'_>>) -> RecordsResult<()> {
    db.run_each("DELETE FROM contact_words WHERE tenant = ?1 AND word = ?2 AND contact = ?3", words).await
}

/// Writes audit lines; one without a place is not derived and survives a rebuild.
pub(super) async fn audit<S: Sql>(
    db: &mut S,
    lines: Vec<(Option<EventSeq>, AuditEntry)>,
) -> RecordsResult<()> {
    let rows = lines.iter().map(|(seq, line)| {
        values![
            *seq,
            line.tenant.0,
            line.at.0,
            text::party(line.by),
            line.action.as_str(),
            line.conversation.map(|id| id.0),
            line.subject.as_deref(),
            line.detail.to_string(),
        ]
    });
    db.insert(&AUDIT, rows.collect()).await
}

async fn conversations<S: Sql>(db: &mut S, batch: &Batch) -> RecordsResult<()> {
    let (mut rows, mut talks) = (Vec::new(), Vec::new());
    for slot in batch.conversations.values() {
        match slot.write {
            Write::Keep => {}
            Write::Insert | Write::Update => rows.push(conversation(&slot.row)?),
            Write::UpdateTalk => talks.push(conversation(&slot.row)?),
        }
    }
    db.insert(&CONVERSATIONS, rows).await?;
    db.insert(&CONVERSATIONS_TALK, talks).await
}

fn conversation(row: &Row) -> RecordsResult<Values<'_>> {
    let last = row.last_message.as_ref();
    Ok(values![
        row.id.0,
        name(&row.mode)?,
        row.owner.as_ref().map(text::owner),
        row.vacancy.as_ref().map(|vacancy| vacancy.id.as_str()),
        row.vacancy.as_ref().map(|vacancy| vacancy.title.as_str()),
        row.flow.as_ref().map(|flow| flow.id.as_str()),
        row.flow.as_ref().map(|flow| flow.version),
        row.flow.as_ref().and_then(|flow| flow.step.as_deref()),
        row.window_opened_at.map(|at| at.0),
        row.window_expires_at.map(|at| at.0),
        row.unread,
        row.unanswered_since.map(|at| at.0),
        last.map(|last| last.message.0),
        last.map(|last| last.at.0),
        last.map(|last| name(&last.direction)).transpose()?,
        last.map(|last| last.kind.as_str()),
        last.map(|last| last.text.as_str()),
        row.last_inbound_at.map(|at| at.0),
        row.last_outbound_at.map(|at| at.0),
        row.last_outbound_by.map(text::party),
        row.last_reply_at.map(|at| at.0),
        row.blocked,
        row.left,
        row.paused,
        last.map_or(row.created_at, |last| last.at).0,
        row.tenant.0,
        row.number.0,
        name(&row.channel)?,
        row.contact.0,
        row.created_at.0,
    ])
}

/// What its event does not say. Nothing becomes of a message from the contact.
fn message(seq: EventSeq, row: &MessageRecord) -> RecordsResult<Values<'_>> {
    let sent = row.direction == Direction::Outbound;
    Ok(values![
        seq,
        row.id.0,
        row.conversation.0,
        matches!(row.content, Content::Media(_)),
        sent.then(|| text::party(row.sender)),
        row.status.map(MessageStatus::name),
        row.status.map(|status| i64::from(status.rank())),
        row.status_at.map(|at| at.0),
        row.provider_id.as_ref().filter(|_| sent).map(ProviderId::as_str),
        row.pricing.as_ref().map(json).transpose()?,
        if row.errors.is_empty() { None } else { Some(json(&row.errors)?) },
    ])
}

/// The values of [`MESSAGE_CHANGE`].
fn changed(which: u128, change: &MessageChange) -> RecordsResult<Values<'_>> {
    Ok(values![
        which,
        change.status.name(),
        i64::from(change.status.rank()),
        change.at.0,
        change.provider_id.as_ref().map(ProviderId::as_str),
        change.pricing.as_ref().map(json).transpose()?,
        if change.errors.is_empty() { None } else { Some(json(&change.errors)?) },
    ])
}
