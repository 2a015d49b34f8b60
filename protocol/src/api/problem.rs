//! What went wrong, as RFC 9457 describes: `application/problem+json`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::conversation::WindowView;

/// An error answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short text for people; the same for every answer with this code.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What is wrong here and how to cure it.
    pub detail: String,
    /// Stable name to decide by, such as `window_closed`.
    pub code: String,
    /// The conversation's window, where that is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowView>,
    /// Templates that would work instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<UsableTemplate>,
    /// Seconds after which the same request may work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// One entry for each field that is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer into the request body, or `?name` for a query parameter.
    pub pointer: String,
    /// What is wrong and how to cure it.
    pub detail: String,
}

/// A template that may be sent now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsableTemplate {
    /// Its name.
    pub name: String,
    /// Its exact language.
    pub language: String,
    /// What has to be filled in: `1`, `2` … or names.
    pub parameters: Vec<String>,
}
