//! `GET /v1/conversations/{id}/messages` and `…/attachments`.

use actix_web::{get, web};
use protocol::api::Page;
use protocol::api::message::MessageView;
use protocol::api::problem::Problem;
use protocol::id::ConversationId;
use serde::Deserialize;
use store::records::{MessageQuery, Order, PageRequest};
use utoipa::IntoParams;

use crate::api::auth::{Caller, Scope};
use crate::api::fresh;
use crate::api::page::{Paging, page};
use crate::api::problem::{ApiError, ApiResult};
use crate::api::query::Query;
use crate::api::views;
use crate::state::AppState;

/// Order of a history.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sort {
    /// Oldest first.
    Asc,
    /// Newest first.
    #[default]
    Desc,
}

/// Query of a history.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryQuery {
    /// Entries at most, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// `desc` (newest first) unless `asc`.
    #[serde(default)]
    #[param(inline)]
    order: Sort,
}

impl HistoryQuery {
    fn page(&self) -> ApiResult<PageRequest> {
        Paging { limit: self.limit, cursor: self.cursor.clone() }.request()
    }
}

macro_rules! histories {
    ($($(#[$doc:meta])* $path:literal $name:ident => attachments_only: $attachments_only:literal;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            tag = "conversations",
            params(("id" = ConversationId, Path), HistoryQuery),
            responses(
                (status = 200, body = Page<MessageView>),
                (status = 404, body = Problem, content_type = "application/problem+json"),
            )
        )]
        #[get($path)]
        pub(crate) async fn $name(
            state: web::Data<AppState>,
            caller: Caller,
            id: web::Path<ConversationId>,
            query: Query<HistoryQuery>,
        ) -> ApiResult<web::Json<Page<MessageView>>> {
            history(&state, &caller, *id, &query, $attachments_only).await
        }
    )*};
}

histories! {
    /// The messages of a conversation.
    "/conversations/{id}/messages" list_messages => attachments_only: false;
    /// The files of a conversation.
    "/conversations/{id}/attachments" list_attachments => attachments_only: true;
}

async fn history(
    state: &AppState,
    caller: &Caller,
    conversation: ConversationId,
    query: &HistoryQuery,
    attachments_only: bool,
) -> ApiResult<web::Json<Page<MessageView>>> {
    caller.require(Scope::MessagesRead)?;
    fresh::conversation(state, conversation).await;
    let row = async || Ok(state.records.conversation(caller.tenant, conversation).await?);
    if fresh::found(state, row).await?.is_none() {
        return Err(ApiError::not_found("conversation"));
    }
    let order = match query.order {
        Sort::Asc => Order::OldestFirst,
        Sort::Desc => Order::NewestFirst,
    };
    let rows = state
        .records
        .messages(MessageQuery {
            tenant: caller.tenant,
            conversation,
            attachments_only,
            order,
            page: query.page()?,
        })
        .await?;
    Ok(web::Json(page(rows, views::message)))
}
