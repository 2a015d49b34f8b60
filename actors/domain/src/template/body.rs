//! The text of a template: fixed parts and `{{…}}` placeholders.

use compact_str::CompactString;
use protocol::command::Refusal;
use protocol::content::Parameter;

use crate::limits::TEMPLATE_SPACES;

/// A body taken apart. Total: whatever is not a well-formed placeholder is fixed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body<'a> {
    pub(super) parts: Vec<Part<'a>>,
}

/// One piece of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Said as it stands.
    Fixed(&'a str),
    /// Replaced by the value of this name, or of this number when it is all digits.
    Placeholder(&'a str),
}

/// Values in the order and form that the provider wants, and the text that results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// One for each expected value, named exactly when the template names it.
    pub parameters: Vec<Parameter>,
    /// For people who read the history.
    pub rendered: String,
}

/// Why values do not fit a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// Too many, too few or other names.
    #[error("the template wants {} values ({}), {given} were given or their names differ", .expected.len(), .expected.join(", "))]
    Mismatch {
        /// What it wants.
        expected: Vec<CompactString>,
        /// How many there were.
        given: usize,
    },
    /// The provider refuses empty values.
    #[error("value {index} is empty; the provider refuses empty values")]
    Empty {
        /// Counted from zero, as given.
        index: usize,
    },
    /// The provider refuses values of this form.
    #[error(
        "value {index} has a line break, a tab or more than {TEMPLATE_SPACES} spaces side by side; write it on one line"
    )]
    Broken {
        /// Counted from zero, as given.
        index: usize,
    },
    /// The provider refuses the text that results.
    #[error("the text has {chars} characters with its values, at most {limit} are allowed; shorten them")]
    TooLong {
        /// How long it would be.
        chars: usize,
        /// How long it may be.
        limit: usize,
    },
}

impl From<FillError> for Refusal {
    fn from(error: FillError) -> Self {
        let detail = error.to_string();
        match error {
            FillError::Mismatch { expected, given } => Self::TemplateParameters { expected, given },
            FillError::Empty { index } | FillError::Broken { index } => {
                Self::InvalidContent { pointer: format!("/template/parameters/{index}").into(), detail }
            }
            FillError::TooLong { .. } => {
                Self::InvalidContent { pointer: CompactString::const_new("/template/parameters"), detail }
            }
        }
    }
}

impl<'a> Body<'a> {
    /// Takes a body apart. Spaces inside the braces are allowed.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let (mut parts, mut rest, mut from) = (Vec::new(), text, 0);
        while let Some(open) = rest[from..].find("{{").map(|at| at + from) {
            let Some(close) = rest[open..].find("}}").map(|at| at + open) else { break };
            let name = rest[open + 2..close].trim();
            if is_name(name) {
                if open > 0 {
                    parts.push(Part::Fixed(&rest[..open]));
                }
                parts.push(Part::Placeholder(name));
                (rest, from) = (&rest[close + 2..], 0);
            } else {
                from = open + 1;
            }
        }
        if !rest.is_empty() {
            parts.push(Part::Fixed(rest));
        }
        Self { parts }
    }

    /// The values that the body wants, each once: numbers in their order, names as they appear.
    #[must_use]
    pub fn expected(&self) -> Vec<CompactString> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.placeholders() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if self.is_positional() {
            names.sort_by_key(|name| (name.len(), *name));
        }
        names.into_iter().map(CompactString::from).collect()
    }

    /// Checks the values and fills them in. Values may come by name, or all without names in the expected order.
    ///
    /// # Errors
    /// Says what is expected, or which value is not acceptable.
    pub fn fill(&self, given: &[Parameter]) -> Result<Filled, FillError> {
        let expected = self.expected();
        let Some(indexes) = assign(&expected, given) else {
            return Err(FillError::Mismatch { expected, given: given.len() });
        };
        if let Some(index) = given.iter().position(|value| value.text.trim().is_empty()) {
            return Err(FillError::Empty { index });
        }
        let value_of = |name: &str| {
            let place = expected.iter().position(|wanted| wanted == name)?;
            indexes.get(place).and_then(|&index| given.get(index)).map(|value| value.text.as_str())
        };
        let rendered = self.render(|name| value_of(name).map(str::to_owned));
        let named = !self.is_positional();
        let parameters = expected
            .iter()
            .zip(&indexes)
            .map(|(name, &index)| Parameter {
                name: named.then(|| name.clone()),
                text: given[index].text.clone(),
            })
            .collect();
        Ok(Filled { parameters, rendered })
    }

    /// The text with each placeholder replaced; one without a value stays as `{{name}}`.
    pub fn render(&self, value_of: impl Fn(&str) -> Option<String>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Fixed(fixed) => text.push_str(fixed),
                Part::Placeholder(name) => match value_of(name) {
                    Some(value) => text.push_str(&value),
                    None => text.extend(["{{", name, "}}"]),
                },
            }
        }
        text
    }

    /// Whether all placeholders are numbers.
    #[must_use]
    pub fn is_positional(&self) -> bool {
        self.placeholders().all(is_number)
    }

    pub(super) fn placeholders(&self) -> impl Iterator<Item = &'a str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder(name) => Some(*name),
            Part::Fixed(_) => None,
        })
    }
}

