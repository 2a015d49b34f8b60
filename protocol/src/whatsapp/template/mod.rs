//! Templates at the provider: calls that submit, change, delete and list them (facts: Cloud API, message templates).

mod answer;
mod call;
mod list;

pub use answer::TemplateAnswer;
pub use call::{Draft, Method, Request, TemplateCall};
pub use list::{Listed, Listing, list_request};

use compact_str::CompactString;

use crate::content::Category;
use crate::directory::TemplateStatus;

/// Our status for the provider's; `None` for one that leaves a template as usable as it was (`FLAGGED`).
#[must_use]
pub fn status(name: &str) -> Option<TemplateStatus> {
    Some(match name {
        "APPROVED" | "REINSTATED" | "UNARCHIVED" => TemplateStatus::Approved,
        "PENDING" | "IN_APPEAL" => TemplateStatus::Pending,
        "REJECTED" => TemplateStatus::Rejected,
        "PAUSED" => TemplateStatus::Paused,
        "DISABLED" | "LOCKED" | "ARCHIVED" | "LIMIT_EXCEEDED" => TemplateStatus::Disabled,
        "DELETED" | "PENDING_DELETION" => TemplateStatus::Deleted,
        _ => return None,
    })
}

/// Our category for the provider's.
#[must_use]
pub fn category(name: &str) -> Option<Category> {
    [Category::Marketing, Category::Utility, Category::Authentication]
        .into_iter()
        .find(|category| category.name().eq_ignore_ascii_case(name))
}

/// Webhooks write `en-US` where calls write `en_US`.
#[must_use]
pub fn language(code: &str) -> CompactString {
    code.replace('-', "_").into()
}
