//! `/_simulator/…`: what a test or a demonstration asks of the simulator itself.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::answer;
use crate::simulator::behaviour::Behaviour;
use crate::simulator::faults::Fault;
use crate::simulator::shared::Shared;
use crate::simulator::world::Inbound;

type State = web::Data<Shared>;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/ledger", web::get().to(ledger))
        .route("/stats", web::get().to(stats))
        .route("/inbound", web::post().to(inbound))
        .route("/faults", web::get().to(faults))
        .route("/faults", web::post().to(add_fault))
        .route("/faults", web::put().to(set_faults))
        .route("/behaviour", web::get().to(behaviour))
        .route("/behaviour", web::put().to(set_behaviour))
        .route("/templates", web::post().to(judge))
        .route("/webhook", web::post().to(tell))
        .route("/callback", web::post().to(callback))
        .route("/clock", web::post().to(clock))
        .route("/reset", web::post().to(reset));
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    after: u64,
    #[serde(default = "page_limit")]
    limit: usize,
}

fn page_limit() -> usize {
    1_000
}

async fn ledger(shared: State, page: web::Query<Page>) -> HttpResponse {
    let data = shared.peek(|world, _| world.ledger.after(page.after, page.limit));
    let next = (data.len() == page.limit).then(|| data.last().map(|entry| entry.position)).flatten();
    HttpResponse::Ok().json(json!({ "data": data, "next": next }))
}

async fn stats(shared: State) -> HttpResponse {
    HttpResponse::Ok().json(shared.stats())
}

async fn inbound(shared: State, inbound: web::Json<Inbound>) -> HttpResponse {
    let taken = shared.world(|world, now_ms| world.inbound(now_ms, inbound.into_inner()));
    answer(taken.map(|id| json!({ "id": id })))
}

async fn faults(shared: State) -> HttpResponse {
    HttpResponse::Ok().json(shared.peek(|world, _| world.faults.clone()))
}

async fn add_fault(shared: State, fault: web::Json<Fault>) -> HttpResponse {
    shared.peek(|world, _| world.faults.push(fault.into_inner()));
    faults(shared).await
}

async fn set_faults(shared: State, all: web::Json<Vec<Fault>>) -> HttpResponse {
    shared.peek(|world, _| world.faults = all.into_inner());
    faults(shared).await
}

async fn behaviour(shared: State) -> HttpResponse {
    HttpResponse::Ok().json(shared.peek(|world, _| world.behaviour.clone()))
}

async fn set_behaviour(shared: State, behaviour_: web::Json<Behaviour>) -> HttpResponse {
    shared.world(|world, _| world.behaviour = behaviour_.into_inner());
    behaviour(shared).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdict {
    name: String,
    /// `PAUSED`, `DISABLED`, `APPROVED` …
    status: String,
}

async fn judge(shared: State, verdict: web::Json<Verdict>) -> HttpResponse {
    let Verdict { name, status } = verdict.into_inner();
    let judged = shared.world(|world, now_ms| world.judge_template(now_ms, &name, &status));
    HttpResponse::Ok().json(json!({ "judged": judged }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    /// The account; all when absent.
    waba_id: Option<String>,
    /// Such as `template_category_update`.
    field: String,
    value: serde_json::Value,
}

async fn tell(shared: State, told: web::Json<Told>) -> HttpResponse {
    let Told { waba_id, field, value } = told.into_inner();
    shared.world(|world, now_ms| world.tell_accounts(now_ms, waba_id.as_deref(), &field, &value));
    HttpResponse::Ok().json(json!({ "success": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Callback {
    /// The account; all when absent.
    waba_id: Option<String>,
    /// Nothing stops the webhooks.
    url: Option<String>,
}

async fn callback(shared: State, callback: web::Json<Callback>) -> HttpResponse {
    let Callback { waba_id, url } = callback.into_inner();
    shared.set_callbacks(waba_id.as_deref(), url.as_slice());
    HttpResponse::Ok().json(json!({ "success": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    advance_ms: i64,
}

async fn clock(shared: State, clock: web::Json<Clock>) -> HttpResponse {
    shared.advance(clock.advance_ms);
    HttpResponse::Ok().json(json!({ "now_ms": shared.now_ms() }))
}

async fn reset(shared: State) -> HttpResponse {
    shared.reset();
    HttpResponse::Ok().json(json!({ "success": true }))
}
