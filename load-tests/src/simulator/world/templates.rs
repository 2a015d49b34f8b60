//! Templates: kept by account, unique by name and language, changed by the provider's rules.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::World;
use crate::limits::TEMPLATES_PER_ACCOUNT;
use crate::simulator::error::GraphError;
use crate::simulator::options::Template;

/// A template with its owner and number.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: u64,
    pub(crate) account: usize,
    pub(crate) template: Template,
    /// When it was edited while approved.
    edits: Vec<i64>,
}

impl Stored {
    fn json(&self) -> Value {
        let mut json = serde_json::to_value(&self.template).unwrap_or_default();
        json["id"] = json!(self.id.to_string());
        json
    }
}

impl World {
    pub(crate) fn list_templates(&self, account: usize, filter: &TemplateFilter) -> Value {
        let after = filter.after.unwrap_or(0);
        let meant = |stored: &&Stored| {
            stored.account == account && stored.id > after && filter.admits(&stored.template)
        };
        let mut found = self.templates.iter().filter(meant);
        let page: Vec<_> = found.by_ref().take(filter.limit.unwrap_or(PAGE)).collect();
        let last = page.last().map_or(after, |stored| stored.id);
        let data: Vec<_> = page.into_iter().map(Stored::json).collect();
        let mut answer = json!({
            "data": data, "paging": { "cursors": { "before": after.to_string(), "after": last.to_string() } }
        });
        if found.next().is_some() {
            answer["paging"]["next"] = json!(format!("https://graph.facebook.com/next?after={last}"));
        }
        answer
    }

    /// Takes a submitted template; its review follows.
    pub(crate) fn create_template(
        &mut self,
        now_ms: i64,
        account: usize,
        mut template: Template,
    ) -> Result<Value, GraphError> {
        let proper = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if template.name.is_empty() || template.name.len() > 512 || !template.name.chars().all(proper) {
            return Err(GraphError::new(100, "name must match ^[a-z0-9_]+$ and have at most 512 characters"));
        }
        if !["MARKETING", "UTILITY", "AUTHENTICATION"].contains(&template.category.as_str()) {
            return Err(GraphError::new(100, "category must be MARKETING, UTILITY or AUTHENTICATION"));
        }
        let same = |stored: &Stored| {
            stored.account == account
                && stored.template.name == template.name
                && stored.template.language == template.language
        };
        if self.templates.iter().any(same) {
            let details = "There is already content in this language for this template";
            return Err(GraphError { code: 100, subcode: Some(2_388_024), details: details.into() });
        }
        if self.blocked_names.get(&(account, template.name.clone())).is_some_and(|until| *until > now_ms) {
            let details = "New content in this language can't be added while the name is being deleted";
            return Err(GraphError { code: 100, subcode: Some(2_388_023), details: details.into() });
        }
        check_body(&template.components)?;
        if self.templates.iter().filter(|stored| stored.account == account).count() >= TEMPLATES_PER_ACCOUNT {
            return Err(GraphError::new(100, "The account is at its limit of templates"));
        }
        template.status = "PENDING".into();
        let id = self.add_template(account, template.clone());
        self.schedule_review(now_ms, account, id);
        Ok(json!({ "id": id.to_string(), "status": "PENDING", "category": template.category }))
    }

    /// Replaces the components of a template; it goes to review again.
    pub(crate) fn edit_template(&mut self, now_ms: i64, id: u64, body: &Value) -> Result<Value, GraphError> {
        let unknown = || GraphError::unknown_object(&id.to_string());
        let stored = self.templates.iter_mut().find(|stored| stored.id == id).ok_or_else(unknown)?;
        if !["APPROVED", "REJECTED", "PAUSED"].contains(&stored.template.status.as_str()) {
            return Err(GraphError::new(100, "Only approved, rejected or paused templates can be edited"));
        }
        if stored.template.status == "APPROVED" {
            if body.get("category").is_some_and(|category| *category != stored.template.category.as_str()) {
                return Err(GraphError::new(100, "The category of an approved template cannot be edited"));
            }
            stored.edits.retain(|at| at + BLOCKED_MS > now_ms);
            let today = stored.edits.last().is_some_and(|at| at + EDIT_EVERY_MS > now_ms);
            if today || stored.edits.len() >= EDITS {
                return Err(GraphError::new(100, "An approved template can be edited once in 24 hours"));
            }
            stored.edits.push(now_ms);
        }
        if let Some(category) = body["category"].as_str() {
            stored.template.category = category.to_owned();
        }
        if let Some(components) = body["components"].as_array() {
            check_body(components)?;
            stored.template.components.clone_from(components);
        }
        stored.template.status = "PENDING".into();
        let account = stored.account;
        self.schedule_review(now_ms, account, id);
        Ok(json!({ "success": true }))
    }

