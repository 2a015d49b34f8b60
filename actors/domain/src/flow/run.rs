//! One application under way.

use compact_str::CompactString;
use protocol::content::Content;
use protocol::directory::{Flow, Step, StepKind};
use protocol::fact::Answer;
use protocol::id::FlowId;
use protocol::time::TimestampMs;
use serde::{Deserialize, Serialize};

use super::answer::{self, Miss};
use crate::words;

/// Ends an application when a branch leads there.
pub(super) const END: &str = "end";

/// Where an application stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowRun {
    /// The flow.
    pub flow: FlowId,
    /// The version that it began with and finishes on.
    pub version: u32,
    /// Index of the step that waits for an answer.
    pub step: u16,
    /// Answers by step, in the order in which they were given: `back` takes the last one away.
    pub answers: Vec<(u16, Answer)>,
    /// When the person is to be reminded; `None` once reminded, or when switched off.
    pub remind_at: Option<TimestampMs>,
    /// Answers in a row that did not fit.
    pub misses: u8,
}

/// What follows from what a person wrote.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// The step that waits now has to be asked.
    Ask,
    /// The answer did not fit; the same step still waits.
    Retry(Miss),
    /// Every answer is there.
    Completed,
    /// The person did not agree: the application ends.
    Declined,
}

impl FlowRun {
    /// An application before its first answer.
    #[must_use]
    pub fn begin(flow: &Flow) -> Self {
        let version = flow.version;
        Self { flow: flow.id.clone(), version, step: 0, answers: Vec::new(), remind_at: None, misses: 0 }
    }

    /// The step that waits for an answer; `None` behind the last one.
    #[must_use]
    pub fn current<'f>(&self, flow: &'f Flow) -> Option<&'f Step> {
        flow.steps.get(usize::from(self.step))
    }

    /// Every answer under its step's key, in the order of the steps.
    #[must_use]
    pub fn answers(&self, flow: &Flow) -> Vec<(CompactString, Answer)> {
        let mut answers = self.answers.clone();
        answers.sort_by_key(|(step, _)| *step);
        answers
            .into_iter()
            .filter_map(|(step, answer)| Some((flow.steps.get(usize::from(step))?.key.clone(), answer)))
            .collect()
    }

    /// Takes what a person wrote as the answer to the step that waits. With the answer comes the step's key.
    pub fn take(&mut self, flow: &Flow, content: &Content) -> (Option<(CompactString, Answer)>, Progress) {
        let Some(step) = self.current(flow) else { return (None, Progress::Completed) };
        let text = content.typed_text().unwrap_or_default();
        if is_back(text) {
            self.back();
            return (None, Progress::Ask);
        }
        let answer = if words::same(text, "/skip") {
            if step.optional { Ok(Answer::Skipped) } else { Err(Miss::NotOptional) }
        } else {
            answer::read(step, &flow.language, content)
        };
        match answer {
            Ok(answer) => {
                let progress = self.record(flow, step, answer.clone());
                (Some((step.key.clone(), answer)), progress)
            }
            Err(miss) => {
                self.misses = self.misses.saturating_add(1);
                (None, Progress::Retry(miss))
            }
        }
    }

    fn back(&mut self) {
        self.misses = 0;
        if let Some((step, _)) = self.answers.pop() {
            self.step = step;
        }
    }

    fn record(&mut self, flow: &Flow, step: &Step, answer: Answer) -> Progress {
        let here = self.step;
        self.misses = 0;
        let next = next_step(flow, here, step, &answer);
        let declined = matches!((step.kind, &answer), (StepKind::Consent, Answer::Consent(false)));
        // A branch may lead back to a step that was answered before: the newer answer counts.
        self.answers.retain(|(answered, _)| *answered != here);
        self.answers.push((here, answer));
        match next {
            Next::Step(index) => self.step = index,
            Next::Default if declined => return Progress::Declined,
            Next::Default => self.step = here.saturating_add(1),
            Next::End => return if declined { Progress::Declined } else { Progress::Completed },
        }
        if self.current(flow).is_some() { Progress::Ask } else { Progress::Completed }
    }
}

enum Next {
    Default,
    Step(u16),
    End,
}

fn next_step(flow: &Flow, here: u16, step: &Step, answer: &Answer) -> Next {
    let said = match answer {
        Answer::Text(text) | Answer::Number(text) => text.as_str(),
        Answer::Consent(true) => "yes",
        Answer::Consent(false) => "no",
        Answer::Skipped => "skipped",
        Answer::File(_) | Answer::Location(..) => return Next::Default,
    };
    let Some((_, target)) = step.branches.iter().find(|(given, _)| words::same(given, said)) else {
        return Next::Default;
    };
    if target == END {
        return Next::End;
    }
    let index = flow.steps.iter().position(|step| step.key == *target);
    match index.and_then(|index| u16::try_from(index).ok()) {
        Some(index) if index != here => Next::Step(index),
        _ => Next::Default,
    }
}

/// `back` in the languages of the bot, with or without a slash.
fn is_back(text: &str) -> bool {
    let folded = words::fold(text);
    let word = folded.strip_prefix('/').unwrap_or(&folded);
    ["back", "indietro", "назад", "retour", "戻る", "voltar", "atras", "zuruck"]
        .iter()
        .any(|known| words::same(known, word))
}
