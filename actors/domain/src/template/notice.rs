//! What the provider says about a template, applied to ours.

use protocol::directory::{Template, TemplateKind};
use protocol::entry::Notice;
use protocol::id::WabaId;
use protocol::whatsapp::template::{category, status};

/// Applies a notice of an account about this template; answers whether something changed. Applying it again changes
/// nothing. An account that does not hold the template has no say.
pub fn apply_notice(template: &mut Template, account: &WabaId, notice: &Notice) -> bool {
    let holder = template.review.account.as_ref();
    if template.kind != TemplateKind::Approved
        || !template.is_there()
        || holder.is_some_and(|waba| waba != account)
    {
        return false;
    }
    let before = template.clone();
    match notice {
        Notice::TemplateStatus { template_id, event, reason, .. } => {
            if !template_id.is_empty() {
                template.provider_id = Some(template_id.clone());
                template.review.account = Some(account.clone());
            }
            if let Some(status) = status(event) {
                template.status = status;
            }
            template.reason = reason.clone().filter(|reason| reason != "NONE");
        }
        Notice::TemplateQuality { score, .. } => template.quality = Some(score.clone()),
        Notice::TemplateCategory { category, .. } => {
            template.category = self::category(category).unwrap_or(template.category);
        }
        // What waits to be submitted is newer than what the provider speaks of.
        Notice::TemplateComponents { body, .. } if template.review.task.is_none() => {
            template.body.clone_from(body);
        }
        Notice::TemplateComponents { .. } => {}
        Notice::Other { .. } | Notice::Unknown { .. } => {}
    }
    *template != before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::tests::sample;
    use protocol::content::Category;
    use protocol::directory::TemplateStatus;

    fn template() -> Template {
        sample("Ciao.")
    }

    fn waba() -> WabaId {
        WabaId::new("77")
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
            apply_notice(&mut template, &waba(), &told(event, None));
            assert_eq!(template.status, expected, "{event}");
            assert!(!apply_notice(&mut template, &waba(), &told(event, None)), "again changes nothing");
        }
        assert_eq!(template.provider_id.as_deref(), Some("42"));
    }

    #[test]
    fn d13_reasons_quality_and_category_are_kept() {
        let mut template = template();
        assert!(apply_notice(&mut template, &waba(), &told("REJECTED", Some("INVALID_FORMAT"))));
        assert_eq!(template.reason.as_deref(), Some("INVALID_FORMAT"));
        assert!(apply_notice(&mut template, &waba(), &told("APPROVED", Some("NONE"))));
        assert_eq!(template.reason, None);
        let (name, language) = ("invite".into(), "it".into());
        let quality = Notice::TemplateQuality { name, language, score: "RED".into() };
        assert!(apply_notice(&mut template, &waba(), &quality));
        assert_eq!(template.quality.as_deref(), Some("RED"));
        let category = |category: &str| Notice::TemplateCategory {
            name: "invite".into(),
            language: "it".into(),
            category: category.into(),
        };
        assert!(apply_notice(&mut template, &waba(), &category("MARKETING")));
        assert_eq!(template.category, Category::Marketing);
        assert!(!apply_notice(&mut template, &waba(), &category("surprise")));
    }

    #[test]
    fn d13_another_account_has_no_say_and_a_new_wording_is_kept() {
        let mut template = template();
        assert!(apply_notice(&mut template, &waba(), &told("APPROVED", None)));
        assert!(!apply_notice(&mut template, &WabaId::new("78"), &told("REJECTED", None)));
        let (name, language) = ("invite".into(), "it".into());
        let notice = Notice::TemplateComponents { name, language, body: "Salve.".into() };
        assert!(apply_notice(&mut template, &waba(), &notice));
        assert_eq!(template.body, "Salve.");
    }

    #[test]
    fn custom_templates_are_not_the_providers_business() {
        let mut template = Template { kind: TemplateKind::Custom, ..template() };
        assert!(!apply_notice(&mut template, &waba(), &told("REJECTED", None)));
    }
}
