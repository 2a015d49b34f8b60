//! Whether the body of a send is well formed, before anything about numbers, windows and templates is asked.

use serde_json::Value;

use crate::simulator::error::GraphError;

/// Whom a send is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recipient {
    /// Digits of a phone number.
    Phone(String),
    /// A business-scoped user id.
    UserId(String),
}

/// The parts of a send that the provider decides by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    pub(crate) recipient: Recipient,
    /// `to` or `recipient` as it was written: it comes back in the answer.
    pub(crate) input: String,
    pub(crate) message_type: String,
    pub(crate) opaque_id: Option<String>,
}

const OPAQUE_ID_CHARS: usize = 512;
const TEXT_CHARS: usize = 4_096;
const CAPTION_CHARS: usize = 1_024;

/// Reads the parts, or says what is wrong with them.
pub(crate) fn order(body: &Value) -> Result<Order, GraphError> {
    if body["messaging_product"] != "whatsapp" {
        return Err(GraphError::missing("messaging_product"));
    }
    let (recipient, input) = recipient(body)?;
    let message_type = body["type"].as_str().unwrap_or("text").to_owned();
    let opaque_id = body["biz_opaque_callback_data"].as_str().map(str::to_owned);
    if opaque_id.as_ref().is_some_and(|id| id.chars().count() > OPAQUE_ID_CHARS) {
        return Err(invalid("biz_opaque_callback_data is longer than 512 characters"));
    }
    content(&message_type, body)?;
    Ok(Order { recipient, input, message_type, opaque_id })
}

fn recipient(body: &Value) -> Result<(Recipient, String), GraphError> {
    if let Some(to) = body["to"].as_str() {
        let digits: String = to.chars().filter(char::is_ascii_digit).collect();
        let spelled = to.chars().all(|c| c.is_ascii_digit() || " +-()".contains(c));
        if !spelled || !(7..=15).contains(&digits.len()) {
            return Err(invalid("to is not a phone number"));
        }
        return Ok((Recipient::Phone(digits), to.to_owned()));
    }
    match body["recipient"].as_str() {
        Some(user_id) if user_id.contains('.') => Ok((Recipient::UserId(user_id.into()), user_id.into())),
        Some(_) => Err(invalid("recipient is not a business-scoped user id")),
        None => Err(GraphError::missing("to")),
    }
}

fn content(message_type: &str, body: &Value) -> Result<(), GraphError> {
    let known = matches!(
        message_type,
        "text" | "image" | "video" | "audio" | "document" | "sticker" | "location" | "contacts"
    ) || matches!(message_type, "interactive" | "reaction" | "template");
    if !known {
        return Err(GraphError::new(100, format!("Param type must not be '{message_type}'.")));
    }
    let Some(content) = body.get(message_type).filter(|content| !content.is_null()) else {
        return Err(GraphError::new(131_008, format!("Required parameter is missing: {message_type}")));
    };
    match message_type {
        "text" => text(content, "body", TEXT_CHARS),
        "image" | "video" | "audio" | "document" | "sticker" => media(content),
        "location" => present(content, &["latitude", "longitude"]),
        "contacts" => filled(content, "contacts", usize::MAX),
        "reaction" => present(content, &["message_id", "emoji"]),
        "interactive" => interactive(content),
        _ => present(content, &["name", "language"]),
    }
}

fn media(content: &Value) -> Result<(), GraphError> {
    if content["id"].is_string() == content["link"].is_string() {
        return Err(GraphError::new(131_008, "Exactly one of id and link is required"));
    }
    at_most(content, "caption", CAPTION_CHARS)
}

fn interactive(content: &Value) -> Result<(), GraphError> {
    let kind = content["type"].as_str().unwrap_or_default();
    let action = &content["action"];
    at_most(&content["footer"], "text", 60)?;
    at_most(&content["header"], "text", 60)?;
    match kind {
        "button" => {
            text(&content["body"], "text", 1_024)?;
            filled(&action["buttons"], "interactive.action.buttons", 3)?;
            for button in action["buttons"].as_array().into_iter().flatten() {
                text(&button["reply"], "id", 256)?;
                text(&button["reply"], "title", 20)?;
            }
            Ok(())
        }
        "list" => list(content, action),
        "cta_url"
        | "flow"
        | "product"
        | "product_list"
        | "catalog_message"
        | "location_request_message"
        | "call_permission_request"
        | "contact_request"
        | "address"
        | "carousel" => Ok(()),
        _ => Err(invalid("interactive.type is unknown")),
    }
}

