//! Files to send: uploaded here, at a public address, or at the provider already.

use data_encoding::BASE64;
use protocol::api::file::Scan;
use protocol::api::message::MediaBody;
use protocol::command::SendBody;
use protocol::content::{Media, MediaKind, MediaSource};
use protocol::id::{FileId, MediaId};
use store::records::FileRecord;

use crate::api::auth::Caller;
use crate::api::files::withheld;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

pub(super) async fn wish(state: &AppState, caller: &Caller, body: &MediaBody) -> ApiResult<SendBody> {
    let (kind, source, file) = match (body.file_id, &body.link, &body.provider_media_id) {
        (Some(id), None, None) => {
            let file = sendable(state, caller, id).await?;
            (uploaded_kind(&file, body.kind)?, MediaSource::File(id), Some(file))
        }
        (None, Some(link), None) => (named_kind(body.kind)?, address(link)?, None),
        (None, None, Some(id)) => (named_kind(body.kind)?, MediaSource::Provider(MediaId::new(id)), None),
        _ => {
            return Err(ApiError::field("/media", "give one of `file_id`, `link` and `provider_media_id`"));
        }
    };
    let named = body.mime_type.as_deref().map(Into::into);
    Ok(SendBody::Media(Media {
        kind,
        source,
        mime_type: file.as_ref().map(|file| file.mime.clone()).or(named),
        sha256: file.map(|file| BASE64.encode(&file.sha256).into()),
        filename: body.filename.clone(),
        caption: body.caption.clone(),
        voice: false,
    }))
}

/// A file that waits for the scanner may be sent: the message waits with it.
async fn sendable(state: &AppState, caller: &Caller, id: FileId) -> ApiResult<FileRecord> {
    let file = state.records.file(caller.tenant, id).await?;
    let file = file.ok_or_else(|| ApiError::field("/media/file_id", "is not a file of this tenant"))?;
    match file.scan {
        Scan::Waiting => Ok(file),
        scan => withheld(scan).map_or(Ok(file), Err),
    }
}

fn uploaded_kind(file: &FileRecord, named: Option<MediaKind>) -> ApiResult<MediaKind> {
    let kind = file.kind.ok_or_else(|| {
        let detail = format!("is of the type `{}`, which cannot be sent", file.mime);
        ApiError::field("/media/file_id", detail)
    })?;
    match named {
        Some(named) if named != kind => {
            let detail = format!("leave it out, or say `{}`: that is what the file is", kind.name());
            Err(ApiError::field("/media/kind", detail))
        }
        _ => Ok(kind),
    }
}

fn named_kind(kind: Option<MediaKind>) -> ApiResult<MediaKind> {
    kind.ok_or_else(|| ApiError::field("/media/kind", "is required without `file_id`"))
}

fn address(link: &str) -> ApiResult<MediaSource> {
    if link.starts_with("https://") || link.starts_with("http://") {
        return Ok(MediaSource::Link(link.to_owned()));
    }
    Err(ApiError::field("/media/link", "must be an http or https address"))
}
