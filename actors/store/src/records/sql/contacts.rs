//! Contacts and the tenant's cards.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use protocol::content::Channel;
use protocol::id::{ContactId, TenantId};
use protocol::phone::E164;
use protocol::time::TimestampMs;

use super::super::fold::card_changes;
use super::super::text::{damaged, from_json, from_name, name};
use super::super::{
    Change, ConsentLine, ConsentQuery, ContactCard, ContactRecord, Contacts, Document, DocumentKind,
    DocumentWrite, Expect, Page, PageRequest, RecordsError, RecordsResult, SilencedContact,
};
use super::filter::Where;
use super::paging::{older, page, page_limit, pair_cursor};
use super::statement::{Database, Durability, Sql, one};
use super::value::{Value, Values, values};
use super::{cards, documents, load, people, rows, save};

#[async_trait]
impl<D: Database> Contacts for D {
    async fn contacts(
        &self,
        tenant: TenantId,
        search: Option<String>,
        page: PageRequest,
    ) -> RecordsResult<Page<ContactRecord>> {
        self.snapshot(move |db| contacts(db, tenant, search, page).boxed()).await
    }

    async fn contact(&self, tenant: TenantId, id: ContactId) -> RecordsResult<Option<ContactRecord>> {
        let sql = format!("SELECT {} FROM contacts p WHERE p.tenant = ?1 AND p.id = ?2", rows::CONTACT);
        let values = values![tenant.0, id.0];
        self.read(move |db| complete(db, sql, values).boxed()).await
    }

    async fn silenced_contacts(
        &self,
        tenant: TenantId,
        channel: Channel,
        page: PageRequest,
    ) -> RecordsResult<Page<SilencedContact>> {
        self.read(move |db| silenced(db, (tenant, channel), page).boxed()).await
    }

    async fn consents(
        &self,
        tenant: TenantId,
        query: ConsentQuery,
        page: PageRequest,
    ) -> RecordsResult<Page<ConsentLine>> {
        self.read(move |db| report(db, tenant, query, page).boxed()).await
    }

    async fn cards(
        &self,
        contacts: Vec<ContactId>,
    ) -> RecordsResult<Vec<(TenantId, ContactId, ContactCard)>> {
        self.read(move |db| cards::of(db, contacts).boxed()).await
    }

    async fn move_card(
        &self,
        change: Change,
        tenant: TenantId,
        between: (ContactId, ContactId),
    ) -> RecordsResult<Option<ContactCard>> {
        self.write(Durability::Disk, move |db| cards::hand_over(db, change, tenant, between).boxed()).await
    }

    async fn contact_by_phone(&self, tenant: TenantId, phone: E164) -> RecordsResult<Option<ContactRecord>> {
        // A person who was first known by user id and one who was first known by phone may turn out to be the
        // same: the older one has the history.
        let sql = format!(
            "SELECT {} FROM contacts p WHERE p.tenant = ?1 AND p.phone = ?2 ORDER BY p.created_at, p.id LIMIT 1",
            rows::CONTACT
        );
        let values = values![tenant.0, phone.digits()];
        self.read(move |db| complete(db, sql, values).boxed()).await
    }

    async fn contact_card(
        &self,
        tenant: TenantId,
        id: ContactId,
    ) -> RecordsResult<Option<(u64, ContactCard)>> {
        let id = id.to_string();
        let found = self
            .read(move |db| {
                async move { documents::find(db, DocumentKind::Contact, Some(tenant), &id).await }.boxed()
            })
            .await?;
        found.map(|document| Ok((document.version, card(document.body)?))).transpose()
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
            self.write(Durability::Disk, move |db| documents::write(db, change, vec![write]).boxed()).await?;
        written.into_iter().next().ok_or(RecordsError::Closed)
    }
}

/// The contact that a document is the card of, if it is one.
pub(super) fn of_document(write: &DocumentWrite) -> Option<RecordsResult<ContactId>> {
    (write.kind == DocumentKind::Contact && write.tenant.is_some()).then(|| parse(&write.id))
}

pub(super) fn parse(id: &str) -> RecordsResult<ContactId> {
    id.parse().map_err(|error: protocol::id::InvalidId| RecordsError::Invalid {
        field: "contact_id",
        detail: error.to_string(),
    })
}

/// Shows a card (or its absence) in the derived contact.
pub(super) async fn apply_card<S: Sql>(
    db: &mut S,
    (tenant, id): (TenantId, &str),
    body: Option<serde_json::Value>,
    at: TimestampMs,
) -> RecordsResult<()> {
    let id = parse(id)?;
    let card = body.map(card).transpose()?;
    let known = load::contact(db, id).await?;
    if known.as_ref().is_some_and(|contact| contact.tenant != tenant) {
        let detail = "belongs to another tenant".to_owned();
        return Err(RecordsError::Invalid { field: "contact_id", detail });
    }
    match card_changes(known, (tenant, id), card.as_ref(), at) {
        Some(slot) => save::contacts(db, std::iter::once(&slot)).await,
        None => Ok(()),
    }
}

