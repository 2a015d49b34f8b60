//! The life of a template: what people do with it, and what the provider says.

mod change;
mod settle;

use std::collections::BTreeMap;

use protocol::content::Category;
use protocol::directory::{RecordType, Review, Template, TemplateKind, TemplateStatus};
use protocol::id::{TemplateId, TenantId, WabaId};
use protocol::time::{SpanMs, TimestampMs};

const NOW: TimestampMs = TimestampMs(1_794_398_400_000);

/// A template that was just made; each test says what it changes.
pub(super) fn sample(body: &str) -> Template {
    Template {
        id: TemplateId(1),
        tenant: TenantId(1),
        name: "invite".into(),
        kind: TemplateKind::Approved,
        language: "it".into(),
        category: Category::Utility,
        record_type: RecordType::Candidate,
        body: body.into(),
        status: TemplateStatus::Pending,
        reason: None,
        quality: None,
        provider_id: None,
        examples: Vec::new(),
        merge: BTreeMap::new(),
        review: Review::default(),
    }
}

/// One that the provider knows.
fn template(status: TemplateStatus) -> Template {
    let review = Review { account: Some(WabaId::new("77")), ..Review::default() };
    Template { status, provider_id: Some("42".into()), review, ..sample("Ciao {{1}}.") }
}

fn reworded(before: &Template) -> Template {
    Template { body: "Salve {{1}}.".into(), ..before.clone() }
}

fn hours(count: i64) -> SpanMs {
    SpanMs::hours(count)
}
