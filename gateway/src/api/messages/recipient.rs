//! Whom a message goes to, and from which number.

use domain::directory::TenantDirectory;
use domain::market::dial;
use protocol::api::message::SendRequest;
use protocol::content::Channel;
use protocol::directory::Number;
use protocol::entry::Address;
use protocol::phone::ContactKey;
use protocol::whatsapp::webhook::Names;

use crate::api::address;
use crate::api::auth::Caller;
use crate::api::fresh;
use crate::api::known;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// The conversation that a send belongs to; it may not exist yet.
pub(crate) async fn resolve(state: &AppState, caller: &Caller, request: &SendRequest) -> ApiResult<Address> {
    let tenant = known::tenant(state, caller)?;
    let number = number(&tenant, request)?;
    let names = recipient(state, caller, request).await?;
    address::of(state, number, &names).await
}

/// The sending number: named, or the only one of the channel.
fn number<'a>(tenant: &'a TenantDirectory, request: &SendRequest) -> ApiResult<&'a Number> {
    if let Some(id) = request.number_id {
        let number = tenant.numbers.get(&id).ok_or_else(|| {
            ApiError::field("/number_id", "is not a number of this tenant; GET /v1/numbers lists them")
        })?;
        return match request.channel {
            Some(channel) if channel != number.channel => {
                Err(ApiError::field("/channel", "is not the channel of the number; leave one of them out"))
            }
            _ => Ok(number),
        };
    }
    let channel = request.channel.unwrap_or(Channel::Whatsapp);
    let mut of_channel = tenant.numbers.values().filter(|number| number.channel == channel);
    match (of_channel.next(), of_channel.next()) {
        (Some(number), None) => Ok(number),
        (None, _) => Err(ApiError::field("/channel", "the tenant has no number of this channel")),
        (Some(_), Some(_)) => Err(ApiError::field(
            "/number_id",
            "is required: the tenant has several numbers of this channel; GET /v1/numbers lists them",
        )),
    }
}

async fn recipient(state: &AppState, caller: &Caller, request: &SendRequest) -> ApiResult<Names> {
    match (&request.to, request.contact_id) {
        (Some(text), None) => {
            let phone = dial::read(text, None).map_err(|error| ApiError::field("/to", error.to_string()))?;
            Ok(Names { phone: Some(phone), bsuid: None })
        }
        (None, Some(contact)) => {
            let row = fresh::found(state, async || Ok(state.records.contact(caller.tenant, contact).await?))
                .await?
                .ok_or_else(|| ApiError::field("/contact_id", "is not a contact of this tenant"))?;
            let key_bsuid = match row.key {
                ContactKey::Bsuid(bsuid) => Some(bsuid),
                ContactKey::Phone(_) => None,
            };
            Ok(Names { phone: row.phone, bsuid: row.bsuid.or(key_bsuid) })
        }
        _ => Err(ApiError::field("/to", "give either `to` or `contact_id`")),
    }
}
