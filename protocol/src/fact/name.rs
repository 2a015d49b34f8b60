//! What facts are called in the feed.

use super::Fact;

macro_rules! names {
    ($($fact:pat => $name:literal,)+) => {
        impl Fact {
            /// The names of all events.
            pub const NAMES: &[&str] = &[$($name),+];

            /// Name of the event in the feed, in webhooks and in metrics.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $($fact => $name,)+
                }
            }
        }
    };
}

names! {
    Fact::ConversationStarted { .. } => "conversation.started",
    Fact::ContactIdentified(_) => "contact.identified",
    Fact::MessageReceived { .. } => "message.received",
    Fact::MessageQueued { .. } => "message.queued",
    Fact::ApprovalAwaited { .. } => "message.awaiting_approval",
    Fact::AttemptFailed { .. } => "message.attempt_failed",
    Fact::StatusChanged { .. } => "message.status_changed",
    Fact::StatusUnmatched { .. } => "message.status_unmatched",
    Fact::CommandRefused { .. } => "command.refused",
    Fact::WindowClosingSoon { .. } => "window.closing_soon",
    Fact::WindowClosed { .. } => "window.closed",
    Fact::ModeChanged { .. } => "conversation.mode_changed",
    Fact::FlowStarted { .. } => "flow.started",
    Fact::FlowAsked { .. } => "flow.asked",
    Fact::FlowAnswered { .. } => "flow.answered",
    Fact::FlowReminded { .. } => "flow.reminded",
    Fact::FlowCompleted { .. } => "flow.completed",
    Fact::FlowAbandoned { .. } => "flow.abandoned",
    Fact::ConsentChanged { .. } | Fact::ConsentRecorded { .. } => "contact.consent_changed",
    Fact::FollowChanged { .. } => "conversation.follow_changed",
    Fact::ContactErased { .. } => "contact.erased",
    Fact::BlockChanged { .. } => "contact.block_changed",
    Fact::LeftChanged { .. } => "conversation.left_changed",
    Fact::OwnerChanged { .. } => "conversation.owner_changed",
    Fact::VacancyChanged { .. } => "conversation.vacancy_changed",
    Fact::ConversationRead { .. } => "conversation.read",
    Fact::PauseChanged { .. } => "conversation.pause_changed",
    Fact::Call(_) => "call",
    Fact::Notify { .. } => "notification.due",
    Fact::Account(_) => "account.notice",
    Fact::DeadLettered { .. } => "dead_letter",
    Fact::CreditsLow { .. } => "credits.low",
    Fact::RechargeAsked { .. } => "credits.recharge_asked",
    Fact::RechargeHeldBack { .. } => "credits.recharge_held_back",
    Fact::RechargeEnded { .. } => "credits.recharge_ended",
}
