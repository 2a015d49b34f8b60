//! The provider's list of templates, page by page.

use compact_str::CompactString;
use serde::Deserialize;
use serde_json::Value;

use super::{Method, Request, category, language, status};
use crate::content::{Category, ProviderError};
use crate::directory::TemplateStatus;
use crate::whatsapp::answer::graph_error;

/// A template as the provider lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The provider's id.
    pub id: CompactString,
    /// Name.
    pub name: CompactString,
    /// Exact language code.
    pub language: CompactString,
    /// Where it is in the review; `None` for a status that this version does not know.
    pub status: Option<TemplateStatus>,
    /// What sends are charged as.
    pub category: Option<Category>,
    /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
    pub quality: Option<CompactString>,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// The text.
    pub body: String,
    /// Nothing but the body takes values: it can be sent with those of the body alone.
    pub is_plain: bool,
}

/// One page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// What is on it.
    pub templates: Vec<Listed>,
    /// Where the next page begins.
    pub after: Option<String>,
}

/// Templates on one page: with their components about 50 KB, and an account with 100 needs two calls.
const PAGE: usize = 50;

/// The request for a page; with a name only the templates of that name.
#[must_use]
pub fn list_request(account: &str, name: Option<&str>, after: Option<&str>) -> Request {
    let fields = "id,name,language,status,category,quality_score,rejected_reason,components";
    let mut query = vec![("limit", PAGE.to_string()), ("fields", fields.to_owned())];
    query.extend(name.map(|name| ("name", name.to_owned())));
    query.extend(after.map(|after| ("after", after.to_owned())));
    Request { method: Method::Get, path: format!("{account}/message_templates"), query, body: None }
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Entry>,
    #[serde(default)]
    paging: Paging,
}

#[derive(Default, Deserialize)]
struct Paging {
    #[serde(default)]
    cursors: Cursors,
    /// Absent on the last page; the cursor stands there all the same.
    #[serde(default)]
    next: Option<String>,
}

#[derive(Default, Deserialize)]
struct Cursors {
    #[serde(default)]
    after: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    id: CompactString,
    name: CompactString,
    language: CompactString,
    #[serde(default)]
    status: CompactString,
    #[serde(default)]
    category: CompactString,
    #[serde(default)]
    quality_score: Value,
    #[serde(default)]
    rejected_reason: Option<String>,
    #[serde(default)]
    components: Vec<Value>,
}

impl Listing {
    /// Reads a page.
    ///
    /// # Errors
    /// What the provider says instead.
    pub fn read(http_status: u16, body: &[u8]) -> Result<Self, ProviderError> {
        if let Some(error) = graph_error(body) {
            return Err(error);
        }
        let page: Page = serde_json::from_slice(body).map_err(|error| ProviderError {
            code: i64::from(http_status),
            title: format!("HTTP {http_status}"),
            detail: Some(error.to_string()),
        })?;
        let after = page.paging.next.and(page.paging.cursors.after);
        Ok(Self { templates: page.data.into_iter().map(Listed::from).collect(), after })
    }

    /// The template of a name and language.
    #[must_use]
    pub fn find(&self, name: &str, language: &str) -> Option<&Listed> {
        self.templates.iter().find(|listed| listed.name == name && listed.language == language)
    }
}

impl From<Entry> for Listed {
    fn from(entry: Entry) -> Self {
        let is_body = |part: &&Value| kind(part) == "BODY";
        let body = entry.components.iter().find(is_body).and_then(|part| part["text"].as_str());
        let score = &entry.quality_score;
        let quality = score["score"].as_str().or_else(|| score.as_str());
        Self {
            id: entry.id,
            name: entry.name,
            language: language(&entry.language),
            status: status(&entry.status),
            category: category(&entry.category),
            quality: quality.map(CompactString::from),
            reason: entry.rejected_reason.filter(|reason| reason != "NONE" && !reason.is_empty()),
            body: body.unwrap_or_default().to_owned(),
            is_plain: body.is_some() && entry.components.iter().all(needs_nothing),
        }
    }
}

fn kind(component: &Value) -> String {
    component["type"].as_str().unwrap_or_default().to_uppercase()
}

/// Whether a component takes no values, or only those of the body.
fn needs_nothing(component: &Value) -> bool {
    match kind(component).as_str() {
        "BODY" | "FOOTER" => true,
        "HEADER" => component["text"].as_str().is_some_and(|text| !text.contains("{{")),
        "BUTTONS" => component["buttons"].as_array().into_iter().flatten().all(|button| {
            let url = button["url"].as_str().unwrap_or_default();
            matches!(button["type"].as_str(), Some("QUICK_REPLY" | "PHONE_NUMBER" | "URL"))
                && !url.contains("{{")
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(components: &Value, next: bool) -> Listing {
        let mut page = json!({
            "data": [{ "id": "42", "name": "invite", "language": "en_US", "status": "PAUSED",
                       "category": "MARKETING", "quality_score": { "score": "RED", "date": 1 },
                       "rejected_reason": "NONE", "components": components }],
            "paging": { "cursors": { "before": "a", "after": "b" } },
        });
        if next {
            page["paging"]["next"] = "https://graph.facebook.com/next".into();
        }
        Listing::read(200, page.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn e4_a_page_is_read_and_the_last_one_known() {
        let body = json!([{ "type": "BODY", "text": "Hi {{1}}." }, { "type": "FOOTER", "text": "Acme" }]);
        let listing = page(&body, true);
        assert_eq!(listing.after.as_deref(), Some("b"));
        assert_eq!(page(&body, false).after, None);
        let listed = listing.find("invite", "en_US").unwrap();
        assert_eq!(
            (listed.status, listed.category),
            (Some(TemplateStatus::Paused), Some(Category::Marketing))
        );
        assert_eq!((listed.quality.as_deref(), listed.reason.as_deref()), (Some("RED"), None));
        assert_eq!((listed.body.as_str(), listed.is_plain), ("Hi {{1}}.", true));
        assert_eq!(listing.find("invite", "en"), None);
        assert_eq!(Listing::read(401, br#"{"error":{"code":190}}"#).unwrap_err().code, 190);
        assert!(Listing::read(502, b"<html>").is_err());
    }

    #[test]
    fn e4_templates_that_need_more_than_their_body_are_told_apart() {
        let body = json!({ "type": "BODY", "text": "Hi." });
        let table = [
            (json!({ "type": "HEADER", "format": "TEXT", "text": "Hello" }), true),
            (json!({ "type": "HEADER", "format": "TEXT", "text": "Hello {{1}}" }), false),
            (json!({ "type": "HEADER", "format": "IMAGE" }), false),
            (json!({ "type": "BUTTONS", "buttons": [{ "type": "QUICK_REPLY", "text": "Yes" }] }), true),
            (json!({ "type": "BUTTONS", "buttons": [{ "type": "URL", "url": "https://a/{{1}}" }] }), false),
            (json!({ "type": "BUTTONS", "buttons": [{ "type": "COPY_CODE" }] }), false),
            (json!({ "type": "CAROUSEL" }), false),
        ];
        for (component, is_plain) in table {
            let listing = page(&json!([body, component]), false);
            assert_eq!(listing.templates[0].is_plain, is_plain, "{component}");
        }
    }
}
