//! What happened: the newest events of a conversation.

use std::collections::VecDeque;

use protocol::fact::Fact;
use protocol::id::ConversationId;
use store::records::StoredEvent;

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
    let (mut kept, mut before) = (VecDeque::new(), None);
    while kept.len() < MAX_LOG {
        let page = state.records.history(caller.tenant, conversation, before, PAGE).await?;
        let Some(oldest) = page.last() else { break };
        before = Some(oldest.seq);
        let concerning = page.into_iter().filter(|stored| concerns(&stored.event.fact));
        concerning.take(MAX_LOG - kept.len()).for_each(|stored| kept.push_front(stored));
    }
    Ok(kept)
}
