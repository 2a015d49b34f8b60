//! Commands to conversations: one way for every endpoint that changes one.

use std::time::Duration;

use actix_web::{HttpRequest, ResponseError as _};
use protocol::command::{Action, Command, CommandKey, CommandResult, Refusal};
use protocol::entry::Address;
use protocol::id::ConversationId;
use protocol::time::{SpanMs, TimestampMs};
use store::records::Claim;

use super::auth::Caller;
use super::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// How long a caller is kept waiting for its result; a command applied later is refused.
const PATIENCE: SpanMs = SpanMs::seconds(10);
/// How long the records may take to compare a key.
const CLAIM_PATIENCE: Duration = Duration::from_millis(250);
/// A refusal of a conversation is kept so often at most.
const NOTE_EVERY: SpanMs = SpanMs::minutes(1);
/// Longest idempotency key: room for any UUID or hash, short enough to store millions.
pub(crate) const MAX_KEY_CHARS: usize = 255;
/// What an idempotency key may be: printable ASCII, of which HTTP takes away spaces at both ends.
pub(crate) const KEY_PATTERN: &str = "^[!-~]([ -~]*[!-~])?$";

/// Now, by this node's clock; conversations decide by the store's.
pub(crate) fn now() -> TimestampMs {
    TimestampMs(jiff::Timestamp::now().as_millisecond())
}

/// The caller's `Idempotency-Key`, or `None`.
pub(crate) fn idempotency_key(request: &HttpRequest) -> ApiResult<Option<String>> {
    let Some(header) = request.headers().get("idempotency-key") else { return Ok(None) };
    let wrong = || {
        ApiError::malformed(
            "Idempotency-Key",
            format!("must be 1 to {MAX_KEY_CHARS} printable ASCII characters"),
        )
    };
    let text = header.to_str().map_err(|_| wrong())?;
    let fits = (1..=MAX_KEY_CHARS).contains(&text.len()) && !text.chars().any(char::is_control);
    if fits { Ok(Some(text.to_owned())) } else { Err(wrong()) }
}

/// Whether the request repeats one whose result is stored: it is then answered with that.
pub(crate) async fn is_repeated(state: &AppState, caller: &Caller, request: &HttpRequest) -> ApiResult<bool> {
    let Some(key) = idempotency_key(request)? else { return Ok(false) };
    Ok(state.engine.result(CommandKey::new(caller.tenant, &key)).await?.is_some())
}

/// What a part of a request was answered before, under the same idempotency key; by its number.
pub(crate) async fn known(
    state: &AppState,
    caller: &Caller,
    request: &HttpRequest,
    (fingerprint, part): (u64, usize),
) -> ApiResult<Option<CommandResult>> {
    let Some(key) = idempotency_key(request)? else { return Ok(None) };
    match state.node.result(part_key(caller, &key, part), fingerprint).await? {
        Some(CommandResult::Refused(refusal)) => Err(refusal.into()),
        known => Ok(known),
    }
}

fn part_key(caller: &Caller, key: &str, part: usize) -> CommandKey {
    match part {
        0 => CommandKey::new(caller.tenant, key),
        // No caller's key has a line break.
        part => CommandKey::new(caller.tenant, &format!("{key}\n{part}")),
    }
}

/// Applies an action to a conversation, exactly once per idempotency key, and answers its committed result.
pub(crate) async fn run(
    state: &AppState,
    caller: &Caller,
    request: &HttpRequest,
    (address, fingerprint): (Address, u64),
    action: Action,
) -> ApiResult<CommandResult> {
    run_part(state, caller, request, (address, fingerprint, 0), action).await
}

/// The same for one of several actions of a request, by its number.
pub(crate) async fn run_part(
    state: &AppState,
    caller: &Caller,
    request: &HttpRequest,
    (address, fingerprint, part): (Address, u64, usize),
    action: Action,
) -> ApiResult<CommandResult> {
    let key = match idempotency_key(request)? {
        Some(key) => {
            if part == 0 {
                claim(state, caller, &key, fingerprint).await?;
            }
            part_key(caller, &key, part)
        }
        None => CommandKey(rand::random()),
    };
    apply(state, caller, (address, key, fingerprint), action).await
}

/// Refuses a key that was used for something else. The store of the conversations remembers the keys of commands as
/// well: while the records are away, or slow, commands go on.
async fn claim(state: &AppState, caller: &Caller, key: &str, fingerprint: u64) -> ApiResult<()> {
    let claim = state.records.claim_key(caller.tenant, key.to_owned(), fingerprint, now());
    match tokio::time::timeout(CLAIM_PATIENCE, claim).await {
        Ok(Ok(Claim::Different)) => return Err(Refusal::KeyReused.into()),
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "a key is not compared with those of other calls"),
        Err(_) => tracing::warn!("a key is not compared with those of other calls: the records are slow"),
    }
    Ok(())
}

/// Applies an action that is a part of a larger write, which may be repeated as a whole.
pub(crate) async fn follow_up(
    state: &AppState,
    caller: &Caller,
    address: Address,
    action: Action,
) -> ApiResult<CommandResult> {
    apply(state, caller, (address, CommandKey(rand::random()), 0), action).await
}

/// Lets a conversation keep why a send was refused before it came there, so that it can be asked. Not more than once in
/// [`NOTE_EVERY`], on all nodes together: whoever is refused may try again and again.
pub(crate) async fn note_refusal(state: &AppState, caller: &Caller, address: Address, refusal: Refusal) {
    let (time, status) = (now().0 / NOTE_EVERY.0, ApiError::refused(&refusal).status_code());
    // No caller's key begins with a line break.
    let key =
        CommandKey::new(caller.tenant, &format!("\n{}\n{}\n{time}", address.conversation, refusal.code()));
    match apply(state, caller, (address, key, 0), Action::RefuseSend(refusal)).await {
        Err(error) if !error.is(status) => tracing::warn!(%error, "a refusal cannot be explained later"),
        _ => {}
    }
}

async fn apply(
    state: &AppState,
    caller: &Caller,
    (address, key, fingerprint): (Address, CommandKey, u64),
    action: Action,
) -> ApiResult<CommandResult> {
    let command = Command { key, fingerprint, by: caller.party(), expires_at: now() + PATIENCE, action };
    let (conversation, contact) = (address.conversation, address.contact.contact_id(address.tenant));
    let result = state.node.command(address, command).await?;
    state.recent.note(conversation.0);
    state.recent.note(contact.0);
    match result {
        CommandResult::Refused(refusal) => Err(refusal.into()),
        done => Ok(done),
    }
}

/// The address of a conversation that belongs to the caller's tenant.
pub(crate) async fn address(state: &AppState, caller: &Caller, id: ConversationId) -> ApiResult<Address> {
    let conversation = state.node.inspect(id).await?;
    conversation
        .map(|conversation| conversation.address)
        .filter(|address| address.tenant == caller.tenant && address.contact.names_somebody())
        .ok_or_else(|| ApiError::not_found("conversation"))
}
