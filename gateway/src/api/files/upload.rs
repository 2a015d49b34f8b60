//! `POST /v1/files`.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, post, web};
use bytes::Bytes;
use domain::file::{FileType, detect, provider_max_bytes};
use protocol::api::file::FileView;
use protocol::api::problem::Problem;

use super::view;
use crate::api::auth::{Caller, Scope};
use crate::api::command::now;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// What may be sent, for people.
const SENDABLE: &str = "images (jpeg, png), documents (pdf), videos (mp4, 3gp) and audio (mp3, ogg, amr)";

/// Stores a file, whose content is the body of the request. It can then be sent any number of times, by any number:
/// `{"type": "media", "media": {"file_id": "fil_…"}}`. The same content again is the same file. What it is decides
/// its content, not its name.
#[utoipa::path(
    tag = "files",
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file itself"),
    responses(
        (status = 200, body = FileView, description = "It was there already"),
        (status = 201, body = FileView),
        (status = 413, body = Problem, description = "Larger than `files.max_bytes`, or than the provider takes", content_type = "application/problem+json"),
        (status = 415, body = Problem, description = "Its content is of no type that can be sent", content_type = "application/problem+json"),
    )
)]
#[post("/files")]
pub(crate) async fn upload_file(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    body: web::Payload,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::MessagesWrite)?;
    refuse_forms(&request)?;
    // Whoever waits here has not sent its body yet.
    let _room = state.uploads.acquire().await.map_err(|_| ApiError::unavailable("the process ends"))?;
    let content = read(body, state.files.max_bytes).await?;
    check(&content)?;
    let (file, is_new) = state.files.store(caller.tenant, content, now()).await?;
    let mut answer = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.insert_header(("Location", format!("/v1/files/{}", file.id))).json(view(&file)))
}

/// A form would be stored as it is, with its boundaries.
fn refuse_forms(request: &HttpRequest) -> ApiResult<()> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    match kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/")) {
        true => Err(unsupported(
            "send the file itself as the body, such as `curl --data-binary @cv.pdf`, not a form",
        )),
        false => Ok(()),
    }
}

async fn read(body: web::Payload, max_bytes: u64) -> ApiResult<Bytes> {
    let limit = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    let content = body.to_bytes_limited(limit).await.map_err(|_| too_large(max_bytes))?;
    content.map_err(|error| {
        ApiError::new(StatusCode::BAD_REQUEST, "unreadable", "The body cannot be read", error.to_string())
    })
}

fn check(content: &[u8]) -> ApiResult<()> {
    if content.is_empty() {
        return Err(ApiError::field("", "the body is empty; send the file itself"));
    }
    let FileType { mime, kind } = detect(content);
    let Some(kind) = kind else {
        return Err(unsupported(&format!("its content is `{mime}`; {SENDABLE} can be sent")));
    };
    let most = provider_max_bytes(kind);
    if content.len() as u64 > most { Err(too_large(most)) } else { Ok(()) }
}

fn unsupported(detail: &str) -> ApiError {
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", "Unsupported media type", detail)
}

fn too_large(max_bytes: u64) -> ApiError {
    let detail = format!("such a file may have {max_bytes} bytes");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Body too large", detail)
}
