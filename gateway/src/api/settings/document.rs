//! Reading and writing documents, with versions as `ETag`s.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use compact_str::CompactString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::records::{Change, Document, DocumentKind, DocumentWrite, Expect, RecordsError, add_if};

use crate::api::auth::Caller;
use crate::api::command::now;
use crate::api::idempotency::etag_text;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// A document with the version that its `ETag` shows.
pub(crate) struct Versioned<T> {
    pub(crate) value: T,
    pub(crate) version: u64,
}

/// Reads one document of the caller's tenant.
pub(crate) async fn read<T: DeserializeOwned>(
    state: &AppState,
    caller: &Caller,
    kind: DocumentKind,
    id: impl Into<CompactString>,
) -> ApiResult<Versioned<T>> {
    find(state, caller, kind, id).await?.ok_or_else(|| ApiError::not_found(kind.name()))
}

/// Reads one document of the caller's tenant that may not be there.
pub(crate) async fn find<T: DeserializeOwned>(
    state: &AppState,
    caller: &Caller,
    kind: DocumentKind,
    id: impl Into<CompactString>,
) -> ApiResult<Option<Versioned<T>>> {
    let found = state.records.document(kind, Some(caller.tenant), id.into()).await?;
    let versioned =
        found.map(|found| Ok(Versioned { value: decode(kind, found.body)?, version: found.version }));
    versioned.transpose()
}

/// Reads all documents of a kind, by id.
pub(crate) async fn read_all<T: DeserializeOwned>(
    state: &AppState,
    caller: &Caller,
    kind: DocumentKind,
) -> ApiResult<Vec<T>> {
    let documents = state.records.documents(kind, Some(caller.tenant)).await?;
    documents.into_iter().map(|document| decode(kind, document.body)).collect()
}

fn decode<T: DeserializeOwned>(kind: DocumentKind, body: serde_json::Value) -> ApiResult<T> {
    serde_json::from_value(body).map_err(|error| {
        tracing::error!(kind = kind.name(), %error, "a stored document cannot be read");
        ApiError::unavailable("a stored document cannot be read")
    })
}

/// Writes (or, with `None`, deletes) one document and makes every reader of this node see it. Answers its version.
pub(crate) async fn write<T: Serialize>(
    state: &AppState,
    caller: &Caller,
    (kind, id): (DocumentKind, CompactString),
    expect: Expect,
    value: Option<&T>,
) -> ApiResult<u64> {
    let body = value.map(|value| encode(kind, value)).transpose()?;
    let change = Change { by: caller.party(), at: now() };
    let write = DocumentWrite { kind, tenant: Some(caller.tenant), id, expect, body };
    let written = state.records.write_documents(change, vec![write]).await.map_err(|error| match error {
        RecordsError::Conflict { .. } if expect == Expect::Absent => already_exists(kind),
        other => other.into(),
    })?;
    state.keeper.refresh().await?;
    Ok(written.first().map_or(0, |document| document.version))
}

/// Adds one document if a look at all of its kind allows it, and makes every reader of this node see it. Answers its
/// version.
pub(crate) async fn add<T: Serialize + DeserializeOwned>(
    state: &AppState,
    caller: &Caller,
    (kind, id): (DocumentKind, CompactString),
    value: &T,
    look: impl Fn(Vec<T>) -> ApiResult<()>,
) -> ApiResult<u64> {
    let change = Change { by: caller.party(), at: now() };
    let (tenant, expect, body) = (Some(caller.tenant), Expect::Absent, Some(encode(kind, value)?));
    let write = DocumentWrite { kind, tenant, id, expect, body };
    let look = |all: &[Document]| {
        look(all.iter().map(|one| decode(kind, one.body.clone())).collect::<ApiResult<_>>()?)
    };
    let added = add_if(&*state.records, change, write, look).await.map_err(|error| match error {
        RecordsError::Conflict { .. } => already_exists(kind),
        other => other.into(),
    })?;
    let added = added?;
    state.keeper.refresh().await?;
    Ok(added.first().map_or(0, |document| document.version))
}

fn encode(kind: DocumentKind, value: &impl Serialize) -> ApiResult<serde_json::Value> {
    serde_json::to_value(value).map_err(|error| {
        tracing::error!(kind = kind.name(), %error, "a document could not be written as JSON");
        ApiError::unavailable("the document could not be written")
    })
}

fn already_exists(kind: DocumentKind) -> ApiError {
    let detail = format!("there is a {} of this name already; change that one", kind.name());
    ApiError::new(StatusCode::CONFLICT, "already_exists", "Already exists", detail)
}

/// What `If-Match` may say besides `*`: one ETag (RFC 9110).
pub(crate) const ETAG_PATTERN: &str = r#"^(W/)?"[!#-~]*"$"#;

/// What `If-Match` demands.
pub(crate) fn expect(request: &HttpRequest) -> ApiResult<Expect> {
    let Some(header) = request.headers().get(header::IF_MATCH) else { return Ok(Expect::Any) };
    let text = header.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(Expect::Any);
    }
    let version =
        text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
    match version {
        Some(version) => Ok(Expect::Version(version)),
        None if is_etag(text) => Err(ApiError::changed("`If-Match` is not an ETag of this document")),
        None => Err(ApiError::malformed("If-Match", "must be one ETag, such as \"3\", or `*`")),
    }
}

/// One entity tag in its quotes.
fn is_etag(text: &str) -> bool {
    let tag = text.strip_prefix("W/").unwrap_or(text);
    let opaque = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    opaque.is_some_and(|opaque| opaque.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'))
}

/// A document as an answer with its `ETag`.
pub(crate) fn answer(version: u64, view: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::ETAG, etag_text(version))).json(view)
}