/// For each expected value the index of the given one, if they match one to one.
fn assign(expected: &[CompactString], given: &[Parameter]) -> Option<Vec<usize>> {
    if expected.len() != given.len() {
        return None;
    }
    if given.iter().all(|value| value.name.is_none()) {
        return Some((0..given.len()).collect());
    }
    expected.iter().map(|name| given.iter().position(|value| value.name.as_ref() == Some(name))).collect()
}

pub(super) fn is_number(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(texts: &[&str]) -> Vec<Parameter> {
        texts.iter().map(|text| Parameter { name: None, text: (*text).into() }).collect()
    }

    fn named(pairs: &[(&str, &str)]) -> Vec<Parameter> {
        pairs
            .iter()
            .map(|(name, text)| Parameter { name: Some((*name).into()), text: (*text).into() })
            .collect()
    }

    #[test]
    fn d13_positions_are_filled_in_their_order_and_may_repeat() {
        let body = Body::parse("Ciao {{2}}, ti aspettiamo il {{1}}. A presto {{ 2 }}!");
        assert_eq!(body.expected(), ["1", "2"]);
        let filled = body.fill(&values(&["lunedì", "Anna"])).unwrap();
        assert_eq!(filled.rendered, "Ciao Anna, ti aspettiamo il lunedì. A presto Anna!");
        assert_eq!(filled.parameters, values(&["lunedì", "Anna"]));
    }

    #[test]
    fn d13_names_match_in_any_order_and_go_out_in_order_of_appearance() {
        let body = Body::parse("{{first_name}}, see {{candidate.city}}");
        let filled = body.fill(&named(&[("candidate.city", "Rome"), ("first_name", "Ann")])).unwrap();
        assert_eq!(filled.rendered, "Ann, see Rome");
        assert_eq!(filled.parameters, named(&[("first_name", "Ann"), ("candidate.city", "Rome")]));
        assert_eq!(body.fill(&values(&["Ann", "Rome"])).unwrap(), filled);
    }

    #[test]
    fn d13_a_wrong_number_of_values_names_what_is_expected() {
        let body = Body::parse("{{1}} and {{2}} and {{10}}");
        let expected: Vec<CompactString> = ["1", "2", "10"].map(CompactString::from).to_vec();
        for given in [
            values(&[]),
            values(&["a", "b"]),
            values(&["a", "b", "c", "d"]),
            named(&[("1", "a"), ("2", "b"), ("x", "c")]),
        ] {
            let error = body.fill(&given).unwrap_err();
            assert_eq!(error, FillError::Mismatch { expected: expected.clone(), given: given.len() });
            assert_eq!(Refusal::from(error).code(), "template_parameters");
        }
    }

    #[test]
    fn empty_values_are_refused_with_their_place() {
        let body = Body::parse("Hi {{1}}, {{2}}.");
        let error = body.fill(&values(&["a", " "])).unwrap_err();
        let Refusal::InvalidContent { pointer, .. } = error.into() else { panic!("another refusal") };
        assert_eq!(pointer, "/template/parameters/1");
    }

    #[test]
    fn what_is_not_a_placeholder_stays_as_it_is() {
        for text in ["", "{{}}", "a {{b c}} d", "{{{", "}} {{", "{{1", "{ {1} }"] {
            let body = Body::parse(text);
            assert!(body.expected().is_empty(), "{text}");
            assert_eq!(body.fill(&[]).unwrap().rendered, text);
        }
        assert_eq!(Body::parse("{{{1}}}").fill(&values(&["x"])).unwrap().rendered, "{x}");
    }

    proptest! {
        #[test]
        fn parts_put_together_give_the_text_back(text in "[a{} 1é]{0,40}") {
            let back = Body::parse(&text).render(|_| None);
            // Only spaces inside the braces of a placeholder are lost.
            prop_assert_eq!(back.replace(' ', ""), text.replace(' ', ""));
        }

        #[test]
        fn values_are_never_read_as_placeholders(value in "[{}1 a]{1,12}") {
            prop_assume!(!value.trim().is_empty());
            let filled = Body::parse("-{{1}}-").fill(&values(&[&value])).unwrap();
            prop_assert_eq!(filled.rendered, format!("-{value}-"));
        }
    }
}
