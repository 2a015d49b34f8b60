//! Messages whose wording the provider has to approve. The conversation looks at the template again and again: what
//! the provider decides is in the tenant's configuration, wherever the conversation lives.

use protocol::content::{Category, Content, ProviderError, TemplateContent};
use protocol::directory::{Template, TemplateKind, TemplateStatus};
use protocol::fact::{Fact, MessageStatus, NotificationKind};
use protocol::id::MessageId;
use protocol::time::{SpanMs, TimestampMs};

use super::{NewMessage, Outgoing, Stage, recent, refuse, take};
use crate::conversation::turn::Turn;
use crate::limits::{APPROVAL_LOOK_MAX, APPROVAL_LOOK_MIN, APPROVAL_LOOK_PART};

/// What to do with a message.
enum Verdict {
    /// It goes out as this.
    Send(Content, Category),
    /// It will never go out.
    Refuse(ProviderError),
    /// Nothing is decided.
    Wait,
}

/// Puts a message into the queue that waits for its template.
pub(in crate::conversation) fn hold(
    turn: &mut Turn<'_>,
    new: NewMessage,
    template: &Template,
    expires_at: TimestampMs,
) -> MessageId {
    let now = turn.now();
    let id = turn.next_message_id();
    turn.start(false);
    turn.fact(Fact::ApprovalAwaited {
        message: id,
        by: new.by,
        content: new.content.clone(),
        category: template.category,
        reply_to: new.reply_to.clone(),
        language: template.language.clone(),
        account: template.review.account.clone(),
        expires_at,
    });
    turn.state.queue.push(Outgoing {
        id,
        by: new.by,
        content: new.content,
        category: template.category,
        reply_to: new.reply_to,
        queued_at: now,
        attempts: 0,
        stage: Stage::AwaitingApproval { look_at: (now + APPROVAL_LOOK_MIN).min(expires_at), expires_at },
        confirms_opt_out: new.confirms_opt_out,
        traceparent: turn.traceparent.clone(),
    });
    id
}

/// When a template has to be looked at next.
pub(super) fn deadline(queue: &[Outgoing]) -> Option<TimestampMs> {
    let look_at = |message: &Outgoing| match message.stage {
        Stage::AwaitingApproval { look_at, .. } => Some(look_at),
        Stage::Waiting { .. } | Stage::Claimed { .. } => None,
    };
    queue.iter().filter_map(look_at).min()
}

/// Looks at the templates whose time has come.
pub(super) fn tick(turn: &mut Turn<'_>) {
    let now = turn.now();
    let due = |message: &Outgoing| matches!(message.stage, Stage::AwaitingApproval { look_at, .. } if look_at <= now);
    let due: Vec<_> =
        turn.state.queue.iter().filter(|message| due(message)).map(|message| message.id).collect();
    for message in due {
        look(turn, message);
    }
}

/// The contact wrote meanwhile: what waits goes out as it is. Runs after every input.
pub(super) fn release_into_window(turn: &mut Turn<'_>) {
    if !turn.state.window_open(turn.now()) {
        return;
    }
    while let Some(index) = turn.state.queue.iter().position(Outgoing::awaits_approval) {
        let content = turn.state.queue[index].content.clone();
        release(turn, index, content, Category::Service);
    }
}

fn look(turn: &mut Turn<'_>, message: MessageId) {
    let Some(index) = turn.state.queue.iter().position(|waiting| waiting.id == message) else { return };
    match verdict(turn, index) {
        Verdict::Send(content, category) => release(turn, index, content, category),
        Verdict::Refuse(why) => {
            let refused = take(turn, index);
            recent::retire(turn, &refused, MessageStatus::Refused, vec![why]);
            turn.notify(NotificationKind::SendFailed, Some(message));
        }
        Verdict::Wait => wait(turn, index),
    }
}

fn verdict(turn: &Turn<'_>, index: usize) -> Verdict {
    let waiting = &turn.state.queue[index];
    let (Content::Text { body }, Stage::AwaitingApproval { expires_at, .. }) =
        (&waiting.content, waiting.stage)
    else {
        return Verdict::Wait;
    };
    match template(turn, body) {
        Some(template) if template.status == TemplateStatus::Approved => {
            let content = TemplateContent {
                name: template.name.clone(),
                language: template.language.clone(),
                category: template.category,
                parameters: Vec::new(),
                rendered: template.body.clone(),
            };
            Verdict::Send(Content::Template(content), template.category)
        }
        Some(template) if is_final(template.status) => {
            let reason = template.reason.as_deref().unwrap_or("the provider gave no reason");
            Verdict::Refuse(refuse::reason("template_rejected", reason))
        }
        _ if expires_at <= turn.now() => Verdict::Refuse(refuse::reason(
            "approval_expired",
            "the provider did not approve the wording in time",
        )),
        _ => Verdict::Wait,
    }
}

/// The template that says a text, whoever made it; of several the one that is furthest.
fn template<'a>(turn: &Turn<'a>, text: &str) -> Option<&'a Template> {
    let all = turn.context.tenant.templates.values().flat_map(|languages| languages.values());
    let account = turn.context.number.waba_id.as_ref();
    let says = |template: &&Template| {
        template.kind == TemplateKind::Approved
            && template.body == text.trim()
            && crate::template::holds(template, account)
    };
    all.filter(says).min_by_key(|template| match template.status {
        TemplateStatus::Approved => 0,
        TemplateStatus::Pending | TemplateStatus::Paused => 1,
        TemplateStatus::Rejected | TemplateStatus::Disabled | TemplateStatus::Deleted => 2,
    })
}

fn is_final(status: TemplateStatus) -> bool {
    matches!(status, TemplateStatus::Rejected | TemplateStatus::Disabled | TemplateStatus::Deleted)
}

fn release(turn: &mut Turn<'_>, index: usize, content: Content, category: Category) {
    let now = turn.now();
    let Some(message) = turn.state.queue.get_mut(index) else { return };
    if matches!(content, Content::Template(_)) {
        message.reply_to = None;
    }
    (message.content, message.category) = (content, category);
    message.stage = Stage::Waiting { not_before: now, offer_at: now };
    let status = Fact::StatusChanged {
        message: message.id,
        status: MessageStatus::Queued,
        at: now,
        provider_id: None,
        category,
        template: message.is_template(),
        pricing: None,
        errors: Vec::new(),
        queued_at: message.queued_at,
    };
    turn.fact(status);
}

fn wait(turn: &mut Turn<'_>, index: usize) {
    let now = turn.now();
    let Some(message) = turn.state.queue.get_mut(index) else { return };
    let Stage::AwaitingApproval { expires_at, .. } = message.stage else { return };
    let so_far = SpanMs((now - message.queued_at).0 / APPROVAL_LOOK_PART);
    let look_at = (now + so_far.max(APPROVAL_LOOK_MIN).min(APPROVAL_LOOK_MAX)).min(expires_at);
    message.stage = Stage::AwaitingApproval { look_at, expires_at };
}
