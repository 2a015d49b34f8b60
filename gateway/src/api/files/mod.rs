//! Files of messages.

pub(super) mod content;
pub(super) mod get;
pub(super) mod remove;
pub(super) mod upload;

use actix_web::http::StatusCode;
use data_encoding::HEXLOWER;
use protocol::api::file::{AttachmentState, AttachmentView, FileView, Scan};
use runtime::files::ShelfError;
use store::blobs::BlobError;
use store::records::{Attachment, FileRecord};

use crate::api::problem::ApiError;

/// A file, for the API.
pub(crate) fn view(file: &FileRecord) -> FileView {
    FileView {
        id: file.id,
        kind: file.kind,
        mime_type: file.mime.to_string(),
        size_bytes: file.bytes,
        sha256: HEXLOWER.encode(&file.sha256),
        scan: file.scan,
        created_at: file.created_at,
    }
}

/// The file of a message, for the API.
pub(crate) fn attachment(attachment: &Attachment) -> AttachmentView {
    let state = match (&attachment.file, attachment.next_at) {
        (Some(_), _) => AttachmentState::Stored,
        (None, Some(_)) => AttachmentState::Waiting,
        (None, None) => AttachmentState::Lost,
    };
    AttachmentView {
        state,
        file: attachment.file.as_ref().map(view),
        next_attempt_at: attachment.next_at,
        error: attachment.error.clone(),
    }
}

/// Why nobody gets a file (yet).
pub(crate) fn withheld(scan: Scan) -> Option<ApiError> {
    let refuse = |status, code, title, detail| Some(ApiError::new(status, code, title, detail));
    match scan {
        Scan::Unchecked | Scan::Clean => None,
        Scan::Waiting => refuse(
            StatusCode::CONFLICT,
            "file_not_scanned",
            "The file is not scanned yet",
            "the virus scanner has not answered yet; try again in a moment",
        ),
        Scan::Infected => refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            "file_infected",
            "The file is infected",
            "the virus scanner found something in it: nobody gets it",
        ),
        Scan::GivenUp => refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            "file_not_scanned",
            "The file could not be scanned",
            "the virus scanner did not answer for a day: nobody gets the file",
        ),
    }
}

impl From<ShelfError> for ApiError {
    fn from(error: ShelfError) -> Self {
        match error {
            ShelfError::Records(error) => error.into(),
            ShelfError::Blobs(error) => error.into(),
        }
    }
}

impl From<BlobError> for ApiError {
    fn from(error: BlobError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "the store of files failed");
        Self::unavailable("the store of files cannot answer now")
    }
}
