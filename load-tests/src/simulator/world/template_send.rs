//! A template in a send: matched exactly by name and language, counted parameter by parameter.

use std::collections::BTreeSet;

use serde_json::Value;

use super::World;
use super::templates::{is_part, variables};
use crate::simulator::error::GraphError;
use crate::simulator::options::Template;

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
        return check_lines(given);
    }
    Err(GraphError::new(132_012, "Parameter format does not match format in the created template"))
}

fn check_lines(given: &[Value]) -> Result<(), GraphError> {
    let broken = |text: &str| text.contains(['\n', '\r', '\t']) || text.contains("     ");
    if given.iter().filter_map(|parameter| parameter["text"].as_str()).any(broken) {
        let details = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces";
        return Err(GraphError::new(132_018, details));
    }
    Ok(())
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
