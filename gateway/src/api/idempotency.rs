//! Writes that are not commands to a conversation: repeated with the same key they answer what they answered.

use std::future::Future;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use protocol::command::Refusal;
use serde::Serialize;
use store::records::{Claim, StoredResponse};

use super::auth::Caller;
use super::command::{idempotency_key, now};
use super::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// What a write answers.
pub(crate) struct Answer {
    status: StatusCode,
    etag: Option<String>,
    body: String,
}

impl Answer {
    /// An answer with a JSON body.
    pub(crate) fn json(status: StatusCode, etag: Option<u64>, body: &impl Serialize) -> ApiResult<Self> {
        let body = serde_json::to_string(body).map_err(|error| {
            tracing::error!(%error, "an answer could not be written as JSON");
            ApiError::unavailable("the answer could not be written")
        })?;
        Ok(Self { status, etag: etag.map(etag_text), body })
    }

    fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(etag) = self.etag {
            response.insert_header((header::ETAG, etag));
        }
        response.content_type("application/json").body(self.body)
    }
}

/// A document's version as an `ETag`.
pub(crate) fn etag_text(version: u64) -> String {
    format!("\"{version}\"")
}

/// Carries out `write` once per idempotency key; without a key, once per call.
pub(crate) async fn once<F, W>(
    state: &AppState,
    caller: &Caller,
    request: &HttpRequest,
    fingerprint: u64,
    write: W,
) -> ApiResult<HttpResponse>
where
    F: Future<Output = ApiResult<Answer>>,
    W: FnOnce() -> F,
{
    let Some(key) = idempotency_key(request)? else { return Ok(write().await?.into_response()) };
    match state.records.claim_key(caller.tenant, key.clone(), fingerprint, now()).await? {
        Claim::Different => return Err(Refusal::KeyReused.into()),
        Claim::Same { response: Some(stored) } => return Ok(replay(stored)),
        Claim::Same { response: None } => return Err(under_way()),
        Claim::Fresh => {}
    }
    match write().await {
        Ok(answer) => {
            let stored = StoredResponse {
                status: answer.status.as_u16(),
                etag: answer.etag.clone(),
                body: answer.body.clone(),
            };
            state.records.keep_response(caller.tenant, key, stored).await?;
            Ok(answer.into_response())
        }
        Err(error) => {
            state.records.release_key(caller.tenant, key).await?;
            Err(error)
        }
    }
}

fn replay(stored: StoredResponse) -> HttpResponse {
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
    Answer { status, etag: stored.etag, body: stored.body }.into_response()
}

fn under_way() -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        "under_way",
        "The same request is under way",
        "wait for the first one, or look whether it took effect",
    )
}
