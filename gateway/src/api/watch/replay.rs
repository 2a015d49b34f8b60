//! `GET /v1/conversations/{id}/replay`: do its events still make what is kept?

use std::collections::BTreeSet;

use actix_web::{get, web};
use protocol::api::conversation::ConversationView;
use protocol::api::problem::Problem;
use protocol::api::watch::ReplayView;
use protocol::id::ConversationId;
use serde_json::{Map, Value};
use store::records::Replay;

use crate::api::auth::{Caller, Scope};
use crate::api::command::now;
use crate::api::problem::{ApiError, ApiResult};
use crate::api::{fresh, views};
use crate::state::AppState;

/// Replays the events of a conversation into a fresh state, and compares it with the one that is kept. Changes nothing.
#[utoipa::path(
    tag = "operations",
    params(("id" = ConversationId, Path)),
    responses(
        (status = 200, body = ReplayView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, description = "It has more events than are replayed at once", content_type = "application/problem+json"),
    )
)]
#[get("/conversations/{id}/replay")]
pub(crate) async fn replay_conversation(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<ConversationId>,
) -> ApiResult<web::Json<ReplayView>> {
    caller.require(Scope::OperationsRead)?;
    fresh::conversation(&state, *id).await;
    let replay = fresh::found(&state, async || Ok(state.records.replay(caller.tenant, *id).await?)).await?;
    Ok(web::Json(view(replay.ok_or_else(|| ApiError::not_found("conversation"))?)))
}

fn view(replay: Replay) -> ReplayView {
    let now = now();
    let stored = views::conversation(replay.stored, now);
    let replayed = replay.replayed.map(|row| views::conversation(row, now));
    let differences = differences(fields(Some(&stored)), fields(replayed.as_ref()));
    ReplayView {
        equal: differences.is_empty() && replay.differing.is_empty(),
        events: replay.events as u64,
        messages: replay.messages as u64,
        stored,
        replayed,
        differences,
        differing_messages: replay.differing,
    }
}

/// Fields that are not the same.
fn differences(stored: Fields, replayed: Fields) -> Vec<String> {
    let names: BTreeSet<_> = stored.keys().chain(replayed.keys()).collect();
    let differing = names.into_iter().filter(|name| stored.get(*name) != replayed.get(*name));
    differing.map(|name| format!("/{name}")).collect()
}

type Fields = Map<String, Value>;

fn fields(view: Option<&ConversationView>) -> Fields {
    match serde_json::to_value(view) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn f3_fields_that_differ_are_named() {
        let fields = |value: Value| value.as_object().cloned().unwrap_or_default();
        let stored = || fields(json!({ "unread": 1, "mode": "bot", "owner": "user:1" }));
        assert_eq!(differences(stored(), stored()), [""; 0]);
        let replayed = fields(json!({ "unread": 2, "mode": "bot", "vacancy": null }));
        assert_eq!(differences(stored(), replayed), ["/owner", "/unread", "/vacancy"]);
        assert_eq!(differences(stored(), Fields::new()).len(), 3);
    }
}
