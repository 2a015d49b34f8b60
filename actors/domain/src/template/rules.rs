//! What a template has to look like: the provider's rules for approved ones, ours for custom ones.

use protocol::content::Category;
use protocol::directory::{Template, TemplateKind};

use super::body::{Body, Part, is_number};
use super::merge::is_field;
use crate::limits::{
    CUSTOM_BODY_CHARS, TEMPLATE_BODY_CHARS, TEMPLATE_EXAMPLE_CHARS, TEMPLATE_LINE_BREAKS,
    TEMPLATE_NAME_CHARS, TEMPLATE_SPACES,
};

/// One thing that is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// JSON pointer to the field.
    pub pointer: &'static str,
    /// What is wrong and how to cure it.
    pub detail: String,
}

/// Languages that the provider takes, without their regions: regional codes are added by it every year.
const LANGUAGES: &[&str] = &[
    "af", "ar", "az", "be", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fil",
    "fr", "ga", "gu", "ha", "he", "hi", "hr", "hu", "id", "it", "ja", "ka", "kk", "kn", "ko", "ky", "lo",
    "lt", "lv", "mk", "ml", "mr", "ms", "nb", "nl", "pa", "pl", "prs", "ps", "pt", "ro", "ru", "rw", "si",
    "sk", "sl", "sq", "sr", "sv", "sw", "ta", "te", "th", "tr", "uk", "ur", "uz", "vi", "zh", "zu",
];

/// What merge fields of custom templates may begin with.
pub(super) const MERGE_ROOTS: &[&str] = &[
    "booking",
    "candidate",
    "client",
    "contact",
    "department",
    "interview",
    "job_opening",
    "organisation",
    "user",
];

/// Everything that is wrong with a template, all at once; empty when it may be stored and submitted.
#[must_use]
pub fn check(template: &Template) -> Vec<Problem> {
    let mut problems = Vec::new();
    check_language(&template.language, &mut problems);
    match template.kind {
        TemplateKind::Approved => check_approved(template, &mut problems),
        TemplateKind::Custom => check_custom(template, &mut problems),
    }
    check_examples(template, &mut problems);
    check_merge(template, &mut problems);
    problems
}

/// What is wrong with a change: kind and record type are fixed at creation.
#[must_use]
pub fn check_change(before: &Template, after: &Template) -> Vec<Problem> {
    // By the rules of the kind that it has.
    let mut problems = check(&Template { kind: before.kind, ..after.clone() });
    if before.record_type != after.record_type {
        push(&mut problems, "/record_type", "cannot change after creation; create another template");
    }
    if before.kind != after.kind {
        push(&mut problems, "/kind", "cannot change after creation; create another template");
    }
    problems
}

pub(super) fn push(problems: &mut Vec<Problem>, pointer: &'static str, detail: impl Into<String>) {
    problems.push(Problem { pointer, detail: detail.into() });
}

