//! Fields that concern accounts, numbers and templates.

use compact_str::CompactString;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::envelope::Place;
use super::text::{Text, part, raw};
use crate::entry::Notice;
use crate::id::PhoneNumberId;
use crate::whatsapp::template;

/// Known fields that are kept as they come, for people to read.
const KEPT: &[&str] = &[
    "account_alerts",
    "account_review_update",
    "account_settings_update",
    "account_update",
    "automatic_events",
    "business_capability_update",
    "business_username_update",
    "flows",
    "group_lifecycle_update",
    "group_participants_update",
    "group_settings_update",
    "group_status_update",
    "history",
    "partner_solutions",
    "payment_configuration_update",
    "phone_number_name_update",
    "phone_number_quality_update",
    "security",
    "smb_app_state_sync",
    "smb_message_echoes",
    "user_id_update",
];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Value<'a> {
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    display_phone_number: Text<'a>,
    #[serde(borrow)]
    phone_number: Text<'a>,
    #[serde(borrow)]
    event: Text<'a>,
    #[serde(borrow)]
    message_template_id: Text<'a>,
    #[serde(borrow)]
    message_template_name: Text<'a>,
    #[serde(borrow)]
    message_template_language: Text<'a>,
    #[serde(borrow)]
    message_template_element: Text<'a>,
    #[serde(borrow)]
    reason: Text<'a>,
    #[serde(borrow)]
    rejection_info: Option<&'a RawValue>,
    #[serde(borrow)]
    other_info: Option<&'a RawValue>,
    #[serde(borrow)]
    new_quality_score: Text<'a>,
    #[serde(borrow)]
    new_category: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata<'a> {
    #[serde(borrow)]
    phone_number_id: Text<'a>,
    #[serde(borrow)]
    display_phone_number: Text<'a>,
}

/// `rejection_info` and `other_info`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Info<'a> {
    #[serde(borrow)]
    title: Text<'a>,
    #[serde(borrow)]
    description: Text<'a>,
    #[serde(borrow)]
    reason: Text<'a>,
    #[serde(borrow)]
    recommendation: Text<'a>,
}

/// Reads a field that is not about conversations.
pub(super) fn read(field: &str, whole: &RawValue, place: &mut Place<'_>) {
    let Some(value) = part::<Value<'_>>(Some(whole)) else {
        return place.unknown(field, "malformed", whole);
    };
    name_number(&value, place);
    match typed(field, &value) {
        Some(notice) => place.notice(notice),
        None if KEPT.contains(&field) => {
            place.notice(Notice::Other { field: field.into(), raw: raw(whole) });
        }
        None if TEMPLATES.contains(&field) => place.unknown(field, "template not named", whole),
        None => place.unknown(field, "unknown field", whole),
    }
}

fn name_number(value: &Value<'_>, place: &mut Place<'_>) {
    let metadata: Metadata<'_> = part(value.metadata).unwrap_or_default();
    place.number = metadata.phone_number_id.compact().map(PhoneNumberId);
    let phones = [&metadata.display_phone_number, &value.display_phone_number, &value.phone_number];
    place.display_phone = phones.into_iter().find_map(Text::phone);
}

/// Fields with a [`Notice`] of their own.
const TEMPLATES: &[&str] = &[
    "message_template_components_update",
    "message_template_quality_update",
    "message_template_status_update",
    "template_category_update",
];

/// `None` for other fields, and when what the notice is about is missing.
fn typed(field: &str, value: &Value<'_>) -> Option<Notice> {
    let name = value.message_template_name.compact();
    let language = language(&value.message_template_language);
    match field {
        "message_template_status_update" => Some(Notice::TemplateStatus {
            template_id: value.message_template_id.compact().unwrap_or_default(),
            name: name?,
            language: language?,
            event: value.event.compact()?.to_uppercase(),
            reason: reason(value),
        }),
        "message_template_quality_update" => Some(Notice::TemplateQuality {
            name: name?,
            language: language?,
            score: value.new_quality_score.compact()?,
        }),
        "template_category_update" => Some(Notice::TemplateCategory {
            name: name?,
            language: language?,
            category: value.new_category.compact()?.to_lowercase(),
        }),
        "message_template_components_update" => Some(Notice::TemplateComponents {
            name: name?,
            language: language?,
            body: value.message_template_element.clone().owned()?,
        }),
        _ => None,
    }
}

fn language(text: &Text<'_>) -> Option<CompactString> {
    text.compact().map(|code| template::language(&code))
}

/// Everything that explains a status, in one line.
fn reason(value: &Value<'_>) -> Option<String> {
    let rejection: Info<'_> = part(value.rejection_info).unwrap_or_default();
    let other: Info<'_> = part(value.other_info).unwrap_or_default();
    let texts =
        [&value.reason, &rejection.reason, &rejection.recommendation, &other.title, &other.description];
    let mut said: Vec<&str> = Vec::new();
    for text in texts.map(Text::as_str) {
        if !text.is_empty() && text != "NONE" && !said.contains(&text) {
            said.push(text);
        }
    }
    (!said.is_empty()).then(|| said.join(": "))
}
