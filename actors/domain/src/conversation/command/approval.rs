//! Free-form text to a contact that was silent for too long: it becomes a template.

use protocol::command::{ApprovalWish, Party, Refusal};
use protocol::content::{Category, Content, TemplateContent};
use protocol::directory::{Template, TemplateStatus};
use protocol::id::ProviderId;
use protocol::time::SpanMs;
use protocol::whatsapp::limits::validate;

use super::{Done, send, template as known};
use crate::conversation::outbound::{self, NewMessage};
use crate::conversation::turn::Turn;
use crate::limits::{APPROVAL_WITHIN_MAX, TEMPLATE_BODY_CHARS};
use crate::template;

/// Sends a text as it is while the window is open; else as an approved template with the same wording; else it waits
/// until the provider has approved a template that is made of it.
pub(super) fn send_or_submit(
    turn: &mut Turn<'_>,
    (body, reply_to): (String, Option<ProviderId>),
    wish: &ApprovalWish,
    by: Party,
) -> Result<Done, Refusal> {
    send::possible(turn)?;
    let text = Content::Text { body };
    validate(&text)?;
    send::consented(turn, by, &text)?;
    let new = |content, reply_to| NewMessage { by, content, reply_to, confirms_opt_out: false };
    if turn.state.window_open(turn.now()) {
        return send::accept(turn, by, |turn| outbound::enqueue(turn, new(text, reply_to))).map(Done::Queued);
    }
    let Content::Text { body } = &text else { return Err(known::window_closed(turn)) };
    fits_template(body)?;
    if let Some(template) = same(turn, body)? {
        // The wording is the template's: an answer to a message cannot be one of its parts.
        let message = new(Content::Template(template), None);
        return send::accept(turn, by, |turn| outbound::enqueue(turn, message)).map(Done::Queued);
    }
    let submitted = submittable(turn, body, wish)?;
    let expires_at = turn.now() + SpanMs(wish.within_ms.clamp(0, APPROVAL_WITHIN_MAX.0));
    let held = |turn: &mut Turn<'_>| outbound::hold(turn, new(text, reply_to), &submitted, expires_at);
    send::accept(turn, by, held).map(Done::AwaitingApproval)
}

/// What is too long is refused with its values as well as without any.
fn fits_template(text: &str) -> Result<(), Refusal> {
    let chars = text.trim().chars().count();
    if chars <= TEMPLATE_BODY_CHARS {
        return Ok(());
    }
    let detail = format!(
        "has {chars} characters; the contact was silent for over 24 hours, so it has to become a template, which has at \
         most {TEMPLATE_BODY_CHARS}: shorten it"
    );
    Err(invalid("/text/body", detail))
}

/// An approved template that says the same.
fn same(turn: &Turn<'_>, text: &str) -> Result<Option<TemplateContent>, Refusal> {
    let context = turn.context;
    let found = template::same_wording(context.tenant, context.number.waba_id.as_ref(), text);
    let Some((found, values)) = found else { return Ok(None) };
    let filled = template::fill(found, &values)?;
    Ok(Some(TemplateContent {
        name: found.name.clone(),
        language: found.language.clone(),
        category: found.category,
        parameters: filled.parameters,
        rendered: filled.rendered,
    }))
}

/// The template that would be submitted, if the provider may take it.
fn submittable(turn: &Turn<'_>, text: &str, wish: &ApprovalWish) -> Result<Template, Refusal> {
    let tenant = turn.context.tenant;
    if !matches!(wish.category, Category::Marketing | Category::Utility) {
        return Err(invalid("/approval/category", "must be `marketing` or `utility`"));
    }
    let account = turn.context.number.waba_id.clone();
    if account.is_none() {
        return Err(invalid(
            "/approval",
            "the number belongs to no WhatsApp business account; send a template",
        ));
    }
    let language = wish.language.as_ref().unwrap_or(&tenant.tenant.language);
    let made = template::of_message(tenant.tenant.id, (text, language, wish.category), account);
    if !template::expected(&made).is_empty() {
        return Err(invalid("/text/body", "has `{{…}}`; a message that is submitted says what it says"));
    }
    if let Some(problem) = template::check(&made).into_iter().next() {
        let pointer = if problem.pointer == "/language" { "/approval/language" } else { "/text/body" };
        return Err(invalid(pointer, problem.detail));
    }
    let all = || tenant.templates.values().flat_map(|languages| languages.values());
    match all().find(|known| known.id == made.id) {
        Some(known) => still_possible(known)?,
        None => {
            let (there, limit) =
                (all().filter(|known| known.is_there()).count(), tenant.tenant.settings.max_templates);
            if there >= limit {
                let detail = format!("the tenant has {there} templates, {limit} are allowed; delete one");
                return Err(invalid("/approval", detail));
            }
        }
    }
    Ok(made)
}

/// The same text was submitted before.
fn still_possible(known: &Template) -> Result<(), Refusal> {
    match known.status {
        TemplateStatus::Pending | TemplateStatus::Approved | TemplateStatus::Paused => Ok(()),
        TemplateStatus::Rejected => {
            let reason = known.reason.as_deref().unwrap_or("it gave no reason");
            Err(invalid("/text/body", format!("the provider refused this wording ({reason}); change it")))
        }
        TemplateStatus::Disabled | TemplateStatus::Deleted => {
            Err(Refusal::TemplateNotApproved { status: known.status.name().into() })
        }
    }
}

fn invalid(pointer: &'static str, detail: impl Into<String>) -> Refusal {
    Refusal::InvalidContent { pointer: pointer.into(), detail: detail.into() }
}
