//! What happened: the newest events of a conversation.

use std::collections::VecDeque;

use protocol::fact::Fact;
use protocol::id::ConversationId;
use store::records::{EventQuery, EventSeq, StoredEvent};

use crate::api::auth::Caller;
use crate::api::problem::ApiResult;
use crate::state::AppState;

/// Events that an explanation shows at most.
const MAX_LOG: usize = 200;
/// Events read at once; a conversation has some hundreds in a lifetime.
const PAGE: usize = 500;

/// The newest events that concern the question, oldest first.
pub(super) async fn newest(
    state: &AppState,
    caller: &Caller,
    conversation: ConversationId,
    concerns: impl Fn(&Fact) -> bool,
) -> ApiResult<VecDeque<StoredEvent>> {
    let (mut kept, mut after) = (VecDeque::new(), EventSeq::default());
    loop {
        let (tenant, conversation) = (Some(caller.tenant), Some(conversation));
        let page = state.records.events(EventQuery { tenant, conversation, after, limit: PAGE }).await?;
        let Some(last) = page.last() else { return Ok(kept) };
        after = last.seq;
        kept.extend(page.into_iter().filter(|stored| concerns(&stored.event.fact)));
        kept.drain(..kept.len().saturating_sub(MAX_LOG));
    }
}
