//! Free text against templates: one that says the same, or a new one made of it.

use compact_str::{CompactString, format_compact};
use protocol::content::{Category, Parameter};
use protocol::directory::{RecordType, Review, Template, TemplateKind, TemplateStatus};
use protocol::id::{TenantId, WabaId, derive};
use protocol::whatsapp::template::Listed;

use super::body::{Body, Part};
use super::rules::is_one_line;
use super::settle::synchronise;
use crate::directory::TenantDirectory;
use crate::limits::WORDING_VALUE_CHARS;

/// An approved template that says exactly this, with the values that make it so.
pub type Match<'a> = (&'a Template, Vec<Parameter>);

/// Finds an approved template of an account with the same wording. One with fewer values is nearer to it; the
/// tenant's own language decides between equals.
#[must_use]
pub fn same_wording<'a>(
    tenant: &'a TenantDirectory,
    account: Option<&WabaId>,
    text: &str,
) -> Option<Match<'a>> {
    let usable = |template: &&Template| {
        template.kind == TemplateKind::Approved
            && template.status == TemplateStatus::Approved
            && template.category != Category::Authentication
            && holds(template, account)
    };
    let templates = tenant.templates.values().flat_map(|languages| languages.values()).filter(usable);
    let matches = templates.filter_map(|template| Some((template, values(&template.body, text)?)));
    matches.min_by_key(|(template, values)| (values.len(), template.language != tenant.tenant.language))
}

/// Whether an account may send a template.
#[must_use]
pub fn holds(template: &Template, account: Option<&WabaId>) -> bool {
    let holder = template.review.account.as_ref();
    holder.is_none() || account.is_none() || holder == account
}

/// The values with which a body becomes a text; `None` when it cannot. Values stay on one line, are short and
/// together no longer than what the template itself says: otherwise `Hi {{1}}!` would fit every greeting.
fn values(body: &str, text: &str) -> Option<Vec<Parameter>> {
    let (body, text) = (Body::parse(body.trim()), text.trim());
    let mut found: Vec<(&str, &str)> = Vec::new();
    let (mut rest, mut open) = (text, None::<&str>);
    for part in &body.parts {
        match (*part, open.take()) {
            (Part::Fixed(fixed), None) => rest = rest.strip_prefix(fixed)?,
            (Part::Fixed(fixed), Some(name)) => {
                let at = value_end(rest, fixed, is_last(&body, part))?;
                found.push((name, &rest[..at]));
                rest = &rest[at + fixed.len()..];
            }
            // Two values side by side: nobody could tell where the first one ends.
            (Part::Placeholder(_), Some(_)) => return None,
            (Part::Placeholder(name), None) => open = Some(name),
        }
    }
    if let Some(name) = open {
        found.push((name, rest));
        rest = "";
    }
    let whole = rest.is_empty() && plausible(&found, text);
    let parameters = whole.then(|| assigned(&body, &found)).flatten()?;
    // Values that stand twice must be the same.
    (body.fill(&parameters).ok()?.rendered == text).then_some(parameters)
}

fn is_last(body: &Body<'_>, part: &Part<'_>) -> bool {
    body.parts.last().is_some_and(|last| std::ptr::eq(last, part))
}

/// Where a value ends: before the next fixed part, or the last one at the very end.
fn value_end(rest: &str, fixed: &str, last: bool) -> Option<usize> {
    let at = if last { rest.strip_suffix(fixed)?.len() } else { rest.find(fixed)? };
    (at > 0).then_some(at)
}

fn plausible(found: &[(&str, &str)], text: &str) -> bool {
    let chars = |text: &str| text.chars().count();
    let (values, all) = (found.iter().map(|(_, value)| chars(value)).sum::<usize>(), chars(text));
    values * 2 <= all
        && found.iter().all(|(_, value)| {
            !value.trim().is_empty() && is_one_line(value) && chars(value) <= WORDING_VALUE_CHARS
        })
}

/// One value for each parameter, in the order that a send wants.
fn assigned(body: &Body<'_>, found: &[(&str, &str)]) -> Option<Vec<Parameter>> {
    let named = !body.is_positional();
    let value_of = |name: &CompactString| {
        let (_, value) = found.iter().find(|(given, _)| given == name)?;
        Some(Parameter { name: named.then(|| name.clone()), text: (*value).to_owned() })
    };
    body.expected().iter().map(value_of).collect()
}

