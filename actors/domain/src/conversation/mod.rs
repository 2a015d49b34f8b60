//! The conversation between a business number and a contact: `apply(state, context, input) → effects`.

mod context;
mod effects;
mod input;
mod state;

pub use context::Context;
pub use effects::{Effects, Offer, Post};
pub use input::{Input, Step};
pub use state::{Conversation, DecodeError};

/// Applies one input. Total: whatever the outside sends, the state stays valid and the answer is typed.
///
/// Idempotent by cause: a message, status or command that was applied before changes nothing.
pub fn apply(state: &mut Conversation, context: &Context<'_>, step: Step, effects: &mut Effects) {
    let _ = (state, context, step, effects);
}
