//! `GET /v1/dead-letters` and `POST /v1/dead-letters/{id}/replay`.

use actix_web::{HttpResponse, get, post, web};
use protocol::api::Page;
use protocol::api::problem::Problem;
use protocol::api::watch::DeadLetterView;
use protocol::codec;
use protocol::entry::{Address, Entry, EntryBody};
use protocol::id::{ConversationId, DeadLetterId, NumberId, TenantId};
use serde::Deserialize;
use store::engine::DeadLetter;
use utoipa::IntoParams;

use crate::api::auth::{Caller, Scope};
use crate::api::page::Paging;
use crate::api::problem::{ApiError, ApiResult};
use crate::api::query::Query;
use crate::state::AppState;

/// Letters read from the store at once while those of other tenants are passed over.
const BATCH: usize = 500;

/// Query of the dead letters.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct LetterQuery {
    /// Entries at most, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<DeadLetterId>,
    /// Of this conversation.
    conversation_id: Option<ConversationId>,
    /// Of conversations with this number.
    number_id: Option<NumberId>,
}

impl LetterQuery {
    /// Whether a letter of the tenant is asked for.
    fn wants(&self, address: Option<&Address>) -> bool {
        let names = |id| address.is_some_and(|address| address.conversation == id);
        let is_on = |id| address.is_some_and(|address| address.number == id);
        self.conversation_id.is_none_or(names) && self.number_id.is_none_or(is_on)
    }
}

/// Whose a letter is, where its entry can be read.
fn owner(letter: &DeadLetter) -> (Option<TenantId>, Option<Address>) {
    match codec::decode::<Entry>(&letter.entry).map(|entry| entry.body) {
        Ok(EntryBody::Conversation { address, .. }) => (Some(address.tenant), Some(address)),
        Ok(EntryBody::Account(notice)) => (notice.tenant, None),
        Err(_) => (None, None),
    }
}

/// Inputs that could not be applied, oldest first.
#[utoipa::path(tag = "operations", params(LetterQuery), responses((status = 200, body = Page<DeadLetterView>)))]
#[get("/dead-letters")]
pub(crate) async fn list_dead_letters(
    state: web::Data<AppState>,
    caller: Caller,
    query: Query<LetterQuery>,
) -> ApiResult<web::Json<Page<DeadLetterView>>> {
    caller.require(Scope::OperationsRead)?;
    let limit = Paging { limit: query.limit, cursor: None }.limit()?;
    let (mut data, mut after) = (Vec::new(), query.cursor);
    loop {
        let letters = state.engine.dead_letters(after, BATCH).await?;
        let is_last = letters.len() < BATCH;
        for letter in letters {
            after = Some(letter.id);
            let (tenant, address) = owner(&letter);
            if tenant != Some(caller.tenant) || !query.wants(address.as_ref()) {
                continue;
            }
            data.push(DeadLetterView {
                id: letter.id,
                shard: letter.shard.0,
                at: letter.at,
                reason: letter.reason,
                conversation_id: address.map(|address| address.conversation),
            });
            if data.len() == limit {
                return Ok(web::Json(Page { data, next: after.map(|id| id.to_string()) }));
            }
        }
        if is_last {
            return Ok(web::Json(Page { data, next: None }));
        }
    }
}

/// Puts a dead letter back into the log, to be applied again.
#[utoipa::path(
    tag = "operations",
    params(("id" = DeadLetterId, Path)),
    responses((status = 204, description = "In the log again"), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[post("/dead-letters/{id}/replay")]
pub(crate) async fn replay_dead_letter(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<DeadLetterId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::OperationsWrite)?;
    let letter = state.engine.dead_letter(*id).await?;
    let letter = letter.filter(|letter| owner(letter).0 == Some(caller.tenant));
    if letter.is_none() || !state.engine.replay(*id).await? {
        return Err(ApiError::not_found("dead letter"));
    }
    Ok(HttpResponse::NoContent().finish())
}
