//! Whether a flow can be run: found out when it is made, not when a candidate answers.

use std::collections::BTreeSet;

use protocol::directory::{Flow, Step, StepKind};
use protocol::text::is_line;

use super::answer::parse_date;
use super::run::END;
use crate::limits::{
    FLOW_STEPS, FLOW_WORD_CHARS, LANGUAGE_CHARS, TEXT_CHARS, VACANCY_ID_CHARS, VACANCY_TITLE_CHARS,
};
use crate::words;

/// What is wrong with a flow, and how to cure it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// JSON pointer to the field.
    pub pointer: String,
    /// For people.
    pub detail: String,
}

/// Everything that is wrong with a flow.
#[must_use]
pub fn check(flow: &Flow) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut report =
        |pointer: String, detail: &str| problems.push(Problem { pointer, detail: detail.into() });
    if flow.id.as_str().chars().any(char::is_whitespace) {
        report("/id".into(), "must be one word that candidates type, like TEST0001");
    }
    for (pointer, text, most) in texts(flow) {
        if text.trim().is_empty() || text.chars().count() > most {
            report(pointer, &format!("must have 1 to {most} characters"));
        }
    }
    for (pointer, text, most) in vacancy(flow) {
        if !is_line(text, most) {
            report(pointer.into(), &format!("must have 1 to {most} characters on one line"));
        }
    }
    if flow.steps.is_empty() || flow.steps.len() > FLOW_STEPS {
        report("/steps".into(), &format!("must hold 1 to {FLOW_STEPS} steps"));
    }
    let mut keys = BTreeSet::new();
    for (index, step) in flow.steps.iter().enumerate() {
        if step.key == END || !keys.insert(&step.key) {
            report(format!("/steps/{index}/key"), "must be unique within the flow and not `end`");
        }
    }
    for (index, step) in flow.steps.iter().enumerate() {
        for (field, detail) in step_problems(flow, step) {
            report(format!("/steps/{index}/{field}"), &detail);
        }
    }
    problems
}

/// Every text of a flow outside its choices, with its place and the most characters that it may have.
fn texts(flow: &Flow) -> Vec<(String, &str, usize)> {
    let mut texts = vec![
        ("/id".to_owned(), flow.id.as_str(), FLOW_WORD_CHARS),
        ("/language".to_owned(), flow.language.as_str(), LANGUAGE_CHARS),
        ("/completion".to_owned(), flow.completion.as_str(), TEXT_CHARS),
    ];
    texts.extend(flow.reminder.iter().map(|text| ("/reminder".to_owned(), text.as_str(), TEXT_CHARS)));
    for (index, step) in flow.steps.iter().enumerate() {
        texts.push((format!("/steps/{index}/ask"), step.ask.as_str(), TEXT_CHARS));
        texts.push((format!("/steps/{index}/key"), step.key.as_str(), FLOW_WORD_CHARS));
        texts.extend(
            step.retry.iter().map(|text| (format!("/steps/{index}/retry"), text.as_str(), TEXT_CHARS)),
        );
        let option = |(place, text)| (format!("/steps/{index}/options/{place}"), text, TEXT_CHARS);
        texts.extend(step.options.iter().map(String::as_str).enumerate().map(option));
    }
    texts
}

/// What the vacancy says, as everywhere that one is given.
fn vacancy(flow: &Flow) -> impl Iterator<Item = (&'static str, &str, usize)> {
    let parts = flow.vacancy.iter().map(|vacancy| {
        [
            ("/vacancy/id", vacancy.id.as_str(), VACANCY_ID_CHARS),
            ("/vacancy/title", vacancy.title.as_str(), VACANCY_TITLE_CHARS),
        ]
    });
    parts.flatten()
}

fn step_problems(flow: &Flow, step: &Step) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    let mut report = |field: &str, detail: String| problems.push((field.to_owned(), detail));
    let is_choice = step.kind == StepKind::Choice;
    if is_choice == step.options.is_empty() {
        report("options", "must be given for steps of type `choice`, and only for them".into());
    }
    let distinct: BTreeSet<String> = step.options.iter().map(|option| words::fold(option)).collect();
    if distinct.len() != step.options.len() {
        report("options", "must differ by more than case and accents".into());
    }
    for (field, bound) in [("min", &step.min), ("max", &step.max)] {
        let readable = bound.as_deref().is_none_or(|bound| match step.kind {
            StepKind::Number => bound.parse::<rust_decimal::Decimal>().is_ok(),
            StepKind::Date => parse_date(bound).is_some(),
            _ => false,
        });
        if !readable {
            report(
                field,
                "must be a decimal number for `number` steps, a date like 2026-11-20 for `date` steps".into(),
            );
        }
    }
    for (answer, target) in &step.branches {
        if is_choice && !step.options.iter().any(|option| words::same(option, answer)) {
            report(&format!("branches/{answer}"), "must be one of the options".into());
        }
        if target != END && (*target == step.key || !flow.steps.iter().any(|other| other.key == *target)) {
            report(&format!("branches/{answer}"), "must lead to the key of another step, or to `end`".into());
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use protocol::id::{FlowId, TenantId};

    use super::*;

    fn step(key: &str, kind: StepKind) -> Step {
        Step {
            key: key.into(),
            ask: "?".into(),
            kind,
            options: Vec::new(),
            optional: false,
            retry: None,
            min: None,
            max: None,
            branches: BTreeMap::new(),
        }
    }

    fn flow(steps: Vec<Step>) -> Flow {
        Flow {
            id: FlowId::new("TEST0001"),
            tenant: TenantId(1),
            version: 1,
            language: "it".into(),
            vacancy: None,
            steps,
            completion: "Grazie".into(),
            reminder_after_seconds: 0,
            reminder: None,
        }
    }

    fn pointers(flow: &Flow) -> Vec<String> {
        check(flow).into_iter().map(|problem| problem.pointer).collect()
    }

    #[test]
    fn a8_a_flow_that_can_run_has_no_problems() {
        let choice = Step {
            options: vec!["Sì".into(), "No".into()],
            branches: BTreeMap::from([("no".into(), "end".into()), ("sì".into(), "age".into())]),
            ..step("licence", StepKind::Choice)
        };
        let age = Step { min: Some("18".into()), ..step("age", StepKind::Number) };
        assert_eq!(check(&flow(vec![step("name", StepKind::Text), choice, age])), []);
    }

    #[test]
    fn a8_problems_name_the_field() {
        let with = |change: fn(&mut Step)| {
            let mut changed = step("a", StepKind::Choice);
            changed.options = vec!["x".into(), "y".into()];
            change(&mut changed);
            flow(vec![changed, step("b", StepKind::Text)])
        };
        let table: [(Flow, &str); 9] = [
            (flow(Vec::new()), "/steps"),
            (flow(vec![step("a", StepKind::Text), step("a", StepKind::Text)]), "/steps/1/key"),
            (flow(vec![step("end", StepKind::Text)]), "/steps/0/key"),
            (with(|step| step.options.clear()), "/steps/0/options"),
            (with(|step| step.options[1] = "X".into()), "/steps/0/options"),
            (with(|step| step.ask = " ".into()), "/steps/0/ask"),
            (with(|step| step.min = Some("1".into())), "/steps/0/min"),
            (with(|step| drop(step.branches.insert("z".into(), "b".into()))), "/steps/0/branches/z"),
            (with(|step| drop(step.branches.insert("x".into(), "nowhere".into()))), "/steps/0/branches/x"),
        ];
        for (flow, expected) in table {
            assert_eq!(pointers(&flow), [expected]);
        }
    }
}