fn list(content: &Value, action: &Value) -> Result<(), GraphError> {
    text(&content["body"], "text", 4_096)?;
    text(action, "button", 20)?;
    filled(&action["sections"], "interactive.action.sections", 10)?;
    let mut rows = 0;
    for section in action["sections"].as_array().into_iter().flatten() {
        filled(&section["rows"], "interactive.action.sections[].rows", 10)?;
        for row in section["rows"].as_array().into_iter().flatten() {
            rows += 1;
            text(row, "id", 200)?;
            text(row, "title", 24)?;
            at_most(row, "description", 72)?;
        }
    }
    if rows > 10 {
        return Err(invalid("interactive.action.sections hold more than 10 rows"));
    }
    Ok(())
}

fn text(content: &Value, field: &str, limit: usize) -> Result<(), GraphError> {
    if content[field].as_str().is_none_or(str::is_empty) {
        return Err(GraphError::new(131_008, format!("Required parameter is missing: {field}")));
    }
    at_most(content, field, limit)
}

fn at_most(content: &Value, field: &str, limit: usize) -> Result<(), GraphError> {
    match content[field].as_str() {
        Some(text) if text.chars().count() > limit => {
            Err(GraphError::new(100, format!("Param {field} must be at most {limit} characters long.")))
        }
        _ => Ok(()),
    }
}

fn filled(content: &Value, name: &str, limit: usize) -> Result<(), GraphError> {
    match content.as_array().map_or(0, Vec::len) {
        0 => Err(GraphError::new(131_008, format!("Required parameter is missing: {name}"))),
        length if length > limit => Err(invalid(&format!("{name} holds more than {limit}"))),
        _ => Ok(()),
    }
}

fn present(content: &Value, fields: &[&str]) -> Result<(), GraphError> {
    match fields.iter().find(|field| content[**field].is_null()) {
        Some(field) => Err(GraphError::new(131_008, format!("Required parameter is missing: {field}"))),
        None => Ok(()),
    }
}

fn invalid(details: &str) -> GraphError {
    GraphError::new(131_009, details)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(message_type: &str, content: Value) -> Value {
        json!({ "messaging_product": "whatsapp", "to": "+39 333-123 (4567)", "type": message_type,
                message_type: content })
    }

    #[test]
    fn well_formed_bodies_pass() {
        let buttons = json!({ "type": "button", "body": { "text": "?" }, "action": { "buttons": [
            { "type": "reply", "reply": { "id": "y", "title": "Sì" } } ] } });
        for body in [
            with("text", json!({ "body": "ciao" })),
            with("image", json!({ "link": "https://example.com/a.png", "caption": "a" })),
            with("location", json!({ "latitude": "45.1", "longitude": 9.2 })),
            with("reaction", json!({ "message_id": "wamid.x", "emoji": "" })),
            with("interactive", buttons),
        ] {
            let order = order(&body).unwrap();
            assert_eq!(order.recipient, Recipient::Phone("393331234567".into()));
        }
    }

    #[test]
    fn malformed_bodies_are_refused_by_code() {
        let four = json!([1, 2, 3, 4]);
        let buttons = json!({ "type": "button", "body": { "text": "?" }, "action": { "buttons": four } });
        for (body, code) in [
            (json!({ "to": "+393331234567", "text": { "body": "x" } }), 100),
            (json!({ "messaging_product": "whatsapp", "text": { "body": "x" } }), 100),
            (json!({ "messaging_product": "whatsapp", "to": "Anna", "text": { "body": "x" } }), 131_009),
            (with("text", json!({})), 131_008),
            (with("text", json!({ "body": "x".repeat(4_097) })), 100),
            (with("dance", json!({})), 100),
            (with("image", json!({ "id": "1", "link": "https://example.com" })), 131_008),
            (with("interactive", buttons), 131_009),
        ] {
            assert_eq!(order(&body).unwrap_err().code, code, "{body}");
        }
    }
}
