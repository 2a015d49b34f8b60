//! Who takes a message of the contact: the bot, an application, or people.

use std::sync::Arc;

use protocol::command::{Consent, Mode};
use protocol::content::Content;
use protocol::directory::Flow;

use super::turn::Turn;
use crate::consent::{self, Keyword};
use crate::flow;

/// What becomes of a message.
pub(super) enum Route {
    /// Kept, and nothing else: the contact is blocked, or it says nothing that needs an answer.
    Keep,
    /// For people.
    Inbox,
    /// Refuses messages, or welcomes them again.
    Consent(Keyword),
    /// `/chat` or `/endchat`.
    Switch(Mode),
    /// An answer in the application that is under way.
    Answer,
    /// Begins an application.
    Begin(Arc<Flow>),
    /// The bot does not understand.
    ErrorReply,
}

impl Route {
    /// Whether the message waits for a person.
    pub(super) fn is_for_inbox(&self) -> bool {
        matches!(self, Self::Inbox)
    }
}

/// Decides; changes nothing.
pub(super) fn route(turn: &Turn<'_>, content: &Content) -> Route {
    if let Some(keyword) = keyword(turn, content) {
        return Route::Consent(keyword);
    }
    if turn.state.blocked {
        return Route::Keep;
    }
    // A message that arrives after its own 24 hours cannot be answered by the bot either.
    if !turn.may_speak() || !turn.state.window_open(turn.now()) {
        return if needs_answer(content) { Route::Inbox } else { Route::Keep };
    }
    if let Some(mode) = switch(content) {
        return Route::Switch(mode);
    }
    match turn.state.mode {
        Mode::Direct if needs_answer(content) => Route::Inbox,
        Mode::Bot if needs_answer(content) => for_bot(turn, content),
        Mode::Direct | Mode::Bot => Route::Keep,
    }
}

/// Refusals count always, also from blocked contacts; welcomes only after a refusal.
fn keyword(turn: &Turn<'_>, content: &Content) -> Option<Keyword> {
    let (Content::Text { .. } | Content::Button { .. } | Content::Choice { .. }) = content else {
        return None;
    };
    let keyword = consent::keyword(content.typed_text()?, &turn.settings().opt_out_keywords)?;
    let opted_out = turn.state.consent() == Consent::OptedOut;
    (keyword == Keyword::OptOut || opted_out).then_some(keyword)
}

fn switch(content: &Content) -> Option<Mode> {
    let Content::Text { body } = content else { return None };
    let command = body.trim();
    if command.eq_ignore_ascii_case("/chat") {
        Some(Mode::Direct)
    } else {
        command.eq_ignore_ascii_case("/endchat").then_some(Mode::Bot)
    }
}

/// An emoji on a message, a correction of an old one or a granted permission is no new message to answer.
fn needs_answer(content: &Content) -> bool {
    !matches!(
        content,
        Content::Reaction { .. }
            | Content::Edit { .. }
            | Content::Revoke { .. }
            | Content::CallPermission { .. }
    )
}

fn for_bot(turn: &Turn<'_>, content: &Content) -> Route {
    if turn.state.run.is_some() {
        return Route::Answer;
    }
    match content.typed_text().and_then(|text| flow::find(turn.context.tenant, text)) {
        Some(flow) => Route::Begin(Arc::clone(flow)),
        None => Route::ErrorReply,
    }
}
