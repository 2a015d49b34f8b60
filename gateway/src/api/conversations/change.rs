//! What a caller can change about a conversation: each call is one command.

use actix_web::{HttpRequest, HttpResponse, post, put, web};
use protocol::api::conversation::{SetBlocked, SetFollowing, SetLeft, SetMode, SetOwner, SetVacancy};
use protocol::api::problem::Problem;
use protocol::command::Action;
use protocol::id::ConversationId;
use xxhash_rust::xxh3::xxh3_64;

use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::command;
use crate::api::known::{self, well_formed};
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

macro_rules! changes {
    ($($(#[$doc:meta])* $method:ident $path:literal $name:ident($body:ty);)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            tag = "conversations",
            params(("id" = ConversationId, Path), ("Idempotency-Key" = Option<String>, Header)),
            request_body = $body,
            responses(
                (status = 204, description = "Done"),
                (status = 404, body = Problem, content_type = "application/problem+json"),
                (status = 422, body = Problem, content_type = "application/problem+json"),
            )
        )]
        #[$method($path)]
        pub(crate) async fn $name(
            state: web::Data<AppState>,
            caller: Caller,
            request: HttpRequest,
            id: web::Path<ConversationId>,
            body: Body<$body>,
        ) -> ApiResult<HttpResponse> {
            let action = body.value.action(&state, &caller)?;
            change(&state, &caller, &request, (*id, body.fingerprint), action).await
        }
    )*};
}

macro_rules! wishes {
    ($($(#[$doc:meta])* $method:ident $path:literal $name:ident => $action:expr;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            tag = "conversations",
            params(("id" = ConversationId, Path), ("Idempotency-Key" = Option<String>, Header)),
            responses(
                (status = 204, description = "Done"),
                (status = 404, body = Problem, content_type = "application/problem+json"),
                (status = 422, body = Problem, content_type = "application/problem+json"),
            )
        )]
        #[$method($path)]
        pub(crate) async fn $name(
            state: web::Data<AppState>,
            caller: Caller,
            request: HttpRequest,
            id: web::Path<ConversationId>,
        ) -> ApiResult<HttpResponse> {
            let fingerprint = xxh3_64(format!("{} {}\n", request.method(), request.path()).as_bytes());
            change(&state, &caller, &request, (*id, fingerprint), $action).await
        }
    )*};
}

changes! {
    /// Switches between the bot and direct chat.
    put "/conversations/{id}/mode" set_mode(SetMode);
    /// Gives the conversation to a user, a group, a role, or to nobody.
    put "/conversations/{id}/owner" set_owner(SetOwner);
    /// Attaches a vacancy, or detaches it.
    put "/conversations/{id}/vacancy" set_vacancy(SetVacancy);
    /// Blocks the contact, or undoes it.
    put "/conversations/{id}/block" set_blocked(SetBlocked);
    /// Leaves the chat, or comes back.
    put "/conversations/{id}/left" set_left(SetLeft);
    /// Tells the person behind the key what the owner is told, or no longer.
    put "/conversations/{id}/follow" set_following(SetFollowing);
}

wishes! {
    /// Marks everything so far as read.
    put "/conversations/{id}/read" mark_read => Action::MarkRead;
    /// Shows the contact that somebody is typing.
    put "/conversations/{id}/typing" show_typing => Action::ShowTyping;
    /// Holds back everything outgoing.
    post "/conversations/{id}/pause" pause => Action::SetPaused(true);
    /// Lets outgoing messages go again.
    post "/conversations/{id}/resume" resume => Action::SetPaused(false);
}

/// Takes a conversation that nobody, a group or a role has, for the person behind the key.
#[utoipa::path(
    tag = "conversations",
    params(("id" = ConversationId, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 204, description = "Done"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/conversations/{id}/pick-up")]
pub(crate) async fn pick_up(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<ConversationId>,
) -> ApiResult<HttpResponse> {
    let user = caller.require_user()?;
    let fingerprint = xxh3_64(format!("{} {}\n", request.method(), request.path()).as_bytes());
    change(&state, &caller, &request, (*id, fingerprint), Action::PickUp(user)).await
}

/// A body that asks for one change.
trait Change {
    /// The change, once it is known to make sense for the tenant.
    fn action(self, state: &AppState, caller: &Caller) -> ApiResult<Action>;
}

impl Change for SetMode {
    fn action(self, _: &AppState, _: &Caller) -> ApiResult<Action> {
        Ok(Action::SetMode(self.mode))
    }
}

impl Change for SetOwner {
    fn action(self, state: &AppState, caller: &Caller) -> ApiResult<Action> {
        well_formed(known::owner_shape(self.owner.as_ref()))?;
        match known::owner(state, caller.tenant, self.owner.as_ref()) {
            Some(problem) => Err(ApiError::fields(vec![problem])),
            None => Ok(Action::Assign(self.owner)),
        }
    }
}

impl Change for SetVacancy {
    fn action(self, _: &AppState, _: &Caller) -> ApiResult<Action> {
        well_formed(known::vacancy(self.vacancy.as_ref()))?;
        Ok(Action::SetVacancy(self.vacancy))
    }
}

impl Change for SetBlocked {
    fn action(self, _: &AppState, _: &Caller) -> ApiResult<Action> {
        Ok(Action::SetBlocked(self.blocked))
    }
}

impl Change for SetLeft {
    fn action(self, _: &AppState, _: &Caller) -> ApiResult<Action> {
        Ok(Action::SetLeft(self.left))
    }
}

impl Change for SetFollowing {
    fn action(self, _: &AppState, caller: &Caller) -> ApiResult<Action> {
        Ok(Action::SetFollowing { user: caller.require_user()?, following: self.following })
    }
}

async fn change(
    state: &AppState,
    caller: &Caller,
    request: &HttpRequest,
    (id, fingerprint): (ConversationId, u64),
    action: Action,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::ConversationsWrite)?;
    let address = command::address(state, caller, id).await?;
    command::run(state, caller, request, (address, fingerprint), action).await?;
    Ok(HttpResponse::NoContent().finish())
}