/// Whether the provider has templates in a language, by its code.
#[must_use]
pub fn is_language(code: &str) -> bool {
    let (base, region) = code.split_once('_').unwrap_or((code, "XX"));
    LANGUAGES.contains(&base) && region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn check_language(language: &str, problems: &mut Vec<Problem>) {
    if !is_language(language) {
        let cure = "must be a language code of the provider such as `it`, `en_US` or `pt_BR` (underscore, region in capitals)";
        push(problems, "/language", format!("`{language}` {cure}"));
    }
}

fn check_approved(template: &Template, problems: &mut Vec<Problem>) {
    let name = &template.name;
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || name.len() > TEMPLATE_NAME_CHARS || !name.bytes().all(fits) {
        let detail = format!("must be 1 to {TEMPLATE_NAME_CHARS} lower-case letters, digits and `_`");
        push(problems, "/name", detail);
    }
    if template.category == Category::Service {
        push(problems, "/category", "must be `marketing`, `utility` or `authentication`");
    }
    check_length(&template.body, TEMPLATE_BODY_CHARS, problems);
    check_gaps(&template.body, problems);
    let body = Body::parse(&template.body);
    check_edges(&body, problems);
    check_names(&body, problems);
    check_braces(&body, problems);
}

fn check_custom(template: &Template, problems: &mut Vec<Problem>) {
    let fits = |char: char| char.is_alphanumeric() || matches!(char, ' ' | '_' | '-');
    let chars = template.name.chars().count();
    if template.name.trim().is_empty() || chars > TEMPLATE_NAME_CHARS || !template.name.chars().all(fits) {
        let detail = format!("must be 1 to {TEMPLATE_NAME_CHARS} letters, digits, spaces, `_` and `-`");
        push(problems, "/name", detail);
    }
    check_length(&template.body, CUSTOM_BODY_CHARS, problems);
    let body = Body::parse(&template.body);
    for name in body.placeholders() {
        if let Some((root, _)) = name.split_once('.')
            && !MERGE_ROOTS.contains(&root)
        {
            let detail = format!("`{{{{{name}}}}}` must begin with one of {}", MERGE_ROOTS.join(", "));
            push(problems, "/body", detail);
        }
    }
    check_braces(&body, problems);
}

fn check_length(body: &str, limit: usize, problems: &mut Vec<Problem>) {
    let chars = body.chars().count();
    if body.trim().is_empty() {
        push(problems, "/body", "must not be empty");
    } else if chars > limit {
        push(problems, "/body", format!("has {chars} characters, at most {limit} are allowed"));
    }
}

/// White space that the provider refuses in what it approves.
fn check_gaps(body: &str, problems: &mut Vec<Problem>) {
    if body.contains('\t') {
        push(problems, "/body", "has a tab; write a space");
    }
    if has_run(body, " ", TEMPLATE_SPACES) {
        push(
            problems,
            "/body",
            format!("has more than {TEMPLATE_SPACES} spaces side by side; take some out"),
        );
    }
    if has_run(&body.replace('\r', ""), "\n", TEMPLATE_LINE_BREAKS) {
        push(problems, "/body", "has more than one empty line between two others; take some out");
    }
}

/// Whether the provider takes a text as the value of a parameter, as far as its form goes.
pub(super) fn is_one_line(value: &str) -> bool {
    !value.contains(['\n', '\r', '\t']) && !has_run(value, " ", TEMPLATE_SPACES)
}

fn has_run(text: &str, of: &str, longer_than: usize) -> bool {
    text.contains(&of.repeat(longer_than + 1))
}

/// The provider refuses a variable at either end (2388299); white space beside it does not count.
fn check_edges(body: &Body<'_>, problems: &mut Vec<Problem>) {
    let mut spoken =
        body.parts.iter().filter(|part| !matches!(part, Part::Fixed(text) if text.trim().is_empty()));
    let first = spoken.next();
    let last = spoken.next_back().or(first);
    if matches!(first, Some(Part::Placeholder(_))) {
        push(problems, "/body", "must not begin with a parameter; put a word before it");
    }
    if matches!(last, Some(Part::Placeholder(_))) {
        push(problems, "/body", "must not end with a parameter; put a word or a full stop after it");
    }
}

fn check_names(body: &Body<'_>, problems: &mut Vec<Problem>) {
    let expected = body.expected();
    let numbers = expected.iter().filter(|name| is_number(name)).count();
    if numbers != 0 && numbers != expected.len() {
        push(problems, "/body", "must have either numbered or named parameters, not both");
    } else if numbers != 0 {
        if !expected.iter().enumerate().all(|(index, name)| *name == (index + 1).to_string()) {
            push(problems, "/body", "must number its parameters {{1}}, {{2}} … without gaps");
        }
    } else if expected.iter().any(|name| name.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'.')) {
        push(problems, "/body", "must name its parameters with lower-case letters, digits and `_`");
    }
}

