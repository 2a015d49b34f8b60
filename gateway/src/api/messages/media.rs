//! Files to send: uploaded here, at a public address, or at the provider already.

use data_encoding::BASE64;
use protocol::api::file::Scan;
use protocol::api::message::MediaBody;
use protocol::command::{Refusal, SendBody};
use protocol::content::{Content, Media, MediaKind, MediaSource};
use protocol::id::{FileId, MediaId};
use protocol::whatsapp::limits::validate;
use store::records::FileRecord;

use crate::api::auth::Caller;
use crate::api::files::withheld;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// The file of a body at a place of the request.
pub(super) async fn wish(
    state: &AppState,
    caller: &Caller,
    (at, body): (&str, &MediaBody),
) -> ApiResult<SendBody> {
    let wrong = |field: &str, detail: String| ApiError::field(format!("{at}{field}"), detail);

    let named = |kind: Option<MediaKind>| {
        kind.ok_or_else(|| wrong("/kind", "is required without `file_id`".to_owned()))
    };
    let (kind, source, file) = match (body.file_id, &body.link, &body.provider_media_id) {
        (Some(id), None, None) => {
            let file = sendable(state, caller, id).await?;
            let file = file.ok_or_else(|| wrong("/file_id", "is not a file of this tenant".to_owned()))?;
            let kind = uploaded_kind(&file, body.kind).map_err(|(field, detail)| wrong(field, detail))?;
            (kind, MediaSource::File(id), Some(file))
        }
        (None, Some(link), None) => (named(body.kind)?, MediaSource::Link(link.clone()), None),
        (None, None, Some(id)) => (named(body.kind)?, MediaSource::Provider(MediaId::new(id)), None),
        _ => {
            return Err(wrong("", "give one of `file_id`, `link` and `provider_media_id`".to_owned()));
        }
    };
    let declared = body.mime_type.as_deref().map(Into::into);
    let media = Media {
        kind,
        source,
        mime_type: file.as_ref().map(|file| file.mime.clone()).or(declared),
        sha256: file.map(|file| BASE64.encode(&file.sha256).into()),
        filename: body.filename.clone(),
        caption: body.caption.clone(),
        voice: false,
    };
    // The conversation checks it again; of several files none may be sent before all are known to be right.
    let content = Content::Media(media);
    if let Err(Refusal::InvalidContent { pointer, detail }) = validate(&content) {
        return Err(wrong(pointer.trim_start_matches("/media"), detail));
    }
    let Content::Media(media) = content else { return Err(wrong("", "is not a file".to_owned())) };
    Ok(SendBody::Media(media))
}

/// A file that waits for the scanner may be sent: the message waits with it.
async fn sendable(state: &AppState, caller: &Caller, id: FileId) -> ApiResult<Option<FileRecord>> {
    let file = state.records.file(caller.tenant, id).await?;
    match file.as_ref().map(|file| file.scan) {
        Some(scan @ (Scan::Infected | Scan::GivenUp)) => withheld(scan).map_or(Ok(file), Err),
        _ => Ok(file),
    }
}

fn uploaded_kind(file: &FileRecord, named: Option<MediaKind>) -> Result<MediaKind, (&'static str, String)> {
    let kind = file.kind;
    let kind =
        kind.ok_or_else(|| ("/file_id", format!("is of the type `{}`, which cannot be sent", file.mime)))?;
    match named {
        Some(named) if named != kind => {
            Err(("/kind", format!("leave it out, or say `{}`: that is what the file is", kind.name())))
        }
        _ => Ok(kind),
    }
}
