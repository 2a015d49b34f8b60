//! Which facts go to the audit, and what it keeps of them: who decided, not what was written.

use protocol::command::Party;
use protocol::fact::{Event, Fact};
use protocol::id::TenantId;
use serde_json::{Value, json};

use super::super::AuditEntry;

/// The audit line of an event, if it is something that somebody decided.
pub(super) fn line(tenant: TenantId, event: &Event) -> Option<AuditEntry> {
    let (by, detail) = decision(&event.fact)?;
    Some(AuditEntry {
        tenant,
        at: event.at,
        by,
        action: event.fact.name().into(),
        conversation: event.conversation,
        subject: None,
        detail,
    })
}

fn decision(fact: &Fact) -> Option<(Party, Value)> {
    Some(match fact {
        Fact::ModeChanged { mode, by } => (*by, json!({ "mode": mode })),
        Fact::OwnerChanged { owner, by } => (*by, json!({ "owner": owner })),
        Fact::VacancyChanged { vacancy, by } => (*by, json!({ "vacancy": vacancy })),
        Fact::BlockChanged { blocked, by } => (*by, json!({ "blocked": blocked })),
        Fact::LeftChanged { left, by } => (*by, json!({ "left": left })),
        Fact::PauseChanged { paused, by } => (*by, json!({ "paused": paused })),
        Fact::ConsentChanged { channel, record } | Fact::ConsentRecorded { channel, record, .. } => (
            record.by,
            json!({ "channel": channel, "consent": record.consent, "source": record.source, "text": record.text }),
        ),
        Fact::CommandRefused { by, action, refusal } => {
            (*by, json!({ "action": action, "code": refusal.code() }))
        }
        Fact::FollowChanged { user, following, by } => (*by, json!({ "user": user, "following": following })),
        Fact::ContactErased { channel, contact_id, by, .. } => {
            (*by, json!({ "channel": channel, "contact": contact_id }))
        }
        Fact::DeadLettered { reason } => (Party::Gateway, json!({ "reason": reason })),
        _ => return None,
    })
}