fn check_braces(body: &Body<'_>, problems: &mut Vec<Problem>) {
    let stray =
        |part: &Part<'_>| matches!(part, Part::Fixed(text) if text.contains("{{") || text.contains("}}"));
    if body.parts.iter().any(stray) {
        push(problems, "/body", "has `{{` or `}}` that is not part of a parameter such as {{1}} or {{name}}");
    }
}

/// Samples may be left out, but not some of them: nobody could tell which is whose.
fn check_examples(template: &Template, problems: &mut Vec<Problem>) {
    let (given, wanted) = (template.examples.len(), Body::parse(&template.body).expected().len());
    let fits = |text: &String| {
        let chars = text.trim().chars().count();
        chars > 0 && chars <= TEMPLATE_EXAMPLE_CHARS
    };
    if given != 0 && given != wanted {
        let detail =
            format!("has {given} values, the text has {wanted} parameters; give one for each, or none");
        push(problems, "/examples", detail);
    } else if !template.examples.iter().all(fits) {
        let detail = format!("each sample value must have 1 to {TEMPLATE_EXAMPLE_CHARS} characters");
        push(problems, "/examples", detail);
    }
}

/// Parameters of approved templates have no names with points: what fills them is said beside them.
fn check_merge(template: &Template, problems: &mut Vec<Problem>) {
    let wanted = Body::parse(&template.body).expected();
    for (parameter, field) in &template.merge {
        if !wanted.contains(parameter) {
            push(problems, "/merge", format!("`{parameter}` is not a parameter of the text"));
        } else if !is_field(field) {
            let roots = MERGE_ROOTS.join(", ");
            push(
                problems,
                "/merge",
                format!("`{field}` must be a field such as candidate.first_name, of {roots}"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::tests::sample;
    use protocol::directory::RecordType;

    fn template(kind: TemplateKind, name: &str, language: &str, body: &str) -> Template {
        Template { name: name.into(), kind, language: language.into(), ..sample(body) }
    }

    fn pointers(template: &Template) -> Vec<&'static str> {
        check(template).into_iter().map(|problem| problem.pointer).collect()
    }

    #[test]
    fn d13_approved_templates_keep_the_providers_rules() {
        let table: &[(&str, &str, &str, &[&str])] = &[
            ("interview_invite", "it", "Ciao {{1}}, ti aspettiamo il {{2}}.", &[]),
            ("a", "pt_BR", "Hello {{first_name}}!", &[]),
            ("Interview", "it", "Ciao.", &["/name"]),
            ("", "it", "Ciao.", &["/name"]),
            ("a", "en-US", "Hi.", &["/language"]),
            ("a", "xx", "Hi.", &["/language"]),
            ("a", "en_us", "Hi.", &["/language"]),
            ("a", "it", " ", &["/body"]),
            ("a", "it", "{{1}} ciao.", &["/body"]),
            ("a", "it", "Ciao {{1}} ", &["/body"]),
            ("a", "it", "{{1}}", &["/body", "/body"]),
            ("a", "it", "Ciao {{1}} e {{3}}.", &["/body"]),
            ("a", "it", "Ciao {{1}} e {{name}}.", &["/body"]),
            ("a", "it", "Ciao {{First}}.", &["/body"]),
            ("a", "it", "Ciao {{ }}.", &["/body"]),
            ("a", "it", "Ciao.\r\n\r\nA    presto.", &[]),
            ("a", "it", "Ciao.\n\n\nA presto.", &["/body"]),
            ("a", "it", "Ciao.\tA     presto.", &["/body", "/body"]),
            ("è!", "de-", "{{2}}", &["/language", "/name", "/body", "/body", "/body"]),
        ];
        for (name, language, body, expected) in table {
            let template = template(TemplateKind::Approved, name, language, body);
            assert_eq!(pointers(&template), *expected, "{name} {language} {body}");
        }
        let long = "x".repeat(TEMPLATE_BODY_CHARS + 1);
        assert_eq!(pointers(&template(TemplateKind::Approved, "a", "it", &long)), ["/body"]);
        let service =
            Template { category: Category::Service, ..template(TemplateKind::Approved, "a", "it", "Ciao.") };
        assert_eq!(pointers(&service), ["/category"]);
    }

    #[test]
    fn d13_custom_templates_take_merge_fields_and_no_emoji_in_the_name() {
        let custom = |name, body| pointers(&template(TemplateKind::Custom, name, "it", body));
        assert!(custom("Grazie mille", "{{candidate.first_name}}, grazie!").is_empty());
        assert_eq!(custom("Grazie 🎉", "Ciao."), ["/name"]);
        assert_eq!(custom("grazie", "Ciao {{canditate.first_name}}."), ["/body"]);
        assert!(custom("grazie", &"x".repeat(CUSTOM_BODY_CHARS)).is_empty());
    }

    #[test]
    fn d13_samples_and_merge_fields_belong_to_parameters() {
        let plain = template(TemplateKind::Approved, "a", "it", "Ciao {{1}}, a {{2}}.");
        let with = |examples: &[&str], merge: &[(&str, &str)]| {
            let examples = examples.iter().map(|text| (*text).to_owned()).collect();
            let merge = merge.iter().map(|(name, field)| ((*name).into(), (*field).into())).collect();
            pointers(&Template { examples, merge, ..plain.clone() })
        };
        assert!(with(&["Anna", "Roma"], &[("1", "candidate.first_name")]).is_empty());
        assert_eq!(with(&["Anna"], &[]), ["/examples"]);
        assert_eq!(with(&["Anna", " "], &[]), ["/examples"]);
        for wrong in
            [("3", "candidate.first_name"), ("1", "first_name"), ("1", "canditate.name"), ("1", "user.")]
        {
            assert_eq!(with(&[], &[wrong]), ["/merge"], "{wrong:?}");
        }
    }

    #[test]
    fn d13_record_type_and_kind_are_fixed_at_creation() {
        let before = template(TemplateKind::Approved, "a", "it", "Ciao.");
        let after =
            Template { record_type: RecordType::Contact, kind: TemplateKind::Custom, ..before.clone() };
        let problems: Vec<_> =
            check_change(&before, &after).into_iter().map(|problem| problem.pointer).collect();
        assert_eq!(problems, ["/record_type", "/kind"]);
    }

    #[test]
    fn d13_values_may_not_make_a_text_longer_than_its_kind_allows() {
        let value = |chars| [protocol::content::Parameter { name: None, text: "x".repeat(chars) }];
        for (kind, limit) in
            [(TemplateKind::Approved, TEMPLATE_BODY_CHARS), (TemplateKind::Custom, CUSTOM_BODY_CHARS)]
        {
            let template = template(kind, "a", "it", "-{{1}}-");
            assert!(crate::template::fill(&template, &value(limit - 2)).is_ok());
            let error = crate::template::fill(&template, &value(limit)).unwrap_err();
            assert_eq!(protocol::command::Refusal::from(error).code(), "invalid_content");
        }
    }

    #[test]
    fn d13_values_of_approved_templates_stay_on_one_line() {
        for text in ["a\nb", "a\tb", "a     b"] {
            let value = [protocol::content::Parameter { name: None, text: text.to_owned() }];
            let fill = |kind| crate::template::fill(&template(kind, "a", "it", "-{{1}}-"), &value);
            let error = fill(TemplateKind::Approved).unwrap_err();
            let protocol::command::Refusal::InvalidContent { pointer, .. } = error.into() else { panic!() };
            assert_eq!(pointer, "/template/parameters/0");
            assert!(fill(TemplateKind::Custom).is_ok(), "is text");
        }
    }

    #[test]
    fn d13_there_are_more_than_sixty_languages() {
        assert!(LANGUAGES.len() > 60);
        assert!(LANGUAGES.is_sorted() && MERGE_ROOTS.is_sorted(), "kept sorted for readers");
    }
}
