//! `GET /v1/notifications/stream`: server-sent events that survive a reconnect.

use std::collections::VecDeque;
use std::time::Duration;

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, get, web};
use futures_util::stream::{Stream, unfold};
use protocol::id::{TenantId, UserId};
use runtime::consumers::{NotificationStream, Told};
use store::records::{EventSeq, NotificationRecord};
use tokio::time::timeout;

use super::notifications::view;
use crate::api::auth::{Caller, Scope};
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// A silent stream says that it lives: proxies close connections that are idle for long.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Notifications that are read from the store at once after a break.
const CATCH_UP: usize = 100;

/// The caller's notifications as they come. `Last-Event-ID` resumes after the last one that was received; without it
/// the stream begins now. The key must act for a user.
#[utoipa::path(
    tag = "notifications",
    params(("Last-Event-ID" = Option<u64>, Header, description = "`sequence` of the last notification that was received")),
    responses((status = 200, description = "Server-sent events; `data` is a notification", content_type = "text/event-stream"))
)]
#[get("/notifications/stream")]
pub(crate) async fn stream_notifications(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::NotificationsRead)?;
    let user = caller.require_user()?;
    let live = state.consumers.notifications(caller.tenant, user);
    let resumed =
        request.headers().get("last-event-id").map(|id| {
            id.to_str().ok().and_then(|text| text.trim().parse().ok()).map(EventSeq).ok_or_else(|| {
                ApiError::malformed("Last-Event-ID", "must be the `sequence` of a notification")
            })
        });
    let after = match resumed {
        Some(after) => after?,
        None => state.records.last_event().await?,
    };
    let feed = Feed {
        state: state.into_inner(),
        tenant: caller.tenant,
        user,
        live,
        after,
        waiting: VecDeque::new(),
        behind: true,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(feed.into_stream()))
}

/// One open stream.
struct Feed {
    state: std::sync::Arc<AppState>,
    tenant: TenantId,
    user: UserId,
    live: NotificationStream,
    /// The last notification that was written.
    after: EventSeq,
    waiting: VecDeque<NotificationRecord>,
    /// The records may hold more than was heard live.
    behind: bool,
}

impl Feed {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, actix_web::Error>> {
        unfold(self, |mut feed| async move {
            let stopping = feed.state.stopping.clone();
            let chunk = stopping.run_until_cancelled(feed.next()).await??;
            Some((Ok(chunk), feed))
        })
    }

    /// The next chunk; `None` ends the stream, and the client comes back with `Last-Event-ID`.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(record) = self.waiting.pop_front() {
                self.after = self.after.max(record.seq);
                return Some(event(&record));
            }
            if self.behind {
                self.catch_up().await?;
                continue;
            }
            match timeout(HEARTBEAT, self.live.next()).await {
                Err(_) => return Some(Bytes::from_static(b": alive\n\n")),
                Ok(None) => return None,
                Ok(Some(Told::Missed)) => self.behind = true,
                Ok(Some(Told::New(record))) if record.seq > self.after => self.waiting.push_back(*record),
                Ok(Some(Told::New(_))) => {}
            }
        }
    }

    async fn catch_up(&mut self) -> Option<()> {
        let read = self.state.records.notifications_after(self.tenant, self.user, self.after, CATCH_UP).await;
        let rows = read.map_err(|error| tracing::warn!(%error, "a notification stream ends")).ok()?;
        self.behind = rows.len() == CATCH_UP;
        self.waiting.extend(rows);
        Some(())
    }
}

fn event(record: &NotificationRecord) -> Bytes {
    let view = view(record);
    let data = serde_json::to_string(&view).unwrap_or_default();
    Bytes::from(format!("id: {}\nevent: {}\ndata: {data}\n\n", view.sequence, view.kind))
}
