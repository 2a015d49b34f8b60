//! What inputs are, as far as a batch must know before they are applied.

use domain::conversation::Input;
use protocol::command::{Action, CommandKey};
use protocol::entry::Happening;

/// Whether an input may be the first of a conversation. What the provider says and what holds for the contact may;
/// of commands only those that write first (or would have) and those that record what the contact wants.
pub(super) fn may_begin(input: &Input) -> bool {
    match input {
        Input::Happening(happening) => match happening.as_ref() {
            Happening::Command(command) => {
                matches!(
                    command.action,
                    Action::Send(_)
                        | Action::SendOrSubmit { .. }
                        | Action::SetConsent(_)
                        | Action::SetBlocked(_)
                        | Action::RefuseSend(_)
                )
            }
            _ => true,
        },
        Input::Tick | Input::Recover | Input::Claim { .. } | Input::Outcome { .. } => false,
    }
}

/// Whether somebody at the tenant wants to begin a conversation. What comes from the contact brings its names along.
pub(super) fn asks_to_begin(input: &Input) -> bool {
    command_key(input).is_some() && may_begin(input)
}

/// The key of an input that is a command.
pub(super) fn command_key(input: &Input) -> Option<CommandKey> {
    match input {
        Input::Happening(happening) => match happening.as_ref() {
            Happening::Command(command) => Some(command.key),
            _ => None,
        },
        _ => None,
    }
}
