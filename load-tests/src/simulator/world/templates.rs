//! Templates: kept by account, matched exactly by name and language, counted parameter by parameter.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::World;
use super::schedule::{Change, Update};
use crate::limits::TEMPLATES_PER_ACCOUNT;
use crate::simulator::error::GraphError;
use crate::simulator::options::Template;

/// A template with its owner and number.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: u64,
    pub(crate) account: usize,
    pub(crate) template: Template,
}

impl Stored {
    fn json(&self) -> Value {
        let mut json = serde_json::to_value(&self.template).unwrap_or_default();
        json["id"] = json!(self.id.to_string());
        json
    }
}

impl World {
    /// The category in lowercase of the template that a send names, if it may be sent with these parameters.
    pub(crate) fn check_template(&self, account: usize, content: &Value) -> Result<String, GraphError> {
        let name = content["name"].as_str().unwrap_or_default();
        let language = content["language"]["code"].as_str().unwrap_or_default();
        let stored = self.templates.iter().find(|stored| {
            stored.account == account && stored.template.name == name && stored.template.language == language
        });
        let missing = || {
            let details = format!("template name ({name}) does not exist in {language}");
            GraphError::new(132_001, details)
        };
        let template = &stored.ok_or_else(missing)?.template;
        match template.status.as_str() {
            "APPROVED" => {}
            "PAUSED" => return Err(GraphError::new(132_015, "Template is paused due to low quality")),
            "DISABLED" => return Err(GraphError::new(132_016, "Template is disabled")),
            _ => return Err(missing()),
        }
        check_parameters(template, &content["components"])?;
        Ok(template.category.to_lowercase())
    }

    pub(crate) fn list_templates(&self, account: usize, filter: &TemplateFilter) -> Value {
        let data: Vec<_> = self
            .templates
            .iter()
            .filter(|stored| stored.account == account && filter.admits(&stored.template))
            .map(Stored::json)
            .collect();
        json!({ "data": data, "paging": { "cursors": { "before": "first", "after": "last" } } })
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
        if let Some(components) = body["components"].as_array() {
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
        account: usize,
        name: &str,
        id: Option<u64>,
    ) -> Result<Value, GraphError> {
        let before = self.templates.len();
        self.templates.retain(|stored| {
            let meant = stored.account == account
                && stored.template.name == name
                && id.is_none_or(|id| stored.id == id);
            !meant
        });
        if self.templates.len() == before {
            return Err(GraphError::new(100, format!("template {name} does not exist")));
        }
        Ok(json!({ "success": true }))
    }

    pub(crate) fn template(&self, id: u64) -> Option<(usize, Value)> {
        self.templates.iter().find(|stored| stored.id == id).map(|stored| (stored.account, stored.json()))
    }

    pub(crate) fn add_template(&mut self, account: usize, template: Template) -> u64 {
        self.next_template_id += 1;
        self.templates.push(Stored { id: self.next_template_id, account, template });
        self.next_template_id
    }

    fn schedule_review(&mut self, now_ms: i64, account: usize, id: u64) {
        let review = self.behaviour.review.clone();
        let Some(verdict) = review.verdict else { return };
        let reason = if verdict == "REJECTED" { review.reason.as_str() } else { "NONE" };
        let due_ms = now_ms + review.after_ms;
        self.announce(due_ms, account, id, (&verdict, reason));
        self.reviews.insert((due_ms, id), verdict);
    }

    /// Gives every language of a template another status, as the provider does when people complain: the owner is
    /// told. Answers with how many there were.
    pub(crate) fn judge_template(&mut self, now_ms: i64, name: &str, status: &str) -> usize {
        let named = self.templates.iter().filter(|stored| stored.template.name == name);
        let meant: Vec<_> = named.map(|stored| (stored.account, stored.id)).collect();
        for (account, id) in &meant {
            self.announce(now_ms, *account, *id, (status, "NONE"));
            self.reviews.insert((now_ms, *id), status.to_owned());
        }
        self.settle_reviews(now_ms);
        meant.len()
    }

    fn announce(&mut self, due_ms: i64, account: usize, id: u64, (event, reason): (&str, &str)) {
        let Some(stored) = self.templates.iter().find(|stored| stored.id == id) else { return };
        let value = json!({
            "event": event,
            "message_template_id": id,
            "message_template_name": stored.template.name,
            // The provider writes the language with a hyphen here and with an underscore elsewhere.
            "message_template_language": stored.template.language.replace('_', "-"),
            "message_template_category": stored.template.category,
            "reason": reason,
        });
        let change = Change::Field { field: "message_template_status_update".into(), value };
        self.schedule.push(due_ms, Update { account, change });
    }

    /// Applies the verdicts that are due.
    pub(crate) fn settle_reviews(&mut self, now_ms: i64) {
        while let Some(entry) = self.reviews.first_entry().filter(|entry| entry.key().0 <= now_ms) {
            let ((_, id), verdict) = entry.remove_entry();
            if let Some(stored) = self.templates.iter_mut().find(|stored| stored.id == id) {
                stored.template.status = verdict;
            }
        }
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
}

impl TemplateFilter {
    fn admits(&self, template: &Template) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|w| w == value);
        is(&self.name, &template.name)
            && is(&self.status, &template.status)
            && is(&self.category, &template.category)
            && is(&self.language, &template.language)
    }
}