/// Shows every card, before a rebuild derives the rest.
pub(super) async fn apply_cards<S: Sql>(db: &mut S) -> RecordsResult<()> {
    let sql = "SELECT tenant, id, updated_at, body FROM documents WHERE kind = ?1";
    let cards = db.all(sql, values![DocumentKind::Contact.name()], |cells| {
        let (tenant, id) = (cells.id(TenantId)?, cells.take::<String>()?);
        Ok((tenant, id, cells.time()?, cells.text(|text| from_json("contact card", text))?))
    });
    for (tenant, id, at, body) in cards.await? {
        apply_card(db, (tenant, &id), Some(body), at).await?;
    }
    Ok(())
}

async fn contacts<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    search: Option<String>,
    request: PageRequest,
) -> RecordsResult<Page<ContactRecord>> {
    match search {
        Some(text) if !text.trim().is_empty() => people::find(db, (tenant, text), request).await,
        _ => newest(db, Where::tenant("p.tenant", tenant), request).await,
    }
}

/// The newest contacts for which the conditions hold.
async fn newest<S: Sql>(
    db: &mut S,
    mut conditions: Where,
    request: PageRequest,
) -> RecordsResult<Page<ContactRecord>> {
    older(&mut conditions, "p.created_at, p.id", request.cursor.as_ref(), Value::from)?;
    let limit = page_limit(request.limit);
    let sql = format!(
        "SELECT {} FROM contacts p WHERE {} ORDER BY p.created_at DESC, p.id DESC LIMIT {}",
        rows::CONTACT,
        conditions.sql,
        limit + 1
    );
    let found = db.all(&sql, conditions.values, rows::contact).await?;
    let mut page = page(found, limit, |last| pair_cursor(last.created_at.0, last.id.0));
    load::consents(db, page.data.iter_mut()).await?;
    Ok(page)
}

/// Asked once when a number is added, so a look at every contact of the tenant will do.
async fn silenced<S: Sql>(
    db: &mut S,
    (tenant, channel): (TenantId, Channel),
    request: PageRequest,
) -> RecordsResult<Page<SilencedContact>> {
    let mut conditions = Where::tenant("p.tenant", tenant);
    // A consent is stored as JSON without spaces; quotes within its texts are escaped, so that only the field matches.
    conditions.and(
        "(EXISTS (SELECT 1 FROM consents n WHERE n.contact = p.id AND n.channel = {} \
         AND n.record LIKE '%\"consent\":\"opted_out\"%') \
         OR EXISTS (SELECT 1 FROM conversation_keys k JOIN conversations c ON c.id = k.id \
         WHERE k.contact = p.id AND k.channel = {} AND c.blocked = 1))",
        name(&channel)?,
    );
    let found = newest(db, conditions, request).await?;
    let sql = "SELECT c.contact, c.channel FROM conversation_keys k JOIN conversations c ON c.id = k.id \
               WHERE k.contact IN (?1) AND c.blocked = 1";
    let wanted = found.data.iter().map(|contact| contact.id.0.into()).collect();
    let blocked = db.of_keys(sql, wanted, |cells| {
        Ok((cells.id(ContactId)?, cells.text(|text| from_name::<Channel>("channel", text))?))
    });
    let blocked: BTreeSet<_> = blocked.await?.into_iter().collect();
    let silenced = |contact: ContactRecord| {
        let blocked = blocked.contains(&(contact.id, channel));
        SilencedContact { contact, blocked }
    };
    Ok(Page { data: found.data.into_iter().map(silenced).collect(), next: found.next })
}

async fn report<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    query: ConsentQuery,
    request: PageRequest,
) -> RecordsResult<Page<ConsentLine>> {
    let mut conditions = Where::tenant("n.tenant", tenant);
    conditions.and("n.channel = {}", name(&query.channel)?);
    // As in `silenced`: JSON without spaces, quotes within texts are escaped.
    if let Some(consent) = query.consent {
        conditions.and("n.record LIKE {}", format!("%\"consent\":\"{}\"%", name(&consent)?));
    }
    if let Some(source) = query.source {
        conditions.and("n.record LIKE {}", format!("%\"source\":\"{}\"%", name(&source)?));
    }
    if let Some(from) = query.from {
        conditions.and("n.at >= {}", from.0);
    }
    if let Some(to) = query.to {
        conditions.and("n.at < {}", to.0);
    }
    older(&mut conditions, "n.at, n.contact", request.cursor.as_ref(), Value::from)?;
    let limit = page_limit(request.limit);
    let sql = format!(
        "SELECT {}, n.record FROM consents n JOIN contacts p ON p.id = n.contact WHERE {} \
         ORDER BY n.at DESC, n.contact DESC LIMIT {}",
        rows::CONTACT,
        conditions.sql,
        limit + 1
    );
    let found = db.all(&sql, conditions.values, |cells| {
        let contact = rows::contact(cells)?;
        Ok(ConsentLine { contact, record: cells.text(|text| from_json("consent", text))? })
    });
    let mut page = page(found.await?, limit, |last| pair_cursor(last.record.at.0, last.contact.id.0));
    load::consents(db, page.data.iter_mut().map(|line| &mut line.contact)).await?;
    Ok(page)
}

/// One contact with its consents.
async fn complete<S: Sql>(
    db: &mut S,
    sql: String,
    values: Values<'static>,
) -> RecordsResult<Option<ContactRecord>> {
    let mut found = one(db, &sql, values, rows::contact).await?;
    load::consents(db, found.iter_mut()).await?;
    Ok(found)
}

pub(super) fn card(body: serde_json::Value) -> RecordsResult<ContactCard> {
    serde_json::from_value(body).map_err(damaged("contact card"))
}
