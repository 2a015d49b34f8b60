//! `GET /v1/files/{id}/content`.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use protocol::api::problem::Problem;
use protocol::id::FileId;

use super::withheld;
use crate::api::auth::{Caller, Scope};
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// The content of a file, unless the virus scanner holds it back.
#[utoipa::path(
    tag = "files",
    params(("id" = FileId, Path)),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "The content, with its own type"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, description = "`file_not_scanned`: not yet", content_type = "application/problem+json"),
        (status = 422, body = Problem, description = "`file_infected`, or `file_not_scanned`: never", content_type = "application/problem+json"),
    )
)]
#[get("/files/{id}/content")]
pub(crate) async fn get_file_content(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<FileId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::MessagesRead)?;
    let file = state.records.file(caller.tenant, *id).await?.ok_or_else(|| ApiError::not_found("file"))?;
    if let Some(problem) = withheld(file.scan) {
        return Err(problem);
    }
    let content = state.files.blobs.read(&file.blob).await?;
    Ok(HttpResponse::Ok()
        .content_type(file.mime.as_str())
        // A browser must neither show it in our name nor guess another type.
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.id)))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_LENGTH, file.bytes))
        .streaming(content))
}
