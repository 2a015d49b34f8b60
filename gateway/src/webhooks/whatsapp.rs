//! `/webhooks/whatsapp`: Meta's handshake, and its webhooks for all numbers.
//!
//! The way in does four things and nothing else: who signed, is it a webhook, make it durable, answer.

use std::time::Instant;

use actix_web::error::PayloadError;
use actix_web::http::header::{HeaderName, RETRY_AFTER};
use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use compact_str::CompactString;
use protocol::entry::Happening;
use protocol::whatsapp::webhook::{self, Part, Payload as Said};
use runtime::ingress::{Arrival, IngestError};
use runtime::trace;
use serde::Deserialize;
use store::engine::{Clock as _, SystemClock};
use tracing::Instrument as _;

use crate::state::AppState;
use crate::webhooks::admission::Load;
use crate::webhooks::body;

/// Where the provider puts its signature.
static SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature-256");
/// W3C trace context of whoever calls.
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// A well-formed `traceparent` of version 00 is exactly this long.
const TRACEPARENT_BYTES: usize = 55;

/// The handshake, as the provider sends it.
#[derive(Deserialize)]
pub(super) struct Handshake {
    #[serde(rename = "hub.mode")]
    mode: Option<String>,
    #[serde(rename = "hub.verify_token")]
    token: Option<String>,
    #[serde(rename = "hub.challenge")]
    challenge: Option<String>,
}

/// Answers the provider's challenge when it knows the verify token of any number.
pub(super) async fn handshake(state: Data<AppState>, query: Query<Handshake>) -> HttpResponse {
    let outcomes = &state.metrics.whatsapp.outcomes;
    let Handshake { mode, token, challenge } = query.into_inner();
    let known =
        mode.as_deref() == Some("subscribe") && token.is_some_and(|token| state.verifier.knows_token(&token));
    match challenge {
        Some(challenge) if known => {
            outcomes.handshake.inc();
            HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(challenge)
        }
        _ => {
            outcomes.handshake_refused.inc();
            HttpResponse::Forbidden().finish()
        }
    }
}

/// Takes a webhook: 200 once it is durable.
pub(super) async fn receive(state: Data<AppState>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let outcomes = &state.metrics.whatsapp.outcomes;
    let body = match body::read(payload, state.settings.webhooks.max_body_bytes).await {
        Ok(body) => body,
        Err(PayloadError::Overflow) => {
            outcomes.too_large.inc();
            return HttpResponse::PayloadTooLarge().finish();
        }
        Err(_) => {
            outcomes.malformed.inc();
            return HttpResponse::BadRequest().body("the body ended too early");
        }
    };
    let now = Instant::now();
    let load = state.admission.load(now);
    if load == Load::Over {
        return shed(&state);
    }
    let _under_way = state.admission.enter(now);
    let _timer = state.metrics.whatsapp.ack_seconds.start_timer();
    let header = |name: &HeaderName| request.headers().get(name);
    let signature = header(&SIGNATURE).map_or(&[][..], |value| value.as_bytes());
    let Some(signed_by) = state.verifier.signed_by(signature, &body) else {
        outcomes.unsigned.inc();
        return HttpResponse::Unauthorized().finish();
    };
    let decoded = match webhook::decode(&body) {
        Ok(decoded) => decoded,
        Err(error) => {
            outcomes.malformed.inc();
            return HttpResponse::BadRequest().body(error.to_string());
        }
    };
    // It holds the buffer that the connection reads into.
    drop(body);
    if load == Load::Heavy && decoded.parts.iter().all(is_status) {
        return shed(&state);
    }
    let caller = header(&TRACEPARENT).and_then(|value| value.to_str().ok());
    let span = tracing::debug_span!("webhook", provider = "whatsapp", parts = decoded.parts.len());
    trace::join(&span, caller);
    let work = async {
        let received_at = state.engine.now().await?;
        let arrival = Arrival { received_at, traceparent: traceparent(caller) };
        state.ingress.accept(decoded, &signed_by, arrival).await
    };
    match work.instrument(span).await {
        Ok(accepted) => {
            outcomes.accepted.inc();
            state.metrics.whatsapp.count(&accepted);
            HttpResponse::Ok().finish()
        }
        Err(error) => unavailable(&state, &error),
    }
}

/// The trace of this request: our span's, or the caller's when we make no spans.
fn traceparent(caller: Option<&str>) -> Option<CompactString> {
    let passed_on = || caller.filter(|text| text.len() == TRACEPARENT_BYTES).map(CompactString::new);
    trace::current_traceparent().or_else(passed_on)
}

fn is_status(part: &Part) -> bool {
    matches!(&part.payload, Said::Conversation { happening, .. } if matches!(**happening, Happening::Status(_)))
}

/// Too much at once: the provider shall come again.
fn shed(state: &AppState) -> HttpResponse {
    state.metrics.whatsapp.outcomes.shed.inc();
    if state.refusals_logged.due(SystemClock::default().now()) {
        tracing::warn!("more webhooks come than can be made durable in time; some are sent away");
    }
    later(state)
}

/// Not durable: the provider shall try again.
fn unavailable(state: &AppState, error: &IngestError) -> HttpResponse {
    state.metrics.whatsapp.outcomes.unavailable.inc();
    if state.refusals_logged.due(SystemClock::default().now()) {
        tracing::warn!(error = error as &dyn std::error::Error, "webhooks cannot be made durable now");
    }
    later(state)
}

fn later(state: &AppState) -> HttpResponse {
    let seconds = state.settings.webhooks.retry_after_seconds;
    HttpResponse::ServiceUnavailable().insert_header((RETRY_AFTER, seconds.to_string())).finish()
}
