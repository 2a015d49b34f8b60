//! The operator's listener: metrics, probes, a look into the shards. No keys: it is not for the internet.

use actix_web::web::{Data, ServiceConfig, get};
use actix_web::{HttpResponse, web};
use prometheus::{Encoder as _, TextEncoder};
use serde_json::json;

use crate::state::AppState;

/// Adds the routes.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/metrics", get().to(metrics))
        .route("/livez", get().to(livez))
        .route("/readyz", get().to(readyz))
        .route("/debug/shards", get().to(shards));
}

async fn metrics(state: Data<AppState>) -> HttpResponse {
    let mut text = Vec::new();
    match TextEncoder::new().encode(&state.metrics.registry.gather(), &mut text) {
        Ok(()) => HttpResponse::Ok().content_type(prometheus::TEXT_FORMAT).body(text),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}

/// The process answers: whoever restarts it on failure asks this.
async fn livez() -> HttpResponse {
    HttpResponse::Ok().body("ok\n")
}

/// Whether requests should come here: every shard is owned, the store answers, nobody is stopping the process.
async fn readyz(state: Data<AppState>) -> HttpResponse {
    let health = state.node.health().await;
    let stopping = state.stopping.is_cancelled();
    let body = json!({ "ready": health.ready && !stopping, "stopping": stopping, "node": health });
    if health.ready && !stopping {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}

async fn shards(state: Data<AppState>) -> web::Json<Vec<runtime::ShardView>> {
    web::Json(state.node.shards())
}
