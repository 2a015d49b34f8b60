//! `GET /v1/events`: the ordered feed of a tenant.

use actix_web::{get, web};
use protocol::api::Page;
use protocol::api::watch::EventView;
use serde::Deserialize;
use store::records::{EventQuery, StoredEvent};
use utoipa::IntoParams;

use crate::api::auth::{Caller, Scope};
use crate::api::page::{Paging, sequence};
use crate::api::problem::{ApiError, ApiResult};
use crate::api::query::Query;
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
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// An event as callers see it.
pub(crate) fn view(stored: &StoredEvent) -> EventView {
    EventView::new(stored.seq.0, &stored.event)
}

/// Events in order, after a place. At least once; the ids are stable.
#[utoipa::path(tag = "events", params(FeedQuery), responses((status = 200, body = Page<EventView>)))]
#[get("/events")]
pub(crate) async fn list_events(
    state: web::Data<AppState>,
    caller: Caller,
    query: Query<FeedQuery>,
) -> ApiResult<web::Json<Page<EventView>>> {
    caller.require(Scope::EventsRead)?;
    let limit = Paging { limit: query.limit, cursor: None }.limit()?;
    let after = sequence(query.after)
        .ok_or_else(|| ApiError::malformed("?after", "must be the `sequence` of an event"))?;
    let rows = state.records.events(EventQuery { tenant: Some(caller.tenant), after, limit }).await?;
    let next = (rows.len() == limit).then(|| rows.last().map(|row| row.seq.0.to_string())).flatten();
    Ok(web::Json(Page { data: rows.iter().map(view).collect(), next }))
}
