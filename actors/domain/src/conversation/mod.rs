//! The conversation between a business number and a contact: `apply(state, context, input) → effects`.

mod assign;
mod block;
mod bot;
mod call;
mod command;
mod consent;
mod context;
mod effects;
mod erase;
mod flow;
mod identity;
mod inbound;
mod input;
mod outbound;
mod pair_limit;
mod parked;
mod route;
mod seen;
mod state;
mod status;
mod timer;
mod turn;
mod vacancy;
mod waiting;
mod window;

pub use command::check_send;
pub use context::Context;
pub use effects::{Effects, Offer, Post};
pub use input::{Input, Step};
pub use outbound::{Outgoing, Recent, Stage};
pub use pair_limit::PairLimit;
pub use parked::Parked;
pub use seen::Seen;
pub use state::{Conversation, DecodeError, Followers, SNAPSHOT_VERSION};
pub use waiting::Waiting;
pub use window::Window;

use protocol::entry::{ContactChange, Happening};

use turn::Turn;

/// Applies one input. Total: whatever the outside sends, the state stays valid and the answer is typed.
///
/// Idempotent by cause: a message, status or command that was applied before changes nothing.
pub fn apply(state: &mut Conversation, context: &Context<'_>, step: Step, effects: &mut Effects) {
    let cause = input::Cause::of(state, &step.input);
    let Step { input, traceparent, already_seen } = step;
    let mut turn = Turn::new(state, context, effects, traceparent, cause);
    match input {
        Input::Happening(happening) => happened(&mut turn, *happening, already_seen),
        Input::Tick => timer::tick(&mut turn),
        // Offers of the old owner are gone. What was claimed stays so: only its status or deadline resolves it.
        Input::Recover => outbound::recover(&mut turn),
        Input::Claim { message } => outbound::claim(&mut turn, message),
        Input::Outcome { message, outcome } => outbound::outcome(&mut turn, message, outcome),
    }
    outbound::settle(&mut turn);
}

fn happened(turn: &mut Turn<'_>, happening: Happening, already_seen: bool) {
    if let Some((key, at)) = seen::seen_key(&happening) {
        if already_seen || turn.state.seen.contains(key) {
            return;
        }
        turn.state.seen.insert(key, at, &mut turn.effects.forgotten);
    }
    match happening {
        Happening::Received(message) => inbound::received(turn, message),
        Happening::Status(update) => status::status(turn, update),
        Happening::Call(event) => call::call(turn, event),
        Happening::IdentityChanged(change) => identity::learn(turn, &change.now),
        Happening::Preference(change) => consent::by_preference(turn, &change),
        Happening::Command(command) => command::command(turn, command),
        Happening::ContactChanged(ContactChange::Consent(record)) => consent::from_sibling(turn, record),
        Happening::ContactChanged(ContactChange::Blocked { blocked, by }) => {
            block::from_sibling(turn, blocked, by);
        }
    }
}
