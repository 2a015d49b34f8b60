//! What people may do with a template, and what the provider has to be told then.

use protocol::directory::{Task, TaskKind, Template, TemplateKind, TemplateStatus, Wording};
use protocol::id::WabaId;
use protocol::time::TimestampMs;

use super::rules::{Problem, check_change, push};
use crate::limits::{TEMPLATE_EDIT_EVERY, TEMPLATE_EDITS, TEMPLATE_EDITS_WITHIN, TEMPLATE_NAME_BLOCKED};

/// What a deletion comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// Nobody else knows of it: the document goes.
    Now,
    /// The provider has to be told first; people do not see it any more.
    AfterTask(Box<Template>),
}

/// Has a new template submitted to an account.
pub fn submit(template: &mut Template, account: WabaId) {
    template.status = TemplateStatus::Pending;
    template.review.account = Some(account);
    template.review.task = Some(Task::new(TaskKind::Create));
}

/// A template after a change, which the provider reviews if it holds the template.
///
/// # Errors
/// Everything that is wrong with the change.
pub fn edit(before: &Template, wanted: Template, now: TimestampMs) -> Result<Template, Vec<Problem>> {
    let mut problems = check_change(before, &wanted);
    let same = wording(before) == wording(&wanted);
    if before.kind == TemplateKind::Approved && !same {
        editable(before, &wanted, now, &mut problems);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut after = wanted;
    if after.kind == TemplateKind::Custom || same {
        return Ok(after);
    }
    let is_new = before.provider_id.is_none() && before.status != TemplateStatus::Approved;
    let kind = if is_new { TaskKind::Create } else { TaskKind::Edit(Box::new(whole_wording(before))) };
    (after.status, after.reason) = (TemplateStatus::Pending, None);
    after.review.task = Some(Task::new(kind));
    Ok(after)
}

fn wording(template: &Template) -> (&str, &[String], protocol::content::Category) {
    (&template.body, &template.examples, template.category)
}

fn whole_wording(template: &Template) -> Wording {
    Wording {
        body: template.body.clone(),
        examples: template.examples.clone(),
        category: template.category,
        status: template.status,
        reason: template.reason.clone(),
    }
}

/// The provider's rules of changing a template that it holds.
fn editable(before: &Template, wanted: &Template, now: TimestampMs, problems: &mut Vec<Problem>) {
    match (&before.review.task, before.status) {
        (Some(Task { kind: TaskKind::Create, .. }), _) => {}
        (Some(_), _) => {
            push(problems, "/body", "an earlier change is on its way to the provider; wait for it");
        }
        (None, TemplateStatus::Rejected | TemplateStatus::Paused) => {}
        (None, TemplateStatus::Approved) => {
            if before.category != wanted.category {
                push(
                    problems,
                    "/category",
                    "of an approved template cannot be changed; create another template",
                );
            }
            if let Some(at) = editable_at(before, now) {
                let detail = format!(
                    "an approved template may be changed once in 24 hours and {TEMPLATE_EDITS} times in 30 days; again from {at}"
                );
                push(problems, "/body", detail);
            }
        }
        (None, TemplateStatus::Pending | TemplateStatus::Disabled | TemplateStatus::Deleted) => {
            let detail = "can be changed while the template is approved, rejected or paused; create another one or wait";
            push(problems, "/body", detail);
        }
    }
}

/// When an approved template may be changed again; `None` means now.
fn editable_at(template: &Template, now: TimestampMs) -> Option<TimestampMs> {
    let edits = &template.review.edited_at;
    let last = edits.last().map(|at| *at + TEMPLATE_EDIT_EVERY);
    let tenth = edits.iter().rev().nth(TEMPLATE_EDITS - 1).map(|at| *at + TEMPLATE_EDITS_WITHIN);
    last.max(tenth).filter(|at| *at > now)
}

/// Removes a template.
///
/// # Errors
/// When the provider does not delete such a template.
pub fn delete(before: &Template, now: TimestampMs) -> Result<Deletion, Problem> {
    if before.kind == TemplateKind::Custom {
        return Ok(Deletion::Now);
    }
    if before.status == TemplateStatus::Disabled {
        let detail = "the provider does not delete templates that it switched off".to_owned();
        return Err(Problem { pointer: "/status", detail });
    }
    let mut after = before.clone();
    after.review.deleted_at = Some(now);
    after.review.task = Some(Task::new(TaskKind::Delete(before.status)));
    after.status = TemplateStatus::Deleted;
    Ok(Deletion::AfterTask(Box::new(after)))
}

/// Has a paused template go on.
///
/// # Errors
/// When it is not paused.
pub fn unpause(before: &Template) -> Result<Template, Problem> {
    let at_rest = before.review.task.as_ref().is_none_or(|task| task.kind == TaskKind::Unpause);
    if before.status != TemplateStatus::Paused || before.provider_id.is_none() || !at_rest {
        let detail = "only a template that the provider has paused can go on".to_owned();
        return Err(Problem { pointer: "/status", detail });
    }
    let mut after = before.clone();
    after.review.task = Some(Task::new(TaskKind::Unpause));
    Ok(after)
}

/// When the name of a deleted template is free again, once the provider has deleted it; `None` means then.
#[must_use]
pub fn name_free_at(template: &Template) -> Option<TimestampMs> {
    let was_approved = |status| matches!(status, TemplateStatus::Approved | TemplateStatus::Paused);
    let at = template.review.deleted_at?;
    let blocked = match &template.review.task {
        Some(Task { kind: TaskKind::Delete(before), .. }) => was_approved(*before),
        // The task is done, and the document was kept for this reason only.
        _ => true,
    };
    blocked.then(|| at + TEMPLATE_NAME_BLOCKED)
}
