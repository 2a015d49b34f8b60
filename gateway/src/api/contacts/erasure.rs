//! `DELETE /v1/contacts/{id}`: forgets a contact everywhere; and `GET /v1/contacts/{id}/erasure`, which looks for what is
//! left.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{delete, get, web};
use protocol::api::contact::{ErasureView, TraceView};
use protocol::api::problem::Problem;
use protocol::codec;
use protocol::command::Action;
use protocol::directory::Erasure;
use protocol::entry::{Address, Entry, EntryBody, Identity};
use protocol::fact::Fact;
use protocol::id::{ContactId, ConversationId, DeadLetterId};
use protocol::whatsapp::webhook::Names;
use store::records::{
    AuditEntry, AuditQuery, Change, ContactRecord, DocumentKind, EventSeq, Expect, Filter, PageRequest,
};

use crate::api::address;
use crate::api::auth::{Caller, Scope};
use crate::api::command::{self, now};
use crate::api::fresh;
use crate::api::problem::{ApiError, ApiResult};
use crate::api::settings::document;
use crate::api::views;
use crate::state::AppState;

/// Conversations with one contact: as many as the tenant has numbers, and a tenant has few.
const MAX_CONVERSATIONS: usize = 200;
/// How long the answer waits for the records: what it reports would otherwise be left only for a moment.
const PATIENCE: Duration = Duration::from_secs(5);
/// Events, and dead letters, that are read at once.
const BATCH: usize = 500;
/// Former names of a contact that are looked for; people change their number a few times.
const MAX_NAMES: usize = 100;
/// The audit line that says that a contact was erased.
const ERASED: &str = "contact.erased";

