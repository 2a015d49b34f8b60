//! Templates: found by name and exact language, checked and filled in before anything is sent.

use compact_str::CompactString;
use protocol::command::{MAX_TEMPLATE_HINTS, Refusal};
use protocol::content::{Category, Content, Parameter, TemplateContent};
use protocol::directory::{Template, TemplateKind, TemplateStatus};

use crate::conversation::turn::Turn;
use crate::directory::TenantDirectory;
use crate::template;

/// The content of a template: approved ones go out as such, custom ones are ready-made free-form text.
pub(super) fn fill(
    tenant: &TenantDirectory,
    name: &CompactString,
    language: &CompactString,
    parameters: &[Parameter],
) -> Result<Content, Refusal> {
    let found = find(tenant, name, language)?;
    if found.status != TemplateStatus::Approved && found.kind == TemplateKind::Approved {
        return Err(Refusal::TemplateNotApproved { status: found.status.name().into() });
    }
    let filled = template::fill(found, parameters)?;
    Ok(match found.kind {
        TemplateKind::Custom => Content::Text { body: filled.rendered },
        TemplateKind::Approved => Content::Template(TemplateContent {
            name: found.name.clone(),
            language: found.language.clone(),
            category: found.category,
            parameters: filled.parameters,
            rendered: filled.rendered,
        }),
    })
}

fn find<'a>(tenant: &'a TenantDirectory, name: &str, language: &str) -> Result<&'a Template, Refusal> {
    let languages = tenant.templates.get(name);
    let found = languages.and_then(|languages| languages.get(language));
    found.filter(|found| found.is_there()).ok_or_else(|| Refusal::TemplateNotFound {
        languages: languages.map(|languages| languages.keys().cloned().collect()).unwrap_or_default(),
    })
}

/// Free-form is not possible now: since when, and what is.
pub(super) fn window_closed(turn: &Turn<'_>) -> Refusal {
    let tenant = turn.context.tenant;
    let language = &tenant.tenant.language;
    let usable = |template: &&Template| {
        template.kind == TemplateKind::Approved
            && template.status == TemplateStatus::Approved
            && template.category != Category::Authentication
            && template::holds(template, turn.context.number.waba_id.as_ref())
    };
    let mut templates: Vec<&Template> =
        tenant.templates.values().flat_map(|languages| languages.values()).filter(usable).collect();
    // Those that the contact most likely reads come first, should there be more than fit.
    templates.sort_by_key(|template| template.language != *language);
    Refusal::WindowClosed {
        since: turn.state.window.as_ref().map(|window| window.expires_at),
        templates: templates.into_iter().take(MAX_TEMPLATE_HINTS).map(template::hint).collect(),
    }
}
