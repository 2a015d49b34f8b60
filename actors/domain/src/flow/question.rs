//! How a step is asked: as text, with buttons or with a list.

use protocol::content::{Choice, Content};
use protocol::directory::{Step, StepKind};

use super::answer::{Miss, option_id};
use crate::limits::{
    BUTTON_CHARS, BUTTONS, BUTTONS_BODY_CHARS, CHOICE_ID_CHARS, LIST_ROWS, ROW_CHARS, TEXT_CHARS,
};
use crate::texts;

/// The question of a step in the flow's language.
#[must_use]
pub fn ask(step: &Step, language: &str) -> Content {
    with_options(step, language, question(step, language))
}

/// The question after something else: why an answer did not fit, or a reminder.
#[must_use]
pub fn say_and_ask(first: &str, step: &Step, language: &str) -> Content {
    with_options(step, language, format!("{first}\n\n{}", question(step, language)))
}

impl Miss {
    /// What the person is told: the flow's own words, or ours.
    #[must_use]
    pub fn text(self, step: &Step, language: &str) -> String {
        let texts = texts::of(language);
        let kind = match self {
            Self::NotOptional => return format!("{} {}", texts.cannot_skip, texts.back_hint),
            Self::Kind(_) | Self::OutOfRange if step.retry.is_some() => {
                return step.retry.clone().unwrap_or_default();
            }
            Self::OutOfRange => return range(step, texts.out_of_range),
            Self::Kind(kind) => kind,
        };
        let what = match kind {
            StepKind::Text => texts.retry_text,
            StepKind::Choice => texts.retry_choice,
            StepKind::Number => texts.retry_number,
            StepKind::Date => texts.retry_date,
            StepKind::Email => texts.retry_email,
            StepKind::Phone => texts.retry_phone,
            StepKind::File => texts.retry_file,
            StepKind::Location => texts.retry_location,
            StepKind::Consent => texts.retry_consent,
        };
        format!("{what} {}", texts.back_hint)
    }
}

fn range(step: &Step, text: &str) -> String {
    match (&step.min, &step.max) {
        (Some(min), Some(max)) => format!("{text} ({min} – {max})"),
        (Some(min), None) => format!("{text} (≥ {min})"),
        (None, Some(max)) => format!("{text} (≤ {max})"),
        (None, None) => text.to_owned(),
    }
}

fn question(step: &Step, language: &str) -> String {
    if step.optional {
        format!("{}\n\n{}", step.ask, texts::of(language).skip_hint)
    } else {
        step.ask.clone()
    }
}

fn with_options(step: &Step, language: &str, body: String) -> Content {
    let texts = texts::of(language);
    let options: Vec<Choice> = match step.kind {
        StepKind::Choice => {
            let numbered = step.options.iter().zip(1..);
            numbered.map(|(title, n)| Choice { id: option_id(step, n), title: title.clone() }).collect()
        }
        StepKind::Consent => vec![
            Choice { id: option_id(step, "yes"), title: texts.yes.to_owned() },
            Choice { id: option_id(step, "no"), title: texts.no.to_owned() },
        ],
        _ => return text(body),
    };
    let longest = options.iter().map(|option| option.title.chars().count()).max().unwrap_or(0);
    let ids_fit = options.iter().all(|option| option.id.chars().count() <= CHOICE_ID_CHARS);
    let chars = body.chars().count();
    let buttons = options.len() <= BUTTONS && longest <= BUTTON_CHARS && chars <= BUTTONS_BODY_CHARS;
    let list =
        options.len() > BUTTONS && options.len() <= LIST_ROWS && longest <= ROW_CHARS && chars <= TEXT_CHARS;
    if ids_fit && !options.is_empty() && (buttons || list) {
        let list_button = list.then(|| texts.list_button.to_owned());
        Content::Interactive { body, options, list_button }
    } else {
        text(numbered(body, &options))
    }
}

/// For options that fit neither buttons nor a list: the person answers with the number.
fn numbered(mut body: String, options: &[Choice]) -> String {
    body.push('\n');
    for (option, number) in options.iter().zip(1..) {
        body.push_str(&format!("\n{number}. {}", option.title));
    }
    body
}

/// Text within the provider's limit; a flow is checked when it is made, so that this cuts nothing as a rule.
fn text(body: String) -> Content {
    let body = if body.chars().count() > TEXT_CHARS { body.chars().take(TEXT_CHARS).collect() } else { body };
    Content::Text { body }
}
