//! Contacts and the tenant's cards.

use async_trait::async_trait;
use protocol::content::Channel;
use protocol::id::{ContactId, TenantId};
use protocol::phone::E164;
use protocol::time::TimestampMs;
use rusqlite::{Connection, Transaction, params_from_iter};

use super::super::fold::card_changes;
use super::super::text::{damaged, from_json, name};
use super::super::{
    Change, ContactCard, ContactRecord, Contacts, Document, DocumentKind, DocumentWrite, Expect, Page,
    PageRequest, RecordsError, RecordsResult, SilencedContact,
};
use super::filter::{Where, blob};
use super::sql::{Id, all, cursor_pair, one, page, page_limit, pair_cursor};
use super::{SqliteRecords, documents, load, rows, save};

#[async_trait]
impl Contacts for SqliteRecords {
    async fn contacts(
        &self,
        tenant: TenantId,
        search: Option<String>,
        page: PageRequest,
    ) -> RecordsResult<Page<ContactRecord>> {
        self.read(move |connection| contacts(connection, tenant, search.as_deref(), &page)).await
    }

    async fn contact(&self, tenant: TenantId, id: ContactId) -> RecordsResult<Option<ContactRecord>> {
        self.read(move |connection| {
            let found = load::contact(connection, id)?.filter(|contact| contact.tenant == tenant);
            found.map(|contact| with_consents(connection, contact)).transpose()
        })
        .await
    }

    async fn silenced_contacts(
        &self,
        tenant: TenantId,
        channel: Channel,
        page: PageRequest,
    ) -> RecordsResult<Page<SilencedContact>> {
        self.read(move |connection| silenced(connection, (tenant, channel), &page)).await
    }

    async fn contact_by_phone(&self, tenant: TenantId, phone: E164) -> RecordsResult<Option<ContactRecord>> {
        // A person who was first known by user id and one who was first known by phone may turn out to be the
        // same: the older one has the history.
        let sql = format!(
            "SELECT {} FROM contacts p WHERE p.tenant = ?1 AND p.phone = ?2 ORDER BY p.created_at, p.id LIMIT 1",
            rows::CONTACT
        );
        self.read(move |connection| {
            let values = (Id::new(tenant.0), phone.digits());
            let found = one(connection, &sql, values, rows::contact)?;
            found.map(|contact| with_consents(connection, contact)).transpose()
        })
        .await
    }

    async fn contact_card(
        &self,
        tenant: TenantId,
        id: ContactId,
    ) -> RecordsResult<Option<(u64, ContactCard)>> {
        self.read(move |connection| {
            let kind = DocumentKind::Contact;
            let found = documents::find(connection, kind, Some(tenant), &id.to_string())?;
            found.map(|document| Ok((document.version, card(document.body)?))).transpose()
        })
        .await
    }

    async fn save_contact(
        &self,
        change: Change,
        tenant: TenantId,
        (id, card): (ContactId, ContactCard),
        expect: Expect,
    ) -> RecordsResult<Document> {
        let body = serde_json::to_value(card).map_err(|error| RecordsError::Failed(error.into()))?;
        let write = DocumentWrite {
            kind: DocumentKind::Contact,
            tenant: Some(tenant),
            id: id.to_string().into(),
            expect,
            body: Some(body),
        };
        let written =
            self.write_durably(move |transaction| documents::write(transaction, change, &[write])).await?;
        written.into_iter().next().ok_or(RecordsError::Closed)
    }
}

/// Shows a card (or its absence) in the derived contact.
pub(super) fn apply_card(
    transaction: &Transaction<'_>,
    (tenant, id): (TenantId, &str),
    body: Option<serde_json::Value>,
    at: TimestampMs,
) -> RecordsResult<()> {
    let id: ContactId = id.parse().map_err(|error: protocol::id::InvalidId| RecordsError::Invalid {
        field: "contact_id",
        detail: error.to_string(),
    })?;
    let card = body.map(card).transpose()?;
    let known = load::contact(transaction, id)?;
    if known.as_ref().is_some_and(|contact| contact.tenant != tenant) {
        let detail = "belongs to another tenant".to_owned();
        return Err(RecordsError::Invalid { field: "contact_id", detail });
    }
    match card_changes(known, (tenant, id), card.as_ref(), at) {
        Some(slot) => save::contact(transaction, &slot),
        None => Ok(()),
    }
}

