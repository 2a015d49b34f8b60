//! What the provider answers to a call about a template.

use compact_str::CompactString;
use serde::Deserialize;

use super::{category, status};
use crate::content::{Category, ProviderError};
use crate::directory::TemplateStatus;
use crate::whatsapp::answer::graph_error;

/// What became of a call. Repeating one does no harm: a template that exists is recognised by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateAnswer {
    /// It has an id now, and a status.
    Created {
        /// The provider's id.
        id: CompactString,
        /// Where it is in the review.
        status: TemplateStatus,
        /// The category, which the provider may choose itself.
        category: Option<Category>,
    },
    /// Done.
    Done,
    /// Refused: the code decides what follows.
    Refused(ProviderError),
    /// Nobody knows, or the call never arrived.
    NoAnswer {
        /// Why.
        detail: String,
    },
}

#[derive(Deserialize)]
struct Created {
    id: CompactString,
    #[serde(default)]
    status: CompactString,
    #[serde(default)]
    category: CompactString,
}

#[derive(Deserialize)]
struct Done {
    success: bool,
}

impl TemplateAnswer {
    /// Reads an answer.
    #[must_use]
    pub fn read(http_status: u16, body: &[u8]) -> Self {
        if let Some(error) = graph_error(body) {
            return Self::Refused(error);
        }
        let unclear = || Self::NoAnswer { detail: format!("HTTP {http_status} without a known answer") };
        match http_status {
            200..=299 => Self::taken(body).unwrap_or_else(unclear),
            408 | 429 | 500..=599 => unclear(),
            _ => Self::Refused(ProviderError {
                code: i64::from(http_status),
                title: format!("HTTP {http_status}"),
                detail: None,
            }),
        }
    }

    fn taken(body: &[u8]) -> Option<Self> {
        if let Ok(created) = serde_json::from_slice::<Created>(body) {
            return Some(Self::Created {
                id: created.id,
                status: status(&created.status).unwrap_or_default(),
                category: category(&created.category),
            });
        }
        serde_json::from_slice::<Done>(body).ok().filter(|done| done.success).map(|_| Self::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d13_answers_are_read_and_the_subcode_says_more() {
        let created = TemplateAnswer::read(200, br#"{"id":"42","status":"PENDING","category":"MARKETING"}"#);
        let expected = TemplateAnswer::Created {
            id: "42".into(),
            status: TemplateStatus::Pending,
            category: Some(Category::Marketing),
        };
        assert_eq!(created, expected);
        assert_eq!(TemplateAnswer::read(200, br#"{"success":true}"#), TemplateAnswer::Done);
        let code = |http_status, body: &str| match TemplateAnswer::read(http_status, body.as_bytes()) {
            TemplateAnswer::Refused(error) => error.code,
            other => panic!("{other:?}"),
        };
        let error = |rest: &str| format!(r#"{{"error":{{"code":100,"message":"Invalid"{rest}}}}}"#);
        assert_eq!(code(400, &error("")), 100);
        assert_eq!(code(400, &error(r#","error_subcode":2388024"#)), 2_388_024);
        assert_eq!(code(400, &error(r#","error_subcode":33"#)), 100, "only those of templates say more");
        assert_eq!(code(404, "<html>"), 404);
        for (http_status, body) in [(200, "{}"), (200, r#"{"success":false}"#), (503, ""), (429, "slow")] {
            let answer = TemplateAnswer::read(http_status, body.as_bytes());
            assert!(matches!(answer, TemplateAnswer::NoAnswer { .. }), "{http_status} {body}: {answer:?}");
        }
    }
}
