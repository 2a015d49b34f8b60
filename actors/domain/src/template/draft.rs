//! A template as the provider is told of it.

use protocol::directory::Template;
use protocol::whatsapp::template::Draft;

use super::body::{Body, is_number};

/// What is submitted. Reviewers want a sample value of each parameter: one that nobody gave is made of its name.
#[must_use]
pub fn draft(template: &Template) -> Draft {
    let body = Body::parse(&template.body);
    let sample =
        |name: &str| if is_number(name) { format!("example {name}") } else { name.replace('_', " ") };
    let expected = body.expected();
    let given = template.examples.iter().cloned().map(Some).chain(std::iter::repeat(None));
    let parameters = expected.into_iter().zip(given);
    Draft {
        name: template.name.clone(),
        language: template.language.clone(),
        category: template.category,
        named: !body.is_positional(),
        // Spaces inside the braces are ours.
        body: body.render(|_| None),
        parameters: parameters
            .map(|(name, given)| (name.clone(), given.unwrap_or_else(|| sample(&name))))
            .collect(),
    }
}