/// Shows every card, before a rebuild derives the rest.
pub(super) fn apply_cards(transaction: &Transaction<'_>) -> RecordsResult<()> {
    let sql = "SELECT tenant, id, updated_at, body FROM documents WHERE kind = ?1";
    let cards = all(transaction, sql, [DocumentKind::Contact.name()], |cells| {
        let (tenant, id) = (cells.id(TenantId)?, cells.take::<String>()?);
        Ok((tenant, id, cells.time()?, cells.text(|text| from_json("contact card", text))?))
    })?;
    for (tenant, id, at, body) in cards {
        apply_card(transaction, (tenant, &id), Some(body), at)?;
    }
    Ok(())
}

fn contacts(
    connection: &Connection,
    tenant: TenantId,
    search: Option<&str>,
    request: &PageRequest,
) -> RecordsResult<Page<ContactRecord>> {
    let mut conditions = Where::tenant("p.tenant", tenant);
    if let Some(text) = search {
        conditions.and_search(tenant, "p.id", text);
    }
    newest(connection, conditions, request)
}

/// The newest contacts for which the conditions hold.
fn newest(
    connection: &Connection,
    mut conditions: Where,
    request: &PageRequest,
) -> RecordsResult<Page<ContactRecord>> {
    if let Some(cursor) = &request.cursor {
        let (at, id) = cursor_pair(cursor)?;
        let at = conditions.bind(at);
        conditions.and(&format!("(p.created_at, p.id) < ({at}, {{}})"), blob(id));
    }
    let limit = page_limit(request.limit);
    let sql = format!(
        "SELECT {} FROM contacts p WHERE {} ORDER BY p.created_at DESC, p.id DESC LIMIT {}",
        rows::CONTACT,
        conditions.sql,
        limit + 1
    );
    let found = all(connection, &sql, params_from_iter(conditions.values), rows::contact)?;
    let mut page = page(found, limit, |last| pair_cursor(last.created_at.0, last.id.0));
    for row in &mut page.data {
        row.consents = load::consents(connection, row.id)?;
    }
    Ok(page)
}

/// Asked once when a number is added, so a look at every contact of the tenant will do.
fn silenced(
    connection: &Connection,
    (tenant, channel): (TenantId, Channel),
    request: &PageRequest,
) -> RecordsResult<Page<SilencedContact>> {
    const BLOCKED: &str =
        "EXISTS (SELECT 1 FROM conversations c WHERE c.contact = p.id AND c.channel = {} AND c.blocked = 1)";
    let mut conditions = Where::tenant("p.tenant", tenant);
    let opted_out = "EXISTS (SELECT 1 FROM consents n WHERE n.contact = p.id AND n.channel = {} \
                     AND n.record ->> 'consent' = 'opted_out')";
    conditions.and(&format!("({opted_out} OR {BLOCKED})"), name(&channel)?);
    let found = newest(connection, conditions, request)?;
    let sql = BLOCKED.replace("p.id", "?1").replace("{}", "?2");
    let silenced = |contact: ContactRecord| {
        let values = (Id::new(contact.id.0), name(&channel)?);
        let blocked =
            one(connection, &format!("SELECT {sql}"), values, |cells| cells.take())?.unwrap_or(false);
        Ok(SilencedContact { contact, blocked })
    };
    Ok(Page { data: found.data.into_iter().map(silenced).collect::<RecordsResult<_>>()?, next: found.next })
}

fn with_consents(connection: &Connection, mut contact: ContactRecord) -> RecordsResult<ContactRecord> {
    contact.consents = load::consents(connection, contact.id)?;
    Ok(contact)
}

fn card(body: serde_json::Value) -> RecordsResult<ContactCard> {
    serde_json::from_value(body).map_err(damaged("contact card"))
}
