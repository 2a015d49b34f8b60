//! The life of a template: what people do with it, and what the provider says.

mod change;
mod settle;

use std::collections::BTreeMap;

use protocol::content::Category;
use protocol::directory::{RecordType, Review, Template, TemplateKind, TemplateStatus};
use protocol::id::{TemplateId, TenantId, WabaId};
use protocol::time::{SpanMs, TimestampMs};

const NOW: TimestampMs = TimestampMs(1_794_398_400_000);

fn template(status: TemplateStatus) -> Template {
    Template {
        id: TemplateId(1),
        tenant: TenantId(1),
        name: "invite".into(),
        kind: TemplateKind::Approved,
        language: "it".into(),
        category: Category::Utility,
        record_type: RecordType::Candidate,
        body: "Ciao {{1}}.".into(),
        status,
        reason: None,
        quality: None,
        provider_id: Some("42".into()),
        examples: Vec::new(),
        merge: BTreeMap::new(),
        review: Review { account: Some(WabaId::new("77")), ..Review::default() },
    }
}

fn reworded(before: &Template) -> Template {
    Template { body: "Salve {{1}}.".into(), ..before.clone() }
}

fn hours(count: i64) -> SpanMs {
    SpanMs::hours(count)
}
