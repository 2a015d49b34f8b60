//! Rows as the types that callers see. Every list of columns stands beside the function that reads it.

use protocol::command::Vacancy;
use protocol::id::{Bsuid, ContactId, ConversationId, FlowId, MessageId, NumberId, ProviderId, TenantId};
use protocol::phone::{ContactKey, E164};

use super::super::fold::message_of;
use super::super::text::{damaged, from_json, from_name, from_owner, from_party};
use super::super::{
    ContactRecord, ConversationRecord, EventSeq, FlowPlace, MessageRecord, Preview, RecordsError,
    RecordsResult, StoredEvent,
};
use super::cells::Cells;
use super::events;

/// Columns of a contact, read by [`contact`].
pub(super) const CONTACT: &str =
    "p.id, p.tenant, p.key, p.phone, p.bsuid, p.username, p.profile_name, p.card_name, p.stage, p.created_at";

/// Columns of an inbox row, read by [`conversation_of`].
pub(super) const CONVERSATION: &str = "\
    c.id, c.tenant, c.number, c.channel, c.created_at, c.mode, c.owner, c.vacancy_id, c.vacancy_title, \
    c.flow_id, c.flow_version, c.flow_step, c.window_opened_at, c.window_expires_at, c.unread, c.unanswered_since, \
    c.last_message, c.last_message_at, c.last_direction, c.last_kind, c.last_text, \
    c.last_inbound_at, c.last_outbound_at, c.last_outbound_by, c.last_reply_at, c.blocked, c.left_chat, c.paused";

/// Columns of a message and its event, read by [`message`].
pub(super) const MESSAGE: &str = "e.seq, e.body, m.status, m.status_at, m.provider_id, m.pricing, m.errors";

/// Reads a contact; its consents are loaded apart.
pub(super) fn contact(cells: &mut Cells<'_>) -> RecordsResult<ContactRecord> {
    Ok(ContactRecord {
        id: cells.id(ContactId)?,
        tenant: cells.id(TenantId)?,
        key: cells.text(|text| from_json::<ContactKey>("contact key", text))?,
        phone: cells.take::<Option<u64>>()?.map(phone).transpose()?,
        bsuid: cells.short()?.map(Bsuid),
        username: cells.short()?,
        profile_name: cells.take()?,
        card_name: cells.take()?,
        stage: cells.short()?,
        consents: Vec::new(),
        created_at: cells.time()?,
    })
}

/// Reads an inbox row behind the columns of its contact.
pub(super) fn conversation(cells: &mut Cells<'_>) -> RecordsResult<ConversationRecord> {
    conversation_of(contact(cells)?, cells)
}

/// Reads an inbox row, but for its contact.
pub(super) fn conversation_of<C>(contact: C, cells: &mut Cells<'_>) -> RecordsResult<ConversationRecord<C>> {
    Ok(ConversationRecord {
        contact,
        id: cells.id(ConversationId)?,
        tenant: cells.id(TenantId)?,
        number: cells.id(NumberId)?,
        channel: cells.text(|text| from_name("channel", text))?,
        created_at: cells.time()?,
        mode: cells.text(|text| from_name("mode", text))?,
        owner: cells.parsed(from_owner)?,
        vacancy: vacancy(cells)?,
        flow: flow(cells)?,
        window_opened_at: cells.maybe_time()?,
        window_expires_at: cells.maybe_time()?,
        unread: cells.take()?,
        unanswered_since: cells.maybe_time()?,
        last_message: preview(cells)?,
        last_inbound_at: cells.maybe_time()?,
        last_outbound_at: cells.maybe_time()?,
        last_outbound_by: cells.parsed(from_party)?,
        last_reply_at: cells.maybe_time()?,
        blocked: cells.take()?,
        left: cells.take()?,
        paused: cells.take()?,
    })
}

/// Reads a message with its place; its attempts are loaded apart.
pub(super) fn message(cells: &mut Cells<'_>) -> RecordsResult<(EventSeq, MessageRecord)> {
    let StoredEvent { seq, event } = events::event(cells)?;
    let mut row = message_of(&event).ok_or_else(|| damaged("message")("its event brings none"))?;
    row.status = cells.parsed(|text| from_name("status", text))?;
    row.status_at = cells.maybe_time()?;
    row.provider_id = cells.short()?.map(ProviderId).or(row.provider_id);
    row.pricing = cells.parsed(|text| from_json("pricing", text))?;
    row.errors = cells.parsed(|text| from_json("errors", text))?.unwrap_or_default();
    Ok((seq, row))
}

fn phone(digits: u64) -> RecordsResult<E164> {
    E164::parse(&digits.to_string())
        .map_err(|error| RecordsError::Damaged { what: "phone number", source: error.into() })
}

fn vacancy(cells: &mut Cells<'_>) -> RecordsResult<Option<Vacancy>> {
    let (id, title) = (cells.short()?, cells.take::<Option<String>>()?);
    Ok(id.map(|id| Vacancy { id, title: title.unwrap_or_default() }))
}

fn flow(cells: &mut Cells<'_>) -> RecordsResult<Option<FlowPlace>> {
    let (id, version, step) = (cells.short()?, cells.take::<Option<u32>>()?, cells.short()?);
    Ok(id.map(|id| FlowPlace { id: FlowId(id), version: version.unwrap_or_default(), step }))
}

fn preview(cells: &mut Cells<'_>) -> RecordsResult<Option<Preview>> {
    let message = cells.maybe_id(MessageId)?;
    let at = cells.maybe_time()?;
    let direction = cells.parsed(|text| from_name("direction", text))?;
    let (kind, text) = (cells.short()?, cells.take::<Option<String>>()?);
    Ok(match (message, at, direction) {
        (Some(message), Some(at), Some(direction)) => Some(Preview {
            message,
            at,
            direction,
            kind: kind.unwrap_or_default(),
            text: text.unwrap_or_default(),
        }),
        _ => None,
    })
}
