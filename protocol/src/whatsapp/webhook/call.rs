//! `calls[]`, and the statuses of calls.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::status::Status;
use super::text::Text;
use super::value::{Around, Odd};
use super::{Names, Payload};
use crate::entry::{CallEvent, Happening};
use crate::id::ProviderId;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Call<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    from: Text<'a>,
    #[serde(borrow)]
    from_user_id: Text<'a>,
    #[serde(borrow)]
    to: Text<'a>,
    #[serde(borrow)]
    to_user_id: Text<'a>,
    #[serde(borrow)]
    event: Text<'a>,
    #[serde(borrow)]
    timestamp: Text<'a>,
    #[serde(borrow)]
    direction: Text<'a>,
    #[serde(borrow)]
    duration: Text<'a>,
    #[serde(borrow)]
    biz_opaque_callback_data: Text<'a>,
}

pub(super) fn read<'a>(whole: &'a RawValue, around: &Around<'_, 'a>) -> Result<Payload, Odd> {
    let call: Call<'_> = serde_json::from_str(whole.get()).map_err(|_| Odd("malformed"))?;
    let by_contact = match call.direction.as_str() {
        "USER_INITIATED" => true,
        "BUSINESS_INITIATED" => false,
        _ => return Err(Odd("unknown direction of a call")),
    };
    let (phone, user_id) =
        if by_contact { (&call.from, &call.from_user_id) } else { (&call.to, &call.to_user_id) };
    let event = CallEvent {
        call_id: call.id.compact().map(ProviderId).ok_or(Odd("no id"))?,
        at: call.timestamp.unix_seconds().ok_or(Odd("no timestamp"))?,
        event: call.event.compact().ok_or(Odd("no event"))?,
        by_contact,
        duration_seconds: call.duration.parse(),
        identity: around.identity(phone, user_id),
    };
    payload(event, call.biz_opaque_callback_data.owned())
}

/// `statuses[]` under the field `calls`: all of them are about calls.
pub(super) fn read_status<'a>(whole: &'a RawValue, around: &Around<'_, 'a>) -> Result<Payload, Odd> {
    let status: Status<'_> = serde_json::from_str(whole.get()).map_err(|_| Odd("malformed"))?;
    status_of_call(status, around)
}

/// `RINGING`, `ACCEPTED`, `REJECTED`: how a call of ours goes.
pub(super) fn status_of_call<'a>(status: Status<'a>, around: &Around<'_, 'a>) -> Result<Payload, Odd> {
    let event = CallEvent {
        call_id: status.id.compact().map(ProviderId).ok_or(Odd("no id"))?,
        at: status.timestamp.unix_seconds().ok_or(Odd("no timestamp"))?,
        event: status.status.as_str().to_ascii_lowercase().into(),
        by_contact: false,
        duration_seconds: None,
        identity: around.identity(&status.recipient_id, &status.recipient_user_id),
    };
    payload(event, status.biz_opaque_callback_data.owned())
}

fn payload(event: CallEvent, opaque: Option<String>) -> Result<Payload, Odd> {
    let names = Names { phone: event.identity.phone, bsuid: event.identity.bsuid.clone() };
    if names.is_empty() && opaque.is_none() {
        return Err(Odd("no caller"));
    }
    Ok(Payload::Conversation { names, opaque, happening: Box::new(Happening::Call(event)) })
}
