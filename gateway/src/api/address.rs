//! The conversation between a number and a person, by whatever names the person is known.

use protocol::directory::Number;
use protocol::entry::Address;
use protocol::whatsapp::webhook::Names;

use super::command::now;
use super::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// The address of the conversation; it may not exist yet.
pub(crate) async fn of(state: &AppState, number: &Number, names: &Names) -> ApiResult<Address> {
    let found = state.ingress.address((number.tenant, number.id), names, now()).await.map_err(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, "an address could not be looked up");
        ApiError::unavailable("the store cannot answer now")
    })?;
    found.ok_or_else(|| ApiError::field("/to", "has neither a phone number nor a user id"))
}
