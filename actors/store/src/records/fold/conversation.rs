//! What a fact makes of an inbox row.

use protocol::command::{Mode, Party};
use protocol::content::{Channel, Content};
use protocol::fact::{Event, Fact};
use protocol::id::{ContactId, ConversationId, MessageId, NumberId, TenantId};
use protocol::time::{SpanMs, TimestampMs};

use super::super::{Direction, FlowPlace, Preview};
use super::{Row, Slot, preview};

/// A call of the contact opens the window for this long, as a message does (facts: 24 h customer window).
const WINDOW: SpanMs = SpanMs::hours(24);

/// A conversation before its first message.
pub(super) fn new(
    (id, tenant): (ConversationId, TenantId),
    (number, channel): (NumberId, Channel),
    contact: ContactId,
    at: TimestampMs,
) -> Row {
    Row {
        id,
        tenant,
        number,
        channel,
        contact,
        mode: Mode::default(),
        owner: None,
        vacancy: None,
        flow: None,
        window_opened_at: None,
        window_expires_at: None,
        unread: 0,
        unanswered_since: None,
        last_message: None,
        last_inbound_at: None,
        last_outbound_at: None,
        last_outbound_by: None,
        last_reply_at: None,
        blocked: false,
        left: false,
        paused: false,
        created_at: at,
    }
}

/// Changes the row as the fact says.
pub(super) fn fold(slot: &mut Slot<Row>, event: &Event) {
    match &event.fact {
        Fact::MessageReceived { .. } => received(slot.talk(), event),
        Fact::MessageQueued { message, by, content, .. }
        | Fact::ApprovalAwaited { message, by, content, .. } => {
            queued(slot.talk(), event.at, *by, (*message, content));
        }
        Fact::Call(call) if call.by_contact => {
            let at = call.at.min(event.at);
            open_window(slot.talk(), at, at + WINDOW);
        }
        Fact::ModeChanged { mode, .. } => slot.change().mode = *mode,
        Fact::BlockChanged { blocked, .. } => slot.change().blocked = *blocked,
        Fact::LeftChanged { left, .. } => slot.change().left = *left,
        Fact::PauseChanged { paused, .. } => slot.change().paused = *paused,
        Fact::OwnerChanged { owner, .. } => slot.change().owner.clone_from(owner),
        Fact::VacancyChanged { vacancy, .. } => slot.change().vacancy.clone_from(vacancy),
        Fact::ConversationRead { .. } => slot.talk().unread = 0,
        Fact::FlowStarted { flow, version } => {
            slot.change().flow = Some(FlowPlace { id: flow.clone(), version: *version, step: None });
        }
        Fact::FlowAsked { step, .. } => {
            if let Some(place) = &mut slot.change().flow {
                place.step = Some(step.clone());
            }
        }
        Fact::FlowCompleted { vacancy, .. } => {
            let row = slot.change();
            row.flow = None;
            if row.vacancy.is_none() {
                row.vacancy.clone_from(vacancy);
            }
        }
        Fact::FlowAbandoned { .. } => slot.change().flow = None,
        _ => {}
    }
}

fn received(row: &mut Row, event: &Event) {
    let Fact::MessageReceived { message, sent_at, content, window_expires_at, blocked, for_inbox, .. } =
        &event.fact
    else {
        return;
    };
    // A phone whose clock is ahead does not open the window later than now.
    open_window(row, (*sent_at).min(event.at), *window_expires_at);
    row.last_inbound_at = row.last_inbound_at.max(Some(*sent_at));
    if *blocked {
        return; // B2: kept apart, brings nothing to the top of the inbox
    }
    show(row, event.at, Direction::Inbound, (*message, content));
    if *for_inbox {
        row.unread = row.unread.saturating_add(1);
        row.unanswered_since = row.unanswered_since.or(Some(*sent_at));
    }
}

fn queued(row: &mut Row, at: TimestampMs, by: Party, message: (MessageId, &Content)) {
    show(row, at, Direction::Outbound, message);
    row.last_outbound_at = Some(at);
    row.last_outbound_by = Some(by);
    if matches!(by, Party::User(_) | Party::Service(_)) {
        row.last_reply_at = Some(at);
        row.unanswered_since = None;
    }
}

/// The newest message by our time: a provider delivers old ones late, and they are news to people.
fn show(row: &mut Row, at: TimestampMs, direction: Direction, (message, content): (MessageId, &Content)) {
    let text = preview::text(content);
    row.last_message = Some(Preview { message, at, direction, kind: content.kind().into(), text });
}

/// Messages arrive out of order: a window is never shortened.
fn open_window(row: &mut Row, opened_at: TimestampMs, expires_at: TimestampMs) {
    row.window_opened_at = row.window_opened_at.max(Some(opened_at));
    row.window_expires_at = row.window_expires_at.max(Some(expires_at));
}
