//! Cards of people who turn out to be known by another name.

use protocol::id::{ContactId, TenantId};

use super::super::{Change, ContactCard, DocumentKind, DocumentWrite, Expect, RecordsError, RecordsResult};
use super::contacts::{card, parse};
use super::statement::{Lock, Sql};
use super::{documents, erasure, load};

/// The cards of contacts, by the contact alone: an id is derived from its tenant.
pub(super) async fn of<S: Sql>(
    db: &mut S,
    contacts: Vec<ContactId>,
) -> RecordsResult<Vec<(TenantId, ContactId, ContactCard)>> {
    let sql = "SELECT tenant, id, body FROM documents WHERE kind = 'contact' AND id IN (?1)";
    let wanted = contacts.into_iter().map(|id| id.to_string().into()).collect();
    let found = db.of_keys(sql, wanted, |cells| {
        let (tenant, id) = (cells.id(TenantId)?, cells.take::<String>()?);
        Ok((tenant, parse(&id)?, cells.text(|text| super::super::text::from_json("contact card", text))?))
    });
    found.await
}

/// Gives the card of one contact to another, unless there are conversations with the first one.
pub(super) async fn hand_over<S: Sql>(
    db: &mut S,
    change: Change,
    tenant: TenantId,
    (from, to): (ContactId, ContactId),
) -> RecordsResult<Option<ContactCard>> {
    db.lock(vec![Lock::Documents]).await?;
    db.lock(vec![Lock::Contact(from), Lock::Contact(to)]).await?;
    let old = documents::find(db, DocumentKind::Contact, Some(tenant), &from.to_string()).await?;
    let (Some(old), Some(new)) = (old, load::contact(db, to).await?) else { return Ok(None) };
    if load::is_in_conversation(db, from).await? || new.tenant != tenant {
        return Ok(None);
    }
    let known = documents::find(db, DocumentKind::Contact, Some(tenant), &to.to_string()).await?;
    let mut whole = known.map(|known| card(known.body)).transpose()?.unwrap_or_default();
    whole.key = whole.key.or(Some(new.key));
    whole.fill_in(card(old.body)?);
    let body = serde_json::to_value(&whole).map_err(|error| RecordsError::Failed(error.into()))?;
    let write = |id: ContactId, body| DocumentWrite {
        kind: DocumentKind::Contact,
        tenant: Some(tenant),
        id: id.to_string().into(),
        expect: Expect::Any,
        body,
    };
    documents::write(db, change, vec![write(from, None), write(to, Some(body))]).await?;
    erasure::forget(db, from).await?;
    Ok(Some(whole))
}
