//! Introduces numbers that are added to a tenant: whoever opted out or was blocked at its other numbers is not
//! messaged from the new one either.
//!
//! A conversation tells the numbers that exist when a contact refuses. A number that comes later is told here, from
//! the records, before it may send anything. Everything is repeatable: until the number is marked, this or another
//! node begins again, also after a crash.

use std::collections::HashMap;
use std::time::Duration;

use actix_web::web::Data;
use protocol::command::{Consent, Party};
use protocol::directory::Number;
use protocol::entry::ContactChange;
use protocol::id::NumberId;
use protocol::phone::ContactKey;
use protocol::time::TimestampMs;
use protocol::whatsapp::webhook::Names;
use runtime::consumers::ConsumerError;
use runtime::ingress::IngestError;
use store::records::{
    Change, Cursor, DocumentKind, DocumentWrite, Expect, PageRequest, RecordsError, SilencedContact,
};
use tokio::time::Instant;

use crate::directory::FOLLOW_EVERY;
use crate::state::AppState;

/// A new number waits this long before the records are read. By then every node has it in its directory and tells
/// it of refusals itself, and what was decided without it is committed.
const SETTLE: Duration = FOLLOW_EVERY.saturating_mul(2);
/// How long the records may take to catch up with what is committed; after that the next round tries again.
const PATIENCE: Duration = Duration::from_secs(5);
/// Contacts in one append: each makes at most four entries.
const PAGE: usize = 200;

/// Why a number could not be introduced; it sends nothing until a later round succeeds.
#[derive(Debug, thiserror::Error)]
enum IntroductionError {
    #[error("the records are behind")]
    Behind,
    #[error("the records store failed")]
    Records(#[from] RecordsError),
    #[error("the records could not be followed")]
    Follow(#[from] ConsumerError),
    #[error("the conversations could not be told")]
    Tell(#[from] IngestError),
    #[error("the number could not be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Introduces numbers as they come, on the node that leads, until the process stops.
pub(crate) async fn follow(state: Data<AppState>) {
    let (mut seen, leads) = (HashMap::new(), state.node.leads());
    while state.stopping.run_until_cancelled(tokio::time::sleep(FOLLOW_EVERY)).await.is_some() {
        if !*leads.borrow() {
            continue;
        }
        for number in waiting(&state, &mut seen) {
            match introduce(&state, &number).await {
                Ok(told) => tracing::info!(number = %number.id, told, "a new number was introduced"),
                Err(error) => tracing::warn!(
                    number = %number.id,
                    error = &error as &dyn std::error::Error,
                    "a new number is not introduced yet and sends nothing"
                ),
            }
        }
    }
}

/// Numbers that have been here for long enough.
fn waiting(state: &AppState, seen: &mut HashMap<NumberId, Instant>) -> Vec<Number> {
    let directory = state.directory.load();
    let numbers = directory.tenants.values().flat_map(|tenant| tenant.numbers.values());
    let new: Vec<_> = numbers.filter(|number| !number.introduced).cloned().collect();
    seen.retain(|id, _| new.iter().any(|number| number.id == *id));
    let is_settled = |number: &Number| seen.entry(number.id).or_insert_with(Instant::now).elapsed() >= SETTLE;
    new.into_iter().filter(is_settled).collect()
}

/// Tells a number of everybody who may not be messaged, and marks it. Answers how many there are.
async fn introduce(state: &AppState, number: &Number) -> Result<usize, IntroductionError> {
    if !state.consumers.caught_up(None, PATIENCE).await? {
        return Err(IntroductionError::Behind);
    }
    let now = state.engine.now().await.map_err(IngestError::from)?;
    let (mut told, mut cursor): (usize, Option<Cursor>) = (0, None);
    loop {
        let page = PageRequest { limit: PAGE, cursor };
        let found = state.records.silenced_contacts(number.tenant, number.channel, page).await?;
        told += found.data.len();
        let changes = found.data.iter().flat_map(|silenced| changes(silenced, number)).collect();
        state.ingress.tell((number.tenant, number.id), changes, now).await?;
        cursor = found.next;
        if cursor.is_none() {
            break;
        }
    }
    mark(state, number, now).await?;
    Ok(told)
}

/// What one contact's conversations with the number have to know: one for each name, since nobody can tell by which
/// one it will write.
fn changes(silenced: &SilencedContact, number: &Number) -> Vec<(Names, ContactChange)> {
    let contact = &silenced.contact;
    let key = match &contact.key {
        ContactKey::Bsuid(bsuid) => Some(bsuid.clone()),
        ContactKey::Phone(_) => None,
    };
    let phone = contact.phone.map(|phone| Names { phone: Some(phone), bsuid: None });
    let bsuid = contact.bsuid.clone().or(key).map(|bsuid| Names { phone: None, bsuid: Some(bsuid) });
    let consents = contact
        .consents
        .iter()
        .filter(|entry| entry.channel == number.channel && entry.record.consent == Consent::OptedOut);
    let block = ContactChange::Blocked { blocked: true, by: Party::Gateway };
    let what: Vec<_> = consents
        .map(|entry| ContactChange::Consent(entry.record.clone()))
        .chain(silenced.blocked.then_some(block))
        .collect();
    let names = phone.into_iter().chain(bsuid);
    names.flat_map(|names| what.iter().map(move |change| (names.clone(), change.clone()))).collect()
}

/// Marks the number as it is now: it may have been changed since.
async fn mark(state: &AppState, number: &Number, now: TimestampMs) -> Result<(), IntroductionError> {
    let (kind, tenant) = (DocumentKind::Number, Some(number.tenant));
    let stored = state.records.document(kind, tenant, number.id.to_string().into()).await?;
    let Some(stored) = stored else { return Ok(()) };
    let known: Number = serde_json::from_value(stored.body)?;
    let body = Some(serde_json::to_value(Number { introduced: true, ..known })?);
    let write = DocumentWrite { kind, tenant, id: stored.id, expect: Expect::Version(stored.version), body };
    let change = Change { by: Party::Gateway, at: now };
    state.records.write_documents(change, vec![write]).await?;
    Ok(state.keeper.refresh().await?)
}