/// Every variable of body, header text and URL buttons must be given, and nothing more.
fn check_parameters(template: &Template, given: &Value) -> Result<(), GraphError> {
    for part in ["HEADER", "BODY"] {
        let text = template
            .components
            .iter()
            .find(|component| is_part(component, part))
            .and_then(|component| component["text"].as_str())
            .unwrap_or_default();
        let media_header = part == "HEADER" && text.is_empty();
        let wanted = variables(text);
        let parameters = given.as_array().into_iter().flatten().find(|component| is_part(component, part));
        let parameters = parameters.and_then(|c| c["parameters"].as_array()).map_or(&[][..], Vec::as_slice);
        if media_header {
            continue;
        }
        if parameters.len() != wanted.len() {
            let details = format!(
                "{}: number of localizable_params ({}) does not match the expected number of params ({})",
                part.to_lowercase(),
                parameters.len(),
                wanted.len()
            );
            return Err(GraphError::new(132_000, details));
        }
        check_form(template, &wanted, parameters)?;
    }
    check_buttons(template, given)
}

fn check_form(template: &Template, wanted: &BTreeSet<&str>, given: &[Value]) -> Result<(), GraphError> {
    let known = |parameter: &Value| {
        matches!(parameter["type"].as_str(), Some("text" | "currency" | "date_time"))
            && (parameter["type"] != "text" || parameter["text"].as_str().is_some_and(|t| !t.is_empty()))
    };
    let named = |parameter: &Value| parameter["parameter_name"].as_str().is_some_and(|n| wanted.contains(n));
    let fits = |p: &Value| known(p) && (template.parameter_format != "NAMED" || named(p));
    if given.iter().all(fits) {
        return Ok(());
    }
    Err(GraphError::new(132_012, "Parameter format does not match format in the created template"))
}

fn check_buttons(template: &Template, given: &Value) -> Result<(), GraphError> {
    let buttons = template
        .components
        .iter()
        .filter(|component| is_part(component, "BUTTONS"))
        .filter_map(|component| component["buttons"].as_array())
        .flatten();
    for (index, button) in buttons.enumerate() {
        let wants = !variables(button["url"].as_str().unwrap_or_default()).is_empty();
        // The index is a text in the documentation and a number in some clients.
        let text = index.to_string();
        let has = given.as_array().into_iter().flatten().any(|component| {
            let at = &component["index"];
            is_part(component, "BUTTON") && (at.as_str() == Some(&text) || *at == index)
        });
        if wants && !has {
            let details = format!("buttons: parameter of the button at index {index} is missing");
            return Err(GraphError::new(131_008, details));
        }
    }
    Ok(())
}

fn is_part(component: &Value, part: &str) -> bool {
    component["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(part))
}

/// The distinct names between double braces.
fn variables(text: &str) -> BTreeSet<&str> {
    text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name.trim()).collect()
}
