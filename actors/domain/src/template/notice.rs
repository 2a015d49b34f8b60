//! What the provider says about a template, applied to ours.

use protocol::content::Category;
use protocol::directory::{Template, TemplateKind, TemplateStatus};
use protocol::entry::Notice;

/// Applies a notice about this template; answers whether something changed. Applying it again changes nothing.
pub fn apply_notice(template: &mut Template, notice: &Notice) -> bool {
    if template.kind != TemplateKind::Approved {
        return false;
    }
    let before = template.clone();
    match notice {
        Notice::TemplateStatus { template_id, event, reason, .. } => {
            template.provider_id = Some(template_id.clone());
            if let Some(status) = status(event) {
                template.status = status;
            }
            template.reason = reason.clone().filter(|reason| reason != "NONE");
        }
        Notice::TemplateQuality { score, .. } => template.quality = Some(score.clone()),
        Notice::TemplateCategory { category, .. } => {
            template.category = self::category(category).unwrap_or(template.category);
        }
        Notice::Other { .. } | Notice::Unknown { .. } => {}
    }
    *template != before
}

/// Our status for the provider's event; `None` for events that leave a template as usable as it was (`FLAGGED`).
fn status(event: &str) -> Option<TemplateStatus> {
    Some(match event {
        "APPROVED" | "REINSTATED" | "UNARCHIVED" => TemplateStatus::Approved,
        "PENDING" | "IN_APPEAL" => TemplateStatus::Pending,
        "REJECTED" => TemplateStatus::Rejected,
        "PAUSED" => TemplateStatus::Paused,
        "DISABLED" | "LOCKED" | "ARCHIVED" | "LIMIT_EXCEEDED" => TemplateStatus::Disabled,
        "DELETED" | "PENDING_DELETION" => TemplateStatus::Deleted,
        _ => return None,
    })
}

fn category(name: &str) -> Option<Category> {
    [Category::Marketing, Category::Utility, Category::Authentication]
        .into_iter()
        .find(|category| category.name().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::directory::RecordType;
    use protocol::id::{TemplateId, TenantId};

    fn template() -> Template {
        Template {
            id: TemplateId(1),
            tenant: TenantId(1),
            name: "invite".into(),
            kind: TemplateKind::Approved,
            language: "it".into(),
            category: Category::Utility,
            record_type: RecordType::Candidate,
            body: "Ciao.".into(),
            status: TemplateStatus::Pending,
            reason: None,
            quality: None,
            provider_id: None,
        }
    }

    fn told(event: &str, reason: Option<&str>) -> Notice {
        Notice::TemplateStatus {
            template_id: "42".into(),
            name: "invite".into(),
            language: "it".into(),
            event: event.into(),
            reason: reason.map(str::to_owned),
        }
    }

    #[test]
    fn d13_the_status_follows_the_provider() {
        let table = [
            ("APPROVED", TemplateStatus::Approved),
            ("REJECTED", TemplateStatus::Rejected),
            ("PAUSED", TemplateStatus::Paused),
            ("DISABLED", TemplateStatus::Disabled),
            ("REINSTATED", TemplateStatus::Approved),
            ("PENDING_DELETION", TemplateStatus::Deleted),
            ("FLAGGED", TemplateStatus::Deleted),
            ("SOMETHING_NEW", TemplateStatus::Deleted),
        ];
        let mut template = template();
        for (event, expected) in table {
            apply_notice(&mut template, &told(event, None));
            assert_eq!(template.status, expected, "{event}");
            assert!(!apply_notice(&mut template, &told(event, None)), "again changes nothing");
        }
        assert_eq!(template.provider_id.as_deref(), Some("42"));
    }

    #[test]
    fn d13_reasons_quality_and_category_are_kept() {
        let mut template = template();
        assert!(apply_notice(&mut template, &told("REJECTED", Some("INVALID_FORMAT"))));
        assert_eq!(template.reason.as_deref(), Some("INVALID_FORMAT"));
        assert!(apply_notice(&mut template, &told("APPROVED", Some("NONE"))));
        assert_eq!(template.reason, None);
        let (name, language) = ("invite".into(), "it".into());
        let quality = Notice::TemplateQuality { name, language, score: "RED".into() };
        assert!(apply_notice(&mut template, &quality));
        assert_eq!(template.quality.as_deref(), Some("RED"));
        let category = |category: &str| Notice::TemplateCategory {
            name: "invite".into(),
            language: "it".into(),
            category: category.into(),
        };
        assert!(apply_notice(&mut template, &category("MARKETING")));
        assert_eq!(template.category, Category::Marketing);
        assert!(!apply_notice(&mut template, &category("surprise")));
    }

    #[test]
    fn custom_templates_are_not_the_providers_business() {
        let mut template = Template { kind: TemplateKind::Custom, ..template() };
        assert!(!apply_notice(&mut template, &told("REJECTED", None)));
    }
}
