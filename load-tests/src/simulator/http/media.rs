//! Upload and download of files.

use actix_multipart::form::MultipartForm;
use actix_multipart::form::bytes::Bytes;
use actix_multipart::form::text::Text;
use actix_web::{HttpRequest, HttpResponse, web};

use super::{answer, bearer, refusal, status};
use crate::simulator::error::GraphError;
use crate::simulator::shared::Shared;

/// The form of an upload.
#[derive(MultipartForm)]
pub(super) struct Upload {
    #[multipart(limit = "16MB")]
    file: Bytes,
    messaging_product: Text<String>,
    r#type: Option<Text<String>>,
}

pub(super) async fn upload(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    form: MultipartForm<Upload>,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let form = form.into_inner();
    if form.messaging_product.as_str() != "whatsapp" {
        return refusal(&GraphError::missing("messaging_product"));
    }
    let declared = form.r#type.map(|text| text.into_inner());
    let mime_type = declared.or_else(|| form.file.content_type.map(|mime| mime.to_string()));
    let Some(mime_type) = mime_type else { return refusal(&GraphError::missing("type")) };
    let file = (mime_type, form.file.data.to_vec());
    let (_, id) = path.into_inner();
    answer(shared.world(|world, now_ms| world.upload(now_ms, bearer(&request), &id, file)))
}

pub(super) async fn download(
    request: HttpRequest,
    id: web::Path<String>,
    shared: web::Data<Shared>,
) -> HttpResponse {
    match shared.peek(|world, now_ms| world.download(now_ms, bearer(&request), &id)) {
        Ok(media) => HttpResponse::Ok().content_type(media.mime_type).body(media.bytes),
        Err(code) => HttpResponse::build(status(code)).finish(),
    }
}
