//! `user_preferences[]`: the contact stopped, or wants again, marketing messages. There is no such signal for
//! other messages.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Payload;
use super::message::names;
use super::text::Text;
use super::value::{Around, Odd};
use crate::entry::{Happening, PreferenceChange};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Preference<'a> {
    #[serde(borrow)]
    wa_id: Text<'a>,
    #[serde(borrow)]
    user_id: Text<'a>,
    #[serde(borrow)]
    category: Text<'a>,
    #[serde(borrow)]
    value: Text<'a>,
    #[serde(borrow)]
    detail: Text<'a>,
    #[serde(borrow)]
    timestamp: Text<'a>,
}

pub(super) fn read<'a>(whole: &'a RawValue, around: &Around<'_, 'a>) -> Result<Payload, Odd> {
    let preference: Preference<'_> = serde_json::from_str(whole.get()).map_err(|_| Odd("malformed"))?;
    if preference.category.as_str() != "marketing_messages" {
        return Err(Odd("unknown category of preference"));
    }
    let identity = around.identity(&preference.wa_id, &preference.user_id);
    let names = names(&identity)?;
    let change = PreferenceChange {
        at: preference.timestamp.unix_seconds().ok_or(Odd("no timestamp"))?,
        marketing_stopped: match preference.value.as_str() {
            "stop" => true,
            "resume" | "signup" => false,
            _ => return Err(Odd("unknown value of preference")),
        },
        identity,
        detail: preference.detail.owned(),
    };
    Ok(Payload::Conversation { names, opaque: None, happening: Box::new(Happening::Preference(change)) })
}
