//! From the body of a send to what the conversation is asked for.

use domain::file::MAX_PER_SEND;
use domain::limits::APPROVAL_WITHIN_MAX;
use domain::template::is_language;
use protocol::api::message::{ApprovalBody, SendKind, SendRequest};
use protocol::command::{Action, ApprovalWish, SendBody};
use protocol::content::{Category, Choice};
use protocol::entry::Address;
use protocol::id::{MessageId, ProviderId};

use super::{media, templates};
use crate::api::auth::Caller;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// What the conversation is asked to do: one thing, or several files one after another. All of it is checked before any
/// of it is done.
pub(crate) async fn wishes(
    state: &AppState,
    caller: &Caller,
    request: &SendRequest,
    address: &Address,
) -> ApiResult<Vec<Action>> {
    let files = &request.attachments;
    if files.is_empty() {
        return Ok(vec![wish(state, caller, request, address).await?]);
    }
    if request.kind != SendKind::Media || request.media.is_some() || request.approval.is_some() {
        let cure = "are for `type: media` without `media` and `approval`";
        return Err(ApiError::field("/attachments", cure));
    }
    if files.len() > MAX_PER_SEND {
        let cure = format!("has {} files; send at most {MAX_PER_SEND} at once", files.len());
        return Err(ApiError::malformed("/attachments", cure));
    }
    let mut wishes = Vec::with_capacity(files.len());
    for (place, file) in files.iter().enumerate() {
        let pointer = format!("/attachments/{place}");
        wishes.push(Action::Send(media::wish(state, caller, (&pointer, file)).await?));
    }
    Ok(wishes)
}

/// What the conversation is asked to do.
async fn wish(
    state: &AppState,
    caller: &Caller,
    request: &SendRequest,
    address: &Address,
) -> ApiResult<Action> {
    let body = match request.kind {
        SendKind::Template => {
            let template = request.template.as_ref().ok_or_else(|| missing("template"))?;
            templates::wish(state, caller, template, address).await?
        }
        _ => send_body(state, caller, request).await?,
    };
    let Some(approval) = &request.approval else { return Ok(Action::Send(body)) };
    let approval = approval_wish(approval)?;
    match templates::as_text(state, caller, body)? {
        SendBody::Text { body, reply_to } => Ok(Action::SendOrSubmit { body, reply_to, approval }),
        _ => Err(ApiError::field(
            "/approval",
            "is for texts and custom templates; everything else is sent as it is or refused",
        )),
    }
}

fn missing(field: &str) -> ApiError {
    ApiError::field(format!("/{field}"), format!("is required when `type` is `{field}`"))
}

/// A text waits for its approval so long unless the caller says so: reviews take minutes, a few take a day.
const APPROVAL_WITHIN_SECONDS: u32 = 24 * 3_600;

fn approval_wish(body: &ApprovalBody) -> ApiResult<ApprovalWish> {
    let category = body.category.unwrap_or(Category::Utility);
    if !matches!(category, Category::Utility | Category::Marketing) {
        return Err(ApiError::field("/approval/category", "must be `utility` or `marketing`"));
    }
    let language = body.language.as_deref();
    if let Some(language) = language.filter(|language| !is_language(language)) {
        let shown: String = language.chars().take(20).collect();
        let cure = "is no language code of the provider, such as `it` or `pt_BR`";
        return Err(ApiError::field("/approval/language", format!("`{shown}` {cure}")));
    }
    let seconds = body.within_seconds.unwrap_or(APPROVAL_WITHIN_SECONDS);
    let (within_ms, most) = (i64::from(seconds) * 1_000, APPROVAL_WITHIN_MAX.0);
    if seconds == 0 || within_ms > most {
        let detail = format!("must be 1 to {} seconds", most / 1_000);
        return Err(ApiError::malformed("/approval/within_seconds", detail));
    }
    Ok(ApprovalWish { category, language: language.map(Into::into), within_ms })
}

async fn send_body(state: &AppState, caller: &Caller, request: &SendRequest) -> ApiResult<SendBody> {
    let reply_to = match request.reply_to {
        Some(message) => Some(provider_id(state, caller, message, "/reply_to").await?),
        None => None,
    };
    match request.kind {
        SendKind::Text => {
            let text = request.text.as_ref().ok_or_else(|| missing("text"))?;
            Ok(SendBody::Text { body: text.body.clone(), reply_to })
        }
        SendKind::Template => Err(missing("template")),
        SendKind::Media => {
            let file = request.media.as_ref().ok_or_else(|| missing("media"))?;
            media::wish(state, caller, ("/media", file)).await
        }
        SendKind::Interactive => {
            let question = request.interactive.as_ref().ok_or_else(|| missing("interactive"))?;
            let options = question
                .options
                .iter()
                .map(|option| Choice { id: option.id.as_str().into(), title: option.title.clone() })
                .collect();
            Ok(SendBody::Interactive { body: question.body.clone(), options })
        }
        SendKind::Reaction => {
            let reaction = request.reaction.as_ref().ok_or_else(|| missing("reaction"))?;
            let message = provider_id(state, caller, reaction.message_id, "/reaction/message_id").await?;
            Ok(SendBody::Reaction { message, emoji: reaction.emoji.as_deref().map(Into::into) })
        }
    }
}

/// The provider's id of one of the tenant's messages.
async fn provider_id(
    state: &AppState,
    caller: &Caller,
    message: MessageId,
    pointer: &str,
) -> ApiResult<ProviderId> {
    let row = state.records.message(caller.tenant, message).await?;
    row.and_then(|row| row.provider_id)
        .ok_or_else(|| ApiError::field(pointer, "is not a message that the provider knows"))
}
