//! What the provider is asked about one template.

use compact_str::CompactString;
use serde_json::{Value, json};

use crate::content::Category;

/// A template as it is submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Name.
    pub name: CompactString,
    /// Exact language code.
    pub language: CompactString,
    /// What sends are charged as.
    pub category: Category,
    /// Text with its parameters.
    pub body: String,
    /// Names (or numbers) of the parameters with a sample value each.
    pub parameters: Vec<(CompactString, String)>,
    /// The parameters have names, not numbers.
    pub named: bool,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateCall {
    /// Submit a new template.
    Create(Draft),
    /// Submit another wording of a template.
    Edit {
        /// The provider's id.
        id: CompactString,
        /// The new wording.
        draft: Draft,
        /// Its category may change with it: not that of an approved one.
        with_category: bool,
    },
    /// Delete one language of a template.
    Delete {
        /// The provider's id: without it all languages would go.
        id: CompactString,
        /// Name.
        name: CompactString,
    },
    /// Let a paused template go on.
    Unpause {
        /// The provider's id.
        id: CompactString,
    },
}

/// HTTP methods of these calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
    /// `DELETE`.
    Delete,
}

/// A call as an HTTP request, but for host, version and token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path below the version.
    pub path: String,
    /// Parameters of the query, not yet escaped.
    pub query: Vec<(&'static str, String)>,
    /// JSON body.
    pub body: Option<Value>,
}

impl TemplateCall {
    /// The request for an account.
    #[must_use]
    pub fn request(&self, account: &str) -> Request {
        let post = |path: String, body: Value| Request {
            method: Method::Post,
            path,
            query: Vec::new(),
            body: Some(body),
        };
        match self {
            Self::Create(draft) => post(format!("{account}/message_templates"), draft.create_body()),
            Self::Edit { id, draft, with_category } => {
                let mut body = json!({ "components": draft.components() });
                if *with_category {
                    body["category"] = draft.category.name().to_uppercase().into();
                }
                post(id.to_string(), body)
            }
            Self::Delete { id, name } => Request {
                method: Method::Delete,
                path: format!("{account}/message_templates"),
                query: vec![("name", name.to_string()), ("hsm_id", id.to_string())],
                body: None,
            },
            Self::Unpause { id } => post(format!("{id}/unpause"), json!({})),
        }
    }
}

impl Draft {
    fn create_body(&self) -> Value {
        json!({
            "name": self.name,
            "language": self.language,
            "category": self.category.name().to_uppercase(),
            "parameter_format": if self.named { "NAMED" } else { "POSITIONAL" },
            "components": self.components(),
        })
    }

    fn components(&self) -> Value {
        let mut body = json!({ "type": "BODY", "text": self.body });
        if self.parameters.is_empty() {
            return json!([body]);
        }
        body["example"] = if self.named {
            let samples = self.parameters.iter();
            let samples =
                samples.map(|(name, sample)| json!({ "param_name": name, "example": sample })).collect();
            json!({ "body_text_named_params": Value::Array(samples) })
        } else {
            let samples: Vec<_> = self.parameters.iter().map(|(_, sample)| sample).collect();
            json!({ "body_text": [samples] })
        };
        json!([body])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(named: bool, parameters: &[(&str, &str)]) -> Draft {
        let parameters =
            parameters.iter().map(|(name, sample)| ((*name).into(), (*sample).to_owned())).collect();
        Draft {
            name: "invite".into(),
            language: "it".into(),
            category: Category::Utility,
            body: "Ciao!".into(),
            parameters,
            named,
        }
    }

    #[test]
    fn d13_a_submission_names_its_parameters_with_samples() {
        let create = TemplateCall::Create(draft(false, &[("1", "Anna"), ("2", "lunedì")])).request("77");
        assert_eq!((create.method, create.path.as_str()), (Method::Post, "77/message_templates"));
        assert_eq!(
            create.body,
            Some(json!({
                "name": "invite", "language": "it", "category": "UTILITY", "parameter_format": "POSITIONAL",
                "components": [{ "type": "BODY", "text": "Ciao!",
                                 "example": { "body_text": [["Anna", "lunedì"]] } }],
            }))
        );
        let named = TemplateCall::Create(draft(true, &[("day", "lunedì")])).request("77").body.unwrap();
        assert_eq!(named["parameter_format"], "NAMED");
        assert_eq!(
            named["components"][0]["example"],
            json!({ "body_text_named_params": [{ "param_name": "day", "example": "lunedì" }] })
        );
        let plain = TemplateCall::Create(draft(false, &[])).request("77").body.unwrap();
        assert_eq!(plain["components"], json!([{ "type": "BODY", "text": "Ciao!" }]));
    }

    #[test]
    fn d13_edits_and_deletions_concern_one_language() {
        let (id, draft) = (CompactString::const_new("42"), draft(false, &[]));
        let edit = |with_category| {
            TemplateCall::Edit { id: id.clone(), draft: draft.clone(), with_category }.request("77")
        };
        assert_eq!(edit(true).path, "42");
        assert_eq!(edit(true).body.unwrap()["category"], "UTILITY");
        assert_eq!(edit(false).body.unwrap().get("category"), None);
        let delete = TemplateCall::Delete { id: id.clone(), name: "invite".into() }.request("77");
        assert_eq!(delete.query, [("name", "invite".to_owned()), ("hsm_id", "42".to_owned())]);
        assert_eq!(TemplateCall::Unpause { id }.request("77").path, "42/unpause");
    }
}
