//! Who did what, when.

use async_trait::async_trait;
use compact_str::CompactString;
use protocol::command::Party;
use protocol::id::{ConversationId, TenantId};
use protocol::time::TimestampMs;
use serde_json::Value;

use super::{Page, PageRequest, RecordsResult};

/// One line of the audit.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Whose.
    pub tenant: TenantId,
    /// When.
    pub at: TimestampMs,
    /// Who.
    pub by: Party,
    /// What, such as `conversation.mode_changed` or `template.put`.
    pub action: CompactString,
    /// Where, if in a conversation.
    pub conversation: Option<ConversationId>,
    /// What it concerns outside of conversations: kind and id of a document.
    pub subject: Option<CompactString>,
    /// Particulars; never secrets.
    pub detail: Value,
}

/// Which lines are wanted, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only this action, or those that begin with it when it ends in `.`.
    pub action: Option<CompactString>,
    /// Only by this party.
    pub by: Option<Party>,
    /// Only in this conversation.
    pub conversation: Option<ConversationId>,
    /// Only about this subject, or those that begin with it when it ends in `/`.
    pub subject: Option<CompactString>,
    /// At or after.
    pub from: Option<TimestampMs>,
    /// Before.
    pub to: Option<TimestampMs>,
}

/// The audit report.
#[async_trait]
pub trait Audit: Send + Sync + 'static {
    /// Lines of a tenant, newest first.
    async fn audit(
        &self,
        tenant: TenantId,
        query: AuditQuery,
        page: PageRequest,
    ) -> RecordsResult<Page<AuditEntry>>;
}
