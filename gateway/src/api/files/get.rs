//! `GET /v1/files/{id}`, and the files of a contact.

use actix_web::{get, web};
use protocol::api::Page;
use protocol::api::file::FileView;
use protocol::api::message::MessageView;
use protocol::api::problem::Problem;
use protocol::id::{ContactId, FileId, MediaId};

use super::view;
use crate::api::auth::{Caller, Scope};
use crate::api::fresh;
use crate::api::page::{Paging, page};
use crate::api::problem::{ApiError, ApiResult};
use crate::api::query::Query;
use crate::api::views;
use crate::state::AppState;

/// What a file is. Its content is at `/v1/files/{id}/content`.
#[utoipa::path(
    tag = "files",
    params(("id" = FileId, Path)),
    responses(
        (status = 200, body = FileView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/files/{id}")]
pub(crate) async fn get_file(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<FileId>,
) -> ApiResult<web::Json<FileView>> {
    caller.require(Scope::MessagesRead)?;
    let file = state.records.file(caller.tenant, *id).await?;
    Ok(web::Json(view(&file.ok_or_else(|| ApiError::not_found("file"))?)))
}

/// The message with which a contact sent a file, by the provider's id of the file: that is how answers of an application
/// name it.
#[utoipa::path(
    tag = "files",
    params(("provider_media_id" = String, Path)),
    responses(
        (status = 200, body = MessageView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/attachments/{provider_media_id}")]
pub(crate) async fn get_attachment(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<String>,
) -> ApiResult<web::Json<MessageView>> {
    caller.require(Scope::MessagesRead)?;
    let row = async || {
        let found = state.records.message_with(caller.tenant, MediaId::new(id.as_str())).await?;
        Ok(match found {
            Some(message) => state.records.message(caller.tenant, message).await?,
            None => None,
        })
    };
    let row = fresh::found(&state, row).await?;
    Ok(web::Json(views::message(row.ok_or_else(|| ApiError::not_found("attachment"))?)))
}

/// Messages with files in all conversations with a contact, newest first.
#[utoipa::path(
    tag = "contacts",
    params(("id" = ContactId, Path), Paging),
    responses(
        (status = 200, body = Page<MessageView>),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/contacts/{id}/attachments")]
pub(crate) async fn list_contact_attachments(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<ContactId>,
    paging: Query<Paging>,
) -> ApiResult<web::Json<Page<MessageView>>> {
    caller.require(Scope::MessagesRead)?;
    let request = paging.request()?;
    let row = async || Ok(state.records.contact(caller.tenant, *id).await?);
    if fresh::found(&state, row).await?.is_none() {
        return Err(ApiError::not_found("contact"));
    }
    let rows = state.records.attachments(caller.tenant, *id, request).await?;
    Ok(web::Json(page(rows, views::message)))
}
