//! What the bot says.

use protocol::command::Party;
use protocol::content::Content;

use super::outbound::{self, NewMessage};
use super::turn::Turn;
use crate::texts::{self, Texts};

/// Automatic texts in the language of the application that is under way, else in the tenant's.
pub(super) fn texts(turn: &Turn<'_>) -> &'static Texts {
    let tenant = turn.context.tenant;
    let run = turn.state.run.as_deref();
    let flow = run.and_then(|run| tenant.flows.get(&run.flow)?.get(&run.version));
    texts::of(flow.map_or(&tenant.tenant.language, |flow| &flow.language))
}

/// Says something, if anything may be said to this contact now. The bot only ever answers, so the window is open
/// unless the question came very late.
pub(super) fn say(turn: &mut Turn<'_>, content: Content) {
    if turn.may_speak() && turn.state.window_open(turn.now()) {
        outbound::enqueue_if_room(turn, NewMessage::automatic(Party::Bot, content));
    }
}

/// Says a text.
pub(super) fn say_text(turn: &mut Turn<'_>, body: impl Into<String>) {
    say(turn, Content::Text { body: body.into() });
}

/// Says that it did not understand, not too often: two bots must not talk for ever.
pub(super) fn error_reply(turn: &mut Turn<'_>, content: Content) {
    let now = turn.now();
    let interval = protocol::time::SpanMs::seconds(i64::from(turn.settings().error_reply_interval_seconds));
    if turn.state.last_error_reply_at + interval <= now {
        turn.state.last_error_reply_at = now;
        say(turn, content);
    }
}
