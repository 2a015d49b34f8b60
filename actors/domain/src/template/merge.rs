//! Merge fields: parameters filled from the record.

use std::collections::BTreeMap;

use compact_str::CompactString;
use protocol::content::Parameter;
use protocol::directory::Template;

use super::expected;
use super::rules::MERGE_ROOTS;

/// What is known of a record: merge fields such as `candidate.first_name` with every value that they may have.
pub type Known = BTreeMap<CompactString, Vec<String>>;

/// What became of the parameters of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Values that were given or are known, in the order that the template wants them.
    pub values: Vec<Parameter>,
    /// Parameters (or their merge fields) without a value.
    pub missing: Vec<CompactString>,
    /// Merge fields with several values: one has to be chosen.
    pub choices: BTreeMap<CompactString, Vec<String>>,
    /// Names that were given and that the template does not want.
    pub unknown: Vec<CompactString>,
}

impl Resolved {
    /// Whether the template can be sent.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.choices.is_empty() && self.unknown.is_empty()
    }
}

/// The merge field behind a parameter: named beside the text, or the parameter itself.
#[must_use]
pub fn field<'a>(template: &'a Template, parameter: &'a CompactString) -> Option<&'a CompactString> {
    template.merge.get(parameter).or_else(|| parameter.contains('.').then_some(parameter))
}

/// Whether a name is that of a merge field, such as `candidate.first_name`.
#[must_use]
pub fn is_field(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let known = |(root, name): (&str, &str)| {
        MERGE_ROOTS.contains(&root) && !name.is_empty() && name.bytes().all(fits)
    };
    name.split_once('.').is_some_and(known)
}

/// Whether any parameter can be filled from a record.
#[must_use]
pub fn has_fields(template: &Template) -> bool {
    expected(template).iter().any(|parameter| field(template, parameter).is_some())
}

/// Fills the parameters of a template: what is given wins, by the name of the parameter or of its field; the rest
/// comes from the record.
#[must_use]
pub fn resolve(template: &Template, given: &BTreeMap<CompactString, String>, known: &Known) -> Resolved {
    let expected = expected(template);
    let mut resolved = Resolved::default();
    for parameter in &expected {
        let field = field(template, parameter);
        let name = field.unwrap_or(parameter);
        let chosen = given.get(parameter).or_else(|| given.get(name));
        let possible = field.and_then(|field| known.get(field)).map_or(&[][..], Vec::as_slice);
        let value = match (chosen, possible) {
            (Some(chosen), _) => Some(chosen),
            (None, [only]) => Some(only),
            (None, []) => {
                resolved.missing.push(name.clone());
                None
            }
            (None, several) => {
                resolved.choices.insert(name.clone(), several.to_vec());
                None
            }
        };
        resolved
            .values
            .extend(value.map(|text| Parameter { name: Some(parameter.clone()), text: text.clone() }));
    }
    let wanted = |name: &CompactString| {
        expected.contains(name) || expected.iter().any(|parameter| field(template, parameter) == Some(name))
    };
    resolved.unknown = given.keys().filter(|name| !wanted(name)).cloned().collect();
    resolved
}

#[cfg(test)]
mod tests {
    use protocol::content::Category;
    use protocol::id::{TenantId, WabaId};

    use super::*;
    use crate::template::{fill, of_message};

    fn template(body: &str, merge: &[(&str, &str)]) -> Template {
        let made = of_message(TenantId(1), (body, &"it".into(), Category::Utility), Some(WabaId::new("77")));
        let merge = merge.iter().map(|(name, field)| ((*name).into(), (*field).into())).collect();
        Template { merge, ..made }
    }

    fn known() -> Known {
        let one = |text: &str| vec![text.to_owned()];
        Known::from([
            ("candidate.first_name".into(), one("Anna")),
            ("interview.date".into(), vec!["lunedì".to_owned(), "martedì".to_owned()]),
        ])
    }

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<CompactString, String> {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).to_owned())).collect()
    }

    #[test]
    fn d3_fields_come_from_the_record_and_what_is_given_wins() {
        let numbered = template(
            "Ciao {{1}}, ci vediamo {{2}}.",
            &[("1", "candidate.first_name"), ("2", "interview.date")],
        );
        let named = template("Ciao {{candidate.first_name}}, ci vediamo {{interview.date}}.", &[]);
        for template in [numbered, named] {
            assert!(has_fields(&template));
            let open = resolve(&template, &given(&[]), &known());
            assert!(!open.is_complete());
            assert_eq!(open.choices["interview.date"], ["lunedì", "martedì"], "one has to be chosen");
            let chosen = resolve(&template, &given(&[("interview.date", "lunedì")]), &known());
            assert!(chosen.is_complete());
            let filled = fill(&template, &chosen.values).unwrap();
            assert_eq!(filled.rendered, "Ciao Anna, ci vediamo lunedì.");
            let other = given(&[("interview.date", "lunedì"), ("candidate.first_name", "Ivo")]);
            assert_eq!(
                fill(&template, &resolve(&template, &other, &known()).values).unwrap().rendered,
                "Ciao Ivo, ci vediamo lunedì."
            );
        }
    }

    #[test]
    fn d3_missing_and_unknown_names_are_told() {
        let template = template("{{candidate.first_name}}: {{booking.day}}, {{user.name}}", &[]);
        let resolved = resolve(&template, &given(&[("user.name", "Ivo"), ("colour", "red")]), &known());
        assert_eq!(resolved.missing, ["booking.day"]);
        assert_eq!(resolved.unknown, ["colour"]);
        assert_eq!(resolved.values.len(), 2);
    }

    #[test]
    fn d4_a_parameter_without_a_field_has_to_be_given() {
        let template = template("Ciao {{1}}!", &[]);
        assert!(!has_fields(&template));
        assert_eq!(resolve(&template, &given(&[]), &known()).missing, ["1"]);
        assert!(resolve(&template, &given(&[("1", "x")]), &known()).is_complete());
    }
}
