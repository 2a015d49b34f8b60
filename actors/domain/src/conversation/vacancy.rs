//! The vacancy that a conversation is about. Chats without one carry that mark in lists.

use protocol::command::{Party, Vacancy};
use protocol::fact::Fact;

use super::turn::Turn;

/// Attaches a vacancy, or detaches it.
pub(super) fn set(turn: &mut Turn<'_>, vacancy: Option<Vacancy>, by: Party) {
    if turn.state.vacancy.as_deref() != vacancy.as_ref() {
        turn.state.vacancy = vacancy.clone().map(Box::new);
        turn.fact(Fact::VacancyChanged { vacancy, by });
    }
}
