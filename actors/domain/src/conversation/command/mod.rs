//! What somebody at the tenant, or a service, wants. One file per action that has rules of its own.

mod approval;
mod send;
mod template;

pub use self::send::check as check_send;

use compact_str::CompactString;
use protocol::command::{Action, Command, CommandResult, Mode, Party, Refusal};
use protocol::fact::Fact;
use protocol::id::MessageId;

use super::turn::Turn;
use super::{assign, block, consent, erase, flow, outbound, vacancy};
use crate::capability::Capability;

/// Applies a command and leaves its result. The shard answers a repeated key with the stored result, so each key
/// comes here once.
pub(super) fn command(turn: &mut Turn<'_>, command: Command) {
    let conversation = turn.state.address.conversation;
    let (name, by) = (name(&command.action), command.by);
    let result =
        if turn.now() > command.expires_at { Err(Refusal::Expired) } else { act(turn, command.action, by) };
    turn.effects.result = Some(match result {
        Ok(Done::Queued(message)) => CommandResult::Queued { message, conversation },
        Ok(Done::AwaitingApproval(message)) => CommandResult::AwaitingApproval { message, conversation },
        Ok(Done::Changed) => CommandResult::Done { conversation },
        Err(refusal) => {
            turn.fact(Fact::CommandRefused {
                by,
                action: CompactString::const_new(name),
                refusal: refusal.clone(),
            });
            CommandResult::Refused(refusal)
        }
    });
}

/// What a command came to.
enum Done {
    /// A message is on its way.
    Queued(MessageId),
    /// A message waits for its approval.
    AwaitingApproval(MessageId),
    /// Everything else.
    Changed,
}

fn act(turn: &mut Turn<'_>, action: Action, by: Party) -> Result<Done, Refusal> {
    match action {
        Action::Send(body) => return send::send(turn, body, by).map(Done::Queued),
        Action::SendOrSubmit { body, reply_to, approval } => {
            return approval::send_or_submit(turn, (body, reply_to), &approval, by);
        }
        // Consent and block belong to the contact: they are kept also before the first message.
        Action::SetConsent(mut record) => {
            record.at = record.at.min(turn.now());
            consent::set(turn, record);
        }
        Action::SetBlocked(blocked) => block::set_blocked(turn, blocked, by),
        Action::Erase { contact, names } => erase::erase(turn, contact, names, by),
        Action::RefuseSend(refusal) => return Err(refusal),
        action => {
            if !turn.state.started {
                return Err(Refusal::NotFound);
            }
            act_on_started(turn, action, by)?;
        }
    }
    Ok(Done::Changed)
}

fn act_on_started(turn: &mut Turn<'_>, action: Action, by: Party) -> Result<(), Refusal> {
    match action {
        Action::SetMode(mode) => set_mode(turn, mode, by),
        Action::Assign(owner) => assign::set(turn, owner, by),
        Action::SetVacancy(vacancy) => vacancy::set(turn, vacancy, by),
        Action::SetLeft(left) => block::set_left(turn, left, by),
        Action::MarkRead => mark_read(turn, by),
        Action::SetPaused(paused) => set_paused(turn, paused, by),
        Action::ShowTyping => return show_typing(turn),
        Action::PickUp(user) => return assign::pick_up(turn, user, by),
        Action::SetFollowing { user, following } => return assign::follow(turn, user, following, by),
        Action::Send(_)
        | Action::SendOrSubmit { .. }
        | Action::SetConsent(_)
        | Action::SetBlocked(_)
        | Action::Erase { .. }
        | Action::RefuseSend(_) => {}
    }
    Ok(())
}

/// A person takes over: the application that was under way ends.
fn set_mode(turn: &mut Turn<'_>, mode: Mode, by: Party) {
    if mode == Mode::Direct {
        flow::abandon(turn);
    }
    turn.set_mode(mode, by);
}

/// Somebody has read everything.
pub(super) fn mark_read(turn: &mut Turn<'_>, by: Party) {
    if turn.state.unread > 0 {
        turn.state.unread = 0;
        turn.fact(Fact::ConversationRead { by });
    }
}

fn set_paused(turn: &mut Turn<'_>, paused: bool, by: Party) {
    if turn.state.paused == paused {
        return;
    }
    turn.state.paused = paused;
    turn.fact(Fact::PauseChanged { paused, by });
    outbound::offer_now(turn);
}

/// Typing also marks the newest message as read at the provider; without a message there is nothing to show it on.
fn show_typing(turn: &mut Turn<'_>) -> Result<(), Refusal> {
    Capability::Typing.require(turn.context.number.channel)?;
    if turn.may_speak() && turn.state.window_open(turn.now()) {
        turn.effects.typing.clone_from(&turn.state.last_received);
    }
    Ok(())
}

fn name(action: &Action) -> &'static str {
    match action {
        Action::Send(_) | Action::SendOrSubmit { .. } | Action::RefuseSend(_) => "send",
        Action::SetMode(_) => "set_mode",
        Action::Assign(_) => "assign",
        Action::SetVacancy(_) => "set_vacancy",
        Action::SetBlocked(_) => "set_blocked",
        Action::SetLeft(_) => "set_left",
        Action::MarkRead => "mark_read",
        Action::SetConsent(_) => "set_consent",
        Action::SetPaused(_) => "set_paused",
        Action::ShowTyping => "show_typing",
        Action::PickUp(_) => "pick_up",
        Action::SetFollowing { .. } => "set_following",
        Action::Erase { .. } => "erase",
    }
}
