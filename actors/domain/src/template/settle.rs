//! What the provider answers about a template, applied to ours.

use protocol::content::ProviderError;
use protocol::directory::{Task, TaskKind, Template, TemplateStatus};
use protocol::time::{SpanMs, TimestampMs};
use protocol::whatsapp::errors::{RetryPolicy, policy};
use protocol::whatsapp::template::{Listed, TemplateAnswer, TemplateCall};

use super::change::name_free_at;
use super::draft;
use crate::limits::{TEMPLATE_EDITS_WITHIN, TEMPLATE_RETRY_MAX};

/// What becomes of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It is kept as it is now.
    Keep,
    /// It goes.
    Remove,
    /// Refused for good, unless the provider's list shows that it happened before: look, then [`adopt`] or
    /// [`refuse`].
    LookUp,
}

/// The call that a task asks for. `None` while the provider's id is not known: it has to be looked up.
#[must_use]
pub fn call(template: &Template) -> Option<TemplateCall> {
    let id = template.provider_id.clone();
    Some(match &template.review.task.as_ref()?.kind {
        TaskKind::Create => TemplateCall::Create(draft(template)),
        TaskKind::Edit(before) => TemplateCall::Edit {
            id: id?,
            draft: draft(template),
            with_category: before.category != template.category,
        },
        TaskKind::Delete(_) => TemplateCall::Delete { id: id?, name: template.name.clone() },
        TaskKind::Unpause => TemplateCall::Unpause { id: id? },
    })
}

/// Applies an answer to the task of a template.
pub fn settle(template: &mut Template, answer: &TemplateAnswer, now: TimestampMs) -> After {
    match answer {
        TemplateAnswer::Created { id, status, category } => {
            // A webhook may have been faster: it knows more than the answer.
            if template.provider_id.as_ref() != Some(id) {
                template.provider_id = Some(id.clone());
                template.status = *status;
                template.category = category.unwrap_or(template.category);
            }
            done(template, now)
        }
        TemplateAnswer::Done => done(template, now),
        TemplateAnswer::NoAnswer { detail } => again(template, detail.clone(), SpanMs::default(), now),
        TemplateAnswer::Refused(error) => match policy(error.code) {
            RetryPolicy::Never | RetryPolicy::OtherChannel => After::LookUp,
            RetryPolicy::Backoff | RetryPolicy::PairBackoff => {
                again(template, text(error), SpanMs::default(), now)
            }
            RetryPolicy::Later(_) | RetryPolicy::UntilFixed => {
                again(template, text(error), TEMPLATE_RETRY_MAX, now)
            }
        },
    }
}

fn done(template: &mut Template, now: TimestampMs) -> After {
    let free_at = name_free_at(template);
    let Some(task) = template.review.task.take() else { return After::Keep };
    match task.kind {
        TaskKind::Edit(before) if before.status == TemplateStatus::Approved => {
            let edits = &mut template.review.edited_at;
            edits.retain(|at| *at + TEMPLATE_EDITS_WITHIN > now);
            edits.push(now);
            After::Keep
        }
        TaskKind::Delete(_) if free_at.is_none() => After::Remove,
        TaskKind::Create | TaskKind::Edit(_) | TaskKind::Delete(_) | TaskKind::Unpause => After::Keep,
    }
}

/// The task is tried again, with growing pauses.
fn again(template: &mut Template, error: String, least: SpanMs, now: TimestampMs) -> After {
    if let Some(task) = &mut template.review.task {
        task.attempts = task.attempts.saturating_add(1);
        let pause = RetryPolicy::Backoff.pause(task.attempts).unwrap_or(TEMPLATE_RETRY_MAX);
        task.not_before = now + pause.min(TEMPLATE_RETRY_MAX).max(least);
        task.error = Some(error);
    }
    After::Keep
}

/// Compares a task with what the provider has; answers whether that settles it.
pub fn adopt(template: &mut Template, found: Option<&Listed>, now: TimestampMs) -> Option<After> {
    let kind = template.review.task.as_ref().map(|task| task.kind.clone())?;
    match (kind, found) {
        (TaskKind::Delete(_), None) => Some(done(template, now)),
        // Deleted or never there: what was to be changed is submitted anew.
        (TaskKind::Edit(_), None) if template.provider_id.is_none() => {
            template.review.task = Some(Task::new(TaskKind::Create));
            Some(After::Keep)
        }
        (TaskKind::Create | TaskKind::Edit(_), Some(listed)) if listed.body == draft(template).body => {
            template.provider_id = Some(listed.id.clone());
            synchronise(template, listed);
            Some(done(template, now))
        }
        (TaskKind::Edit(_) | TaskKind::Delete(_) | TaskKind::Unpause, Some(listed))
            if template.provider_id.is_none() =>
        {
            template.provider_id = Some(listed.id.clone());
            Some(After::Keep)
        }
        _ => None,
    }
}

/// The provider's refusal is final.
pub fn refuse(template: &mut Template, error: &ProviderError) {
    let reason = Some(text(error));
    match template.review.task.take().map(|task| task.kind) {
        Some(TaskKind::Create) => template.status = TemplateStatus::Rejected,
        Some(TaskKind::Edit(before)) => {
            template.body = before.body;
            template.examples = before.examples;
            template.category = before.category;
            template.status = before.status;
        }
        Some(TaskKind::Delete(before)) => {
            template.status = before;
            template.review.deleted_at = None;
        }
        Some(TaskKind::Unpause) | None => {}
    }
    template.reason = reason;
}

/// Takes over what the provider lists; answers whether something changed.
pub fn synchronise(template: &mut Template, listed: &Listed) -> bool {
    let before = template.clone();
    template.provider_id = Some(listed.id.clone());
    template.status = listed.status.unwrap_or(template.status);
    template.category = listed.category.unwrap_or(template.category);
    template.quality = listed.quality.clone().or_else(|| template.quality.take());
    if template.status == TemplateStatus::Rejected {
        template.reason = listed.reason.clone().or_else(|| template.reason.take());
    } else if template.status != before.status {
        template.reason = None;
    }
    if template.review.task.is_none() && draft(template).body != listed.body {
        template.body.clone_from(&listed.body);
        template.examples.clear();
    }
    *template != before
}

fn text(error: &ProviderError) -> String {
    match &error.detail {
        Some(detail) => format!("{}: {} ({detail})", error.code, error.title),
        None => format!("{}: {}", error.code, error.title),
    }
}
