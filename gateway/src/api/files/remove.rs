//! `DELETE /v1/files/{id}`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, web};
use protocol::api::problem::Problem;
use protocol::id::FileId;
use store::records::Removal;

use crate::api::auth::{Caller, Scope};
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// Removes a file that no message has. One that was sent or received goes when its contact is erased.
#[utoipa::path(
    tag = "files",
    params(("id" = FileId, Path)),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, description = "`file_in_use`", content_type = "application/problem+json"),
    )
)]
#[delete("/files/{id}")]
pub(crate) async fn delete_file(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<FileId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::MessagesWrite)?;
    match state.records.remove_file(caller.tenant, *id).await? {
        Removal::Removed => Ok(HttpResponse::NoContent().finish()),
        Removal::Unknown => Err(ApiError::not_found("file")),
        Removal::InUse => {
            let detail = "a message has it; it goes when the contact is erased with DELETE /v1/contacts/{id}";
            Err(ApiError::new(StatusCode::CONFLICT, "file_in_use", "A message has the file", detail))
        }
    }
}