    /// Deletes all languages of a name, or the one with this id.
    pub(crate) fn delete_template(
        &mut self,
        now_ms: i64,
        account: usize,
        (name, id): (&str, Option<u64>),
    ) -> Result<Value, GraphError> {
        let meant = |stored: &Stored| {
            stored.account == account && stored.template.name == name && id.is_none_or(|id| stored.id == id)
        };
        let found: Vec<_> = self.templates.iter().filter(|stored| meant(stored)).collect();
        if found.is_empty() {
            return Err(GraphError::new(100, format!("template {name} does not exist")));
        }
        if found.iter().any(|stored| stored.template.status == "DISABLED") {
            return Err(GraphError::new(100, "Disabled templates cannot be deleted"));
        }
        if found.iter().any(|stored| matches!(stored.template.status.as_str(), "APPROVED" | "PAUSED")) {
            self.blocked_names.insert((account, name.to_owned()), now_ms + BLOCKED_MS);
        }
        self.templates.retain(|stored| !meant(stored));
        Ok(json!({ "success": true }))
    }

    pub(crate) fn template(&self, id: u64) -> Option<(usize, Value)> {
        self.templates.iter().find(|stored| stored.id == id).map(|stored| (stored.account, stored.json()))
    }

    pub(crate) fn template_named(&self, name: &str, language: &str) -> Option<Template> {
        let named = |stored: &&Stored| stored.template.name == name && stored.template.language == language;
        self.templates.iter().find(named).map(|stored| stored.template.clone())
    }

    pub(crate) fn add_template(&mut self, account: usize, template: Template) -> u64 {
        self.next_template_id += 1;
        self.templates.push(Stored { id: self.next_template_id, account, template, edits: Vec::new() });
        self.next_template_id
    }
}

/// The filters of the list.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct TemplateFilter {
    pub(crate) name: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) language: Option<String>,
    /// Templates on one page.
    pub(crate) limit: Option<usize>,
    /// The last one of the page before.
    pub(crate) after: Option<u64>,
}

/// Templates on one page unless the caller says so.
const PAGE: usize = 25;
/// An approved template may be edited once in this time.
const EDIT_EVERY_MS: i64 = 24 * 3_600_000;
/// The name of a deleted approved template is blocked for so long, and edits are counted over it.
const BLOCKED_MS: i64 = 30 * EDIT_EVERY_MS;
/// Edits of an approved template within [`BLOCKED_MS`].
const EDITS: usize = 10;

impl TemplateFilter {
    fn admits(&self, template: &Template) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|w| w == value);
        is(&self.name, &template.name)
            && is(&self.status, &template.status)
            && is(&self.category, &template.category)
            && is(&self.language, &template.language)
    }
}

pub(super) fn is_part(component: &Value, part: &str) -> bool {
    component["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(part))
}

/// The distinct names between double braces.
pub(super) fn variables(text: &str) -> BTreeSet<&str> {
    text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name.trim()).collect()
}

/// A variable needs a sample, and stands neither first nor last.
fn check_body(components: &[Value]) -> Result<(), GraphError> {
    let Some(body) = components.iter().find(|component| is_part(component, "BODY")) else {
        return Err(GraphError::new(100, "components must have a BODY"));
    };
    let text = body["text"].as_str().unwrap_or_default().trim();
    let refuse = |subcode, details: &str| {
        Err(GraphError { code: 100, subcode: Some(subcode), details: details.to_owned() })
    };
    if text.contains('\t') || text.contains("     ") || text.replace('\r', "").contains("\n\n\n") {
        return refuse(
            2_388_072,
            "Message body format is incorrect: tabs, more than 4 spaces or empty lines",
        );
    }
    if text.chars().count() > 1_024 {
        return refuse(2_388_040, "The body has more than 1024 characters");
    }
    if text.starts_with("{{") || text.ends_with("}}") {
        return refuse(2_388_299, "Variables can't be at the start or end of the template");
    }
    if !variables(text).is_empty() && !body["example"].is_object() {
        return refuse(2_388_043, "Templates with variables need an example");
    }
    Ok(())
}
