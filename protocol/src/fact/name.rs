//! What facts are called in the feed.

use super::Fact;

impl Fact {
    /// The names of all events, in the order of [`Self::name`].
    pub const NAMES: &[&str] = &[
        "conversation.started",
        "contact.identified",
        "message.received",
        "message.queued",
        "message.attempt_failed",
        "message.status_changed",
        "message.status_unmatched",
        "command.refused",
        "window.closing_soon",
        "window.closed",
        "conversation.mode_changed",
        "flow.started",
        "flow.asked",
        "flow.answered",
        "flow.reminded",
        "flow.completed",
        "flow.abandoned",
        "contact.consent_changed",
        "contact.block_changed",
        "conversation.left_changed",
        "conversation.owner_changed",
        "conversation.vacancy_changed",
        "conversation.read",
        "conversation.pause_changed",
        "call",
        "notification.due",
        "account.notice",
        "dead_letter",
    ];

    /// Name of the event in the feed, in webhooks and in metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ConversationStarted { .. } => "conversation.started",
            Self::ContactIdentified(_) => "contact.identified",
            Self::MessageReceived { .. } => "message.received",
            Self::MessageQueued { .. } => "message.queued",
            Self::AttemptFailed { .. } => "message.attempt_failed",
            Self::StatusChanged { .. } => "message.status_changed",
            Self::StatusUnmatched { .. } => "message.status_unmatched",
            Self::CommandRefused { .. } => "command.refused",
            Self::WindowClosingSoon { .. } => "window.closing_soon",
            Self::WindowClosed { .. } => "window.closed",
            Self::ModeChanged { .. } => "conversation.mode_changed",
            Self::FlowStarted { .. } => "flow.started",
            Self::FlowAsked { .. } => "flow.asked",
            Self::FlowAnswered { .. } => "flow.answered",
            Self::FlowReminded { .. } => "flow.reminded",
            Self::FlowCompleted { .. } => "flow.completed",
            Self::FlowAbandoned { .. } => "flow.abandoned",
            Self::ConsentChanged { .. } | Self::ConsentRecorded { .. } => "contact.consent_changed",
            Self::BlockChanged { .. } => "contact.block_changed",
            Self::LeftChanged { .. } => "conversation.left_changed",
            Self::OwnerChanged { .. } => "conversation.owner_changed",
            Self::VacancyChanged { .. } => "conversation.vacancy_changed",
            Self::ConversationRead { .. } => "conversation.read",
            Self::PauseChanged { .. } => "conversation.pause_changed",
            Self::Call(_) => "call",
            Self::Notify { .. } => "notification.due",
            Self::Account(_) => "account.notice",
            Self::DeadLettered { .. } => "dead_letter",
        }
    }
}
