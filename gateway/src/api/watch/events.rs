//! `GET /v1/events`: the ordered feed of a tenant.

use actix_web::{get, web};
use protocol::api::Page;
use protocol::api::watch::EventView;
use serde::Deserialize;
use serde_json::Value;
use store::records::{EventQuery, EventSeq, StoredEvent};
use utoipa::IntoParams;

use crate::api::auth::{Caller, Scope};
use crate::api::page::Paging;
use crate::api::problem::ApiResult;
use crate::state::AppState;

/// Query of the feed.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedQuery {
    /// `sequence` of the last event that was dealt with; 0 for the beginning.
    #[serde(default)]
    after: u64,
    /// Entries at most, 1 to 200; 50 when left out.
    limit: Option<usize>,
}

/// An event as callers see it: the fact's variant becomes `type`, its fields become `data`.
pub(crate) fn view(stored: StoredEvent) -> EventView {
    let event = stored.event;
    EventView {
        id: event.id,
        sequence: stored.seq.0,
        kind: event.fact.name().to_owned(),
        at: event.at,
        conversation_id: event.conversation,
        data: data(&event.fact),
    }
}

fn data(fact: &protocol::fact::Fact) -> Value {
    match serde_json::to_value(fact) {
        Ok(Value::Object(fields)) => fields.into_iter().next().map_or(Value::Null, |(_, data)| data),
        Ok(other) => other,
        Err(error) => Value::String(format!("cannot be shown: {error}")),
    }
}

/// Events in order, after a place. At least once; the ids are stable.
#[utoipa::path(tag = "events", params(FeedQuery), responses((status = 200, body = Page<EventView>)))]
#[get("/events")]
pub(crate) async fn list_events(
    state: web::Data<AppState>,
    caller: Caller,
    query: web::Query<FeedQuery>,
) -> ApiResult<web::Json<Page<EventView>>> {
    caller.require(Scope::EventsRead)?;
    let limit = Paging { limit: query.limit, cursor: None }.limit()?;
    let rows = state
        .records
        .events(EventQuery {
            tenant: Some(caller.tenant),
            conversation: None,
            after: EventSeq(query.after),
            limit,
        })
        .await?;
    let next = (rows.len() == limit).then(|| rows.last().map(|row| row.seq.0.to_string())).flatten();
    Ok(web::Json(Page { data: rows.into_iter().map(view).collect(), next }))
}
