//! Rules that hold for a message from its acceptance to its POST, and what happens when one begins to hold later.

use protocol::command::{Consent, Party};
use protocol::content::{Content, ProviderError, TemplateContent};
use protocol::directory::{Template, TemplateStatus};
use protocol::fact::MessageStatus;

use super::{Outgoing, recent};
use crate::conversation::turn::Turn;

/// Why a waiting message may no longer be sent. The title is the `code` that a fresh command would be refused with.
pub(super) fn still_allowed(turn: &Turn<'_>, message: &Outgoing) -> Result<(), ProviderError> {
    let state = &turn.state;
    let consent = state.consent();
    if !state.address.contact.names_somebody() {
        return Err(reason("erased", "the contact was erased while the message waited"));
    }
    if state.blocked {
        return Err(reason("blocked", "the contact was blocked while the message waited"));
    }
    if state.left {
        return Err(reason("left", "the chat was left while the message waited"));
    }
    if consent == Consent::OptedOut && !message.confirms_opt_out {
        return Err(reason("opted_out", "the contact opted out while the message waited"));
    }
    // What was allowed by the tenant's policy stays so while nobody refuses.
    let asked = consent == Consent::OptedIn || turn.settings().bulk_without_opt_in;
    if message.by == Party::Automation && !asked {
        return Err(reason("opt_in_required", "bulk messages need an opted-in contact"));
    }
    let bound_to_window = !message.is_template() && !message.awaits_approval();
    if bound_to_window && !state.window_open(turn.now()) {
        return Err(reason("window_closed", "the 24-hour window closed while the message waited"));
    }
    match template(turn, message).map(|template| template.status) {
        Some(status @ (TemplateStatus::Rejected | TemplateStatus::Disabled | TemplateStatus::Deleted)) => {
            let detail = format!("the template became `{}` while the message waited", status.name());
            Err(reason("template_not_approved", detail))
        }
        _ => Ok(()),
    }
}

/// Whether the provider holds the message's template back for a while: sending would only be refused.
pub(super) fn template_at_rest(turn: &Turn<'_>, message: &Outgoing) -> bool {
    let status = template(turn, message).map(|template| template.status);
    matches!(status, Some(TemplateStatus::Paused | TemplateStatus::Pending))
}

/// The template of a message as it is configured now; one that is no longer there is the provider's business.
fn template<'a>(turn: &Turn<'a>, message: &Outgoing) -> Option<&'a Template> {
    let Content::Template(content) = &message.content else { return None };
    turn.context.tenant.templates.get(&content.name)?.get(&content.language)
}

/// Refuses whatever waits and is no longer allowed. A message that is under way is not called back.
pub(in crate::conversation) fn refuse_all(turn: &mut Turn<'_>) {
    let waiting = std::mem::take(&mut turn.state.queue);
    for message in waiting {
        match still_allowed(turn, &message) {
            Err(why) if !message.is_claimed() => {
                recent::retire(turn, &message, MessageStatus::Refused, vec![why]);
            }
            _ => turn.state.queue.push(message),
        }
    }
}

/// Refuses whatever waits, the confirmation of an earlier opt-out included: a new refusal has a new one.
pub(in crate::conversation) fn refuse_everything(turn: &mut Turn<'_>) {
    for message in &mut turn.state.queue {
        message.confirms_opt_out = false;
    }
    refuse_all(turn);
}

/// The contact is forgotten: what waits is refused, and what is under way loses its words. Its kind stays, since the
/// price follows it.
pub(in crate::conversation) fn forget(turn: &mut Turn<'_>) {
    for mut message in std::mem::take(&mut turn.state.queue) {
        if message.is_claimed() {
            message.content = match message.content {
                Content::Template(sent) => Content::Template(TemplateContent {
                    parameters: Vec::new(),
                    rendered: String::new(),
                    ..sent
                }),
                _ => Content::Erased,
            };
            message.reply_to = None;
            turn.state.queue.push(message);
        } else {
            let why = reason("erased", "the contact was erased while the message waited");
            recent::retire(turn, &message, MessageStatus::Refused, vec![why]);
        }
    }
}

/// Code 0 stands for the gateway itself.
pub(super) fn reason(code: &str, detail: impl Into<String>) -> ProviderError {
    ProviderError { code: 0, title: code.into(), detail: Some(detail.into()) }
}
