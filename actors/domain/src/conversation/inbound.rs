//! The contact wrote.

use protocol::command::{Mode, Party};
use protocol::content::Content;
use protocol::entry::InboundMessage;
use protocol::fact::{Fact, NotificationKind};
use protocol::id::MessageId;

use super::route::{Route, route};
use super::turn::Turn;
use super::{assign, bot, consent, erase, flow, identity, window};

/// The id that a message of the contact always gets.
pub(super) fn message_id(conversation: u128, message: &InboundMessage) -> MessageId {
    let cause = [&conversation.to_le_bytes(), &b"in"[..], message.provider_id.as_str().as_bytes()];
    MessageId::derive_at(message.sent_at, &cause)
}

/// Applies a message that was not applied before.
pub(super) fn received(turn: &mut Turn<'_>, message: InboundMessage) {
    let id = message_id(turn.state.address.conversation.0, &message);
    let is_first = turn.state.window.is_none();
    erase::meet(turn, &message.identity);
    turn.start(true);
    identity::learn(turn, &message.identity);
    if restarts_window(&message.content) {
        window::restart(turn, message.sent_at);
    }
    turn.state.last_received = Some(message.provider_id.clone());
    let route = route(turn, &message.content);
    record(turn, id, &message, &route);
    if is_first {
        assign::first(turn);
    }
    if route.is_for_inbox() {
        turn.state.unread = turn.state.unread.saturating_add(1);
        turn.notify(NotificationKind::NewMessage, Some(id));
    }
    follow(turn, route, &message.content);
}

fn record(turn: &mut Turn<'_>, id: MessageId, message: &InboundMessage, route: &Route) {
    let window_expires_at = turn.state.window.as_ref().map_or(turn.now(), |window| window.expires_at);
    let fact = Fact::MessageReceived {
        message: id,
        provider_id: message.provider_id.clone(),
        sent_at: message.sent_at,
        content: message.content.clone(),
        reply_to: message.reply_to.clone(),
        referral: message.referral.clone(),
        window_expires_at,
        blocked: turn.state.blocked,
        for_inbox: route.is_for_inbox(),
    };
    turn.fact(fact);
}

fn follow(turn: &mut Turn<'_>, route: Route, content: &Content) {
    match route {
        Route::Keep | Route::Inbox => {}
        Route::Consent(keyword) => {
            consent::by_keyword(turn, keyword, content.typed_text().unwrap_or_default());
        }
        Route::Switch(mode) => switch(turn, mode),
        Route::Begin(flow) => flow::begin(turn, &flow),
        Route::Answer => flow::answer(turn, content),
        Route::ErrorReply => {
            let body = bot::texts(turn).error_reply.to_owned();
            bot::error_reply(turn, Content::Text { body });
        }
    }
}

/// `/chat` and `/endchat`, acknowledged also when nothing changes: the person asked.
fn switch(turn: &mut Turn<'_>, mode: Mode) {
    let texts = bot::texts(turn);
    flow::abandon(turn);
    turn.set_mode(mode, Party::Contact);
    let text = if mode == Mode::Direct { texts.chat_opened } else { texts.chat_closed };
    bot::say_text(turn, text);
}

/// Every message restarts the 24 hours. A correction or withdrawal of an old message may not be one for the
/// provider, nor the notice that somebody only opened the chat: better refuse here than there.
fn restarts_window(content: &Content) -> bool {
    match content {
        Content::Edit { .. } | Content::Revoke { .. } => false,
        Content::Unknown { kind, .. } => kind != "request_welcome",
        _ => true,
    }
}
