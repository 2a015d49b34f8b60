//! Templates: which values a body wants, filling them in, and the rules that a new template has to keep.

mod body;
mod change;
mod draft;
pub mod merge;
mod notice;
mod rules;
mod schedule;
mod settle;
#[cfg(test)]
mod tests;
mod wording;

pub use body::{Body, FillError, Filled};
pub use change::{Deletion, delete, edit, name_free_at, submit, unpause};
pub use draft::draft;
pub use notice::apply_notice;
pub use rules::{Problem, check, check_change, is_language};
pub use schedule::next_comparison;
pub use settle::{After, adopt, call, refuse, settle, synchronise};
pub use wording::{Match, holds, of_listed, of_message, same_wording};

use compact_str::CompactString;
use protocol::command::TemplateHint;
use protocol::content::Parameter;
use protocol::directory::{Template, TemplateKind};

use crate::limits::{CUSTOM_BODY_CHARS, TEMPLATE_BODY_CHARS};

/// Checks values against a template and fills them in.
///
/// # Errors
/// Says which values the template wants, or which one is not acceptable.
pub fn fill(template: &Template, given: &[Parameter]) -> Result<Filled, FillError> {
    let filled = Body::parse(&template.body).fill(given)?;
    let limit = match template.kind {
        TemplateKind::Approved => {
            let broken = given.iter().position(|value| !rules::is_one_line(&value.text));
            if let Some(index) = broken {
                return Err(FillError::Broken { index });
            }
            TEMPLATE_BODY_CHARS
        }
        TemplateKind::Custom => CUSTOM_BODY_CHARS,
    };
    let chars = filled.rendered.chars().count();
    if chars > limit { Err(FillError::TooLong { chars, limit }) } else { Ok(filled) }
}

/// What a person needs to know in order to send a template.
#[must_use]
pub fn hint(template: &Template) -> TemplateHint {
    TemplateHint {
        name: template.name.clone(),
        language: template.language.clone(),
        parameters: expected(template),
    }
}

/// The values that a template wants: `1`, `2` … or names, each once, in order of appearance.
#[must_use]
pub fn expected(template: &Template) -> Vec<CompactString> {
    Body::parse(&template.body).expected()
}
