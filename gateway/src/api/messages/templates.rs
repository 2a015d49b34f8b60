//! Templates in a send: values as given, or from the record.

use std::collections::BTreeMap;

use compact_str::CompactString;
use domain::template::{self, merge};
use protocol::api::message::{ParameterBody, TemplateBody};
use protocol::api::problem::FieldError;
use protocol::command::SendBody;
use protocol::content::Parameter;
use protocol::directory::{Template, TemplateKind};
use protocol::entry::Address;

use crate::api::auth::Caller;
use crate::api::merge::{contact_of, known};
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// What the conversation is asked to send. Merge fields that nobody gives come from the contact's record.
pub(super) async fn wish(
    state: &AppState,
    caller: &Caller,
    body: &TemplateBody,
    address: &Address,
) -> ApiResult<SendBody> {
    if body.merge.is_some() && !body.parameters.is_empty() {
        return Err(ApiError::field("/template/merge", "give either `parameters` or `merge`"));
    }
    let found = find(state, caller, &body.name, &body.language);
    let parameters = match found.filter(|found| body.merge.is_some() || merge::has_fields(found)) {
        Some(template) if body.parameters.is_empty() => {
            let known = known(state, caller, contact_of(state, address).await?).await?;
            let given = given(body.merge.as_ref());
            let resolved = merge::resolve(&template, &given, &known);
            if !resolved.is_complete() {
                return Err(ApiError::template_values(problems(resolved)));
            }
            let filled = template::fill(&template, &resolved.values);
            filled.map_err(|error| ApiError::field("/template/merge", error.to_string()))?;
            resolved.values
        }
        // Without such a template the conversation says so.
        _ => body.parameters.iter().map(parameter).collect(),
    };
    let (name, language) = (body.name.as_str().into(), body.language.as_str().into());
    Ok(SendBody::Template { name, language, parameters })
}

/// A custom template is text: it can be submitted for approval as such.
pub(super) fn as_text(state: &AppState, caller: &Caller, body: SendBody) -> ApiResult<SendBody> {
    let SendBody::Template { name, language, parameters } = &body else { return Ok(body) };
    match find(state, caller, name, language).filter(|found| found.kind == TemplateKind::Custom) {
        Some(template) => {
            let filled = template::fill(&template, parameters).map_err(protocol::command::Refusal::from)?;
            Ok(SendBody::Text { body: filled.rendered, reply_to: None })
        }
        None => Ok(body),
    }
}

fn find(state: &AppState, caller: &Caller, name: &str, language: &str) -> Option<Template> {
    let directory = state.directory.load();
    let found = directory.tenants.get(&caller.tenant)?.templates.get(name)?.get(language)?;
    found.is_there().then(|| found.clone())
}

/// Values by name.
pub(crate) fn given(merge: Option<&BTreeMap<String, String>>) -> BTreeMap<CompactString, String> {
    merge.into_iter().flatten().map(|(name, text)| (name.as_str().into(), text.clone())).collect()
}

fn parameter(body: &ParameterBody) -> Parameter {
    match body {
        ParameterBody::Positional(text) => Parameter { name: None, text: text.clone() },
        ParameterBody::Named { name, text } => {
            Parameter { name: Some(name.as_str().into()), text: text.clone() }
        }
    }
}

fn problems(resolved: merge::Resolved) -> Vec<FieldError> {
    let at = |name: &str, detail: String| FieldError { pointer: format!("/template/merge/{name}"), detail };
    let missing = resolved.missing.iter().map(|name| {
        at(name, "has no value in the record; give one, or write it on the contact's card".to_owned())
    });
    let choices = resolved
        .choices
        .iter()
        .map(|(name, values)| at(name, format!("has several values, choose one: {}", values.join(", "))));
    let unknown =
        resolved.unknown.iter().map(|name| at(name, "is not a value that the template wants".to_owned()));
    missing.chain(choices).chain(unknown).collect()
}