/// A template that the provider has and we do not, if it can be sent with the values of its body alone.
#[must_use]
pub fn of_listed(tenant: TenantId, listed: &Listed, account: &WabaId) -> Option<Template> {
    let category = listed.category.filter(|_| listed.is_plain)?;
    let made = of_message(tenant, (&listed.body, &listed.language, category), Some(account.clone()));
    let review = Review { of_message: false, ..made.review.clone() };
    let id = Template::id_of(tenant, &listed.name, &listed.language);
    let mut template = Template { id, name: listed.name.clone(), review, ..made };
    synchronise(&mut template, listed);
    Some(template)
}

/// A template made of a message: the same text in the same language is always the same template.
#[must_use]
pub fn of_message(
    tenant: TenantId,
    (text, language, category): (&str, &CompactString, Category),
    account: Option<WabaId>,
) -> Template {
    let text = text.trim();
    let holder = account.as_ref().map_or("", |account| account.as_str());
    let hash = derive("wording1", &[text.as_bytes(), language.as_bytes(), holder.as_bytes()]);
    let name = format_compact!("message_{hash:032x}");
    Template {
        id: Template::id_of(tenant, &name, language),
        tenant,
        name,
        kind: TemplateKind::Approved,
        language: language.clone(),
        category,
        record_type: RecordType::default(),
        body: text.to_owned(),
        status: TemplateStatus::Pending,
        reason: None,
        quality: None,
        provider_id: None,
        examples: Vec::new(),
        merge: std::collections::BTreeMap::new(),
        review: Review { account, of_message: true, ..Review::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(body: &str, text: &str) -> Option<Vec<String>> {
        values(body, text).map(|values| values.into_iter().map(|value| value.text).collect())
    }

    #[test]
    fn c4_the_same_wording_is_found_with_its_values() {
        let table: &[(&str, &str, Option<&[&str]>)] = &[
            ("Sei ancora interessato?", "Sei ancora interessato?", Some(&[])),
            ("Sei ancora interessato?", " Sei ancora interessato?\n", Some(&[])),
            ("Sei ancora interessato?", "Sei ancora interessata?", None),
            ("Ciao {{1}}, ti aspettiamo.", "Ciao Anna, ti aspettiamo.", Some(&["Anna"])),
            ("Ciao {{1}}", "Ciao Ivo", Some(&["Ivo"])),
            ("{{1}} ti aspettiamo il {{2}}.", "Anna ti aspettiamo il 3.", Some(&["Anna", "3"])),
            ("Il {{2}}, ciao {{1}}, ti aspettiamo.", "Il 3, ciao Ivo, ti aspettiamo.", Some(&["Ivo", "3"])),
            ("Ciao {{1}}, ciao {{1}}!", "Ciao Ivo, ciao Ivo!", Some(&["Ivo"])),
            ("Ciao {{1}}, ciao {{1}}!", "Ciao Ivo, ciao Ugo!", None),
            ("Ciao {{1}}!", "Ciao!", None),
            ("Ciao {{1}}!", "Ciao !", None),
            ("Ciao {{1}}!", "Ciao Anna, vuoi guadagnare tremila euro al mese senza fare nulla!", None),
            ("Ciao a te, mio caro {{1}}!", "Ciao a te, mio caro A\nB!", None),
            ("Uno {{1}}{{2}} due tre", "Uno ab due tre", None),
            ("Ciao.", "", None),
        ];
        for (body, text, expected) in table {
            let expected = expected.map(|values| values.iter().map(|value| (*value).to_owned()).collect());
            assert_eq!(texts(body, text), expected, "{body} {text}");
        }
    }

    #[test]
    fn c4_a_message_always_becomes_the_same_template() {
        let (italian, english) = (CompactString::const_new("it"), CompactString::const_new("en"));
        let made = |text: &str, language: &CompactString, account: &str| {
            of_message(TenantId(1), (text, language, Category::Utility), Some(WabaId::new(account)))
        };
        let first = made("Sei ancora interessato?", &italian, "1");
        assert_eq!(made(" Sei ancora interessato? ", &italian, "1"), first);
        assert!(crate::template::check(&first).is_empty());
        for other in [
            made("Sei interessato?", &italian, "1"),
            made("Sei ancora interessato?", &english, "1"),
            made("Sei ancora interessato?", &italian, "2"),
        ] {
            assert_ne!((other.name, other.language), (first.name.clone(), first.language.clone()));
        }
    }

    proptest! {
        #[test]
        fn c4_whatever_is_found_says_exactly_the_text(body in "[a {}1.]{0,20}", text in "[a 1.]{0,20}") {
            if let Some(values) = values(&body, &text) {
                let filled = Body::parse(body.trim()).fill(&values).unwrap();
                prop_assert_eq!(filled.rendered, text.trim());
            }
        }
    }
}