/// Forgets a contact: names, messages, answers, files, card, consents with their words, in the store of the
/// conversations and in the records. What remains are the bill, without names, and that the contact refused messages.
/// The answer says what is left, which is nothing when all went well; the same call again goes on where an earlier one
/// stopped.
#[utoipa::path(
    tag = "contacts",
    params(("id" = ContactId, Path)),
    responses((status = 200, body = ErasureView), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[delete("/contacts/{id}")]
pub(crate) async fn erase_contact(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<ContactId>,
) -> ApiResult<web::Json<ErasureView>> {
    caller.require(Scope::ContactsErase)?;
    let row = fresh::found(&state, async || Ok(state.records.contact(caller.tenant, *id).await?)).await?;
    let Some(row) = row else { return report(&state, &caller, *id).await.map(web::Json) };
    let addresses = addresses(&state, &caller, &row).await?;
    let names = former_names(&state, &caller, addresses.keys().copied()).await?;
    let conversations = addresses.keys().copied().collect();
    // First, so that it is known what was begun if this process ends on the way.
    let change = Change { by: caller.party(), at: now() };
    state.records.erase_contact(change, caller.tenant, *id, conversations).await?;
    for address in addresses.values() {
        let erase = Action::Erase { contact: *id, names: names.clone() };
        match command::follow_up(&state, &caller, address.clone(), erase).await {
            Err(error) if !error.is(StatusCode::NOT_FOUND) => return Err(error),
            _ => {}
        }
    }
    discard_letters(&state, &addresses).await?;
    tell_nodes(&state, &caller).await?;
    state.consumers.caught_up(None, PATIENCE).await.ok();
    // The facts of an erasure take the contact away only with its last conversation.
    report(&state, &caller, *id).await.map(web::Json)
}

/// Whether anything is left of a contact that was erased. Its id is that of before; nothing else of it is known.
#[utoipa::path(
    tag = "contacts",
    params(("id" = ContactId, Path)),
    responses((status = 200, body = ErasureView), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[get("/contacts/{id}/erasure")]
pub(crate) async fn check_erasure(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<ContactId>,
) -> ApiResult<web::Json<ErasureView>> {
    caller.require(Scope::ContactsRead)?;
    report(&state, &caller, *id).await.map(web::Json)
}

async fn report(state: &AppState, caller: &Caller, id: ContactId) -> ApiResult<ErasureView> {
    let line = erasure(state, caller, id).await?.ok_or_else(|| ApiError::not_found("erased contact"))?;
    let listed = line.detail["conversations"].clone();
    let conversations: Vec<ConversationId> = serde_json::from_value(listed).unwrap_or_default();
    let traces = state.records.traces(caller.tenant, id, conversations.clone(), line.at).await?;
    let mut left: Vec<_> = traces
        .into_iter()
        .map(|trace| TraceView { place: trace.place.to_owned(), count: trace.count })
        .collect();
    let back_since = state.records.contact(caller.tenant, id).await?.map(|row| row.created_at);
    let back_since = back_since.filter(|at| *at >= line.at);
    let mut known = 0;
    for conversation in &conversations {
        let stored = state.node.inspect(*conversation).await?;
        known += u64::from(stored.is_some_and(|stored| stored.address.contact.names_somebody()));
    }
    if back_since.is_none() && known > 0 {
        left.push(TraceView { place: "conversation_states".to_owned(), count: known });
    }
    let letters = letters(state, |address| conversations.contains(&address.conversation)).await?;
    if !letters.is_empty() {
        left.push(TraceView { place: "dead_letters".to_owned(), count: letters.len() as u64 });
    }
    let (complete, by) = (left.is_empty(), views::party(line.by));
    Ok(ErasureView { contact_id: id, erased_at: line.at, by, conversations, complete, left, back_since })
}

/// The newest line that says that the contact was erased.
async fn erasure(state: &AppState, caller: &Caller, id: ContactId) -> ApiResult<Option<AuditEntry>> {
    let query = AuditQuery {
        action: Some(ERASED.into()),
        subject: Some(format!("contact/{id}").into()),
        ..AuditQuery::default()
    };
    let found = state.records.audit(caller.tenant, query, PageRequest::first(1)).await?;
    Ok(found.data.into_iter().next())
}

/// Every conversation of the tenant with the contact: those that the records show, and those that only hold a consent.
async fn addresses(
    state: &AppState,
    caller: &Caller,
    row: &ContactRecord,
) -> ApiResult<BTreeMap<ConversationId, Address>> {
    let mut found = BTreeMap::new();
    let page = PageRequest::first(MAX_CONVERSATIONS);
    for shown in state.records.conversations(caller.tenant, Filter::Contact(row.id), page).await?.data {
        if let Some(stored) = state.node.inspect(shown.id).await? {
            found.insert(shown.id, stored.address);
        }
    }
    let names = Names { phone: row.phone, bsuid: row.bsuid.clone() };
    let directory = state.directory.load_full();
    let numbers = directory.tenants.get(&caller.tenant).map(|tenant| tenant.numbers.values());
    for number in numbers.into_iter().flatten() {
        let address = address::of(state, number, &names).await?;
        if !found.contains_key(&address.conversation)
            && state.node.inspect(address.conversation).await?.is_some()
        {
            found.insert(address.conversation, address);
        }
    }
    Ok(found)
}

/// Names by which the contact was known in its conversations, former ones too.
async fn former_names(
    state: &AppState,
    caller: &Caller,
    conversations: impl Iterator<Item = ConversationId>,
) -> ApiResult<Vec<Identity>> {
    let mut names: Vec<Identity> = Vec::new();
    for conversation in conversations {
        let mut before: Option<EventSeq> = None;
        loop {
            let page = state.records.history(caller.tenant, conversation, before, BATCH).await?;
            before = page.iter().map(|stored| stored.seq).min();
            let is_last = page.len() < BATCH;
            for stored in page {
                let Fact::ContactIdentified(identity) = stored.event.fact else { continue };
                let named = Identity { phone: identity.phone, bsuid: identity.bsuid, ..Identity::default() };
                if !names.contains(&named) && names.len() < MAX_NAMES {
                    names.push(named);
                }
            }
            if is_last {
                break;
            }
        }
    }
    Ok(names)
}

/// Nodes remember for a while where names lead; those of the contact lead nowhere since its conversations committed that.
async fn tell_nodes(state: &AppState, caller: &Caller) -> ApiResult<()> {
    let erasure = Erasure { tenant: caller.tenant, at: state.engine.now().await? };
    let newest = (DocumentKind::Erasure, "newest".into());
    document::write(state, caller, newest, Expect::Any, Some(&erasure)).await?;
    Ok(())
}

/// Inputs that could not be applied hold the contact's words.
async fn discard_letters(state: &AppState, addresses: &BTreeMap<ConversationId, Address>) -> ApiResult<()> {
    for letter in letters(state, |address| addresses.contains_key(&address.conversation)).await? {
        state.engine.discard(letter).await?;
    }
    Ok(())
}

async fn letters(state: &AppState, wanted: impl Fn(&Address) -> bool) -> ApiResult<Vec<DeadLetterId>> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let letters = state.engine.dead_letters(after, BATCH).await?;
        after = letters.last().map(|letter| letter.id);
        let is_last = letters.len() < BATCH;
        let about = |entry: &[u8]| match codec::decode::<Entry>(entry).map(|entry| entry.body) {
            Ok(EntryBody::Conversation { address, .. }) => wanted(&address),
            _ => false,
        };
        found.extend(letters.iter().filter(|letter| about(&letter.entry)).map(|letter| letter.id));
        if is_last {
            return Ok(found);
        }
    }
}
