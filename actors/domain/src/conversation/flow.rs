//! Drives an application: begins it, takes answers, reminds, completes, abandons.

use std::sync::Arc;

use protocol::command::{Mode, Party};
use protocol::content::Content;
use protocol::directory::{Flow, Step};
use protocol::fact::{Fact, NotificationKind};
use protocol::time::SpanMs;

use super::turn::Turn;
use super::{bot, vacancy};
use crate::flow::{FlowRun, Miss, Progress, ask, say_and_ask};
use crate::limits::FLOW_MISSES;
use crate::texts;

/// Begins an application and asks its first question.
pub(super) fn begin(turn: &mut Turn<'_>, flow: &Flow) {
    turn.state.run = Some(Box::new(FlowRun::begin(flow)));
    turn.fact(Fact::FlowStarted { flow: flow.id.clone(), version: flow.version });
    if let Some(vacancy) = &flow.vacancy {
        vacancy::set(turn, Some(vacancy.clone()), Party::Bot);
    }
    if flow.steps.is_empty() {
        complete(turn, flow);
    } else {
        ask_current(turn, flow);
    }
}

/// Takes what the person wrote as an answer. An application whose version is gone ends cleanly.
pub(super) fn answer(turn: &mut Turn<'_>, content: &Content) {
    let Some(flow) = running(turn) else {
        let texts = bot::texts(turn);
        abandon(turn);
        bot::say_text(turn, texts.flow_gone);
        return;
    };
    let Some(run) = &mut turn.state.run else { return };
    let (answered, progress) = run.take(&flow, content);
    if let Some((step, answer)) = answered {
        turn.fact(Fact::FlowAnswered { flow: flow.id.clone(), step, answer });
    }
    match progress {
        Progress::Ask => ask_current(turn, &flow),
        Progress::Retry(miss) => retry(turn, &flow, miss),
        Progress::Completed => complete(turn, &flow),
        Progress::Declined => {
            abandon(turn);
            bot::say_text(turn, texts::of(&flow.language).declined);
        }
    }
}

/// Breaks an application off, if one is under way.
pub(super) fn abandon(turn: &mut Turn<'_>) {
    if let Some(run) = turn.state.run.take() {
        turn.fact(Fact::FlowAbandoned { flow: run.flow });
    }
}

/// Reminds a person who stopped answering, once for each question.
pub(super) fn tick(turn: &mut Turn<'_>) {
    let now = turn.now();
    let Some(run) = &mut turn.state.run else { return };
    if run.remind_at.is_none_or(|at| at > now) {
        return;
    }
    run.remind_at = None;
    let Some(flow) = running(turn) else { return };
    let Some(step) = current(turn, &flow) else { return };
    if !turn.may_speak() || !turn.state.window_open(now) {
        return;
    }
    let words = flow.reminder.as_deref().unwrap_or(texts::of(&flow.language).reminder);
    let content = say_and_ask(words, step, &flow.language);
    turn.fact(Fact::FlowReminded { flow: flow.id.clone(), step: step.key.clone() });
    bot::say(turn, content);
}

fn running(turn: &Turn<'_>) -> Option<Arc<Flow>> {
    let run = turn.state.run.as_deref()?;
    turn.context.tenant.flows.get(&run.flow)?.get(&run.version).map(Arc::clone)
}

fn current<'f>(turn: &Turn<'_>, flow: &'f Flow) -> Option<&'f Step> {
    turn.state.run.as_deref()?.current(flow)
}

fn ask_current(turn: &mut Turn<'_>, flow: &Flow) {
    let Some(step) = current(turn, flow) else { return };
    wait_for_answer(turn, flow);
    turn.fact(Fact::FlowAsked { flow: flow.id.clone(), step: step.key.clone() });
    bot::say(turn, ask(step, &flow.language));
}

fn retry(turn: &mut Turn<'_>, flow: &Flow, miss: Miss) {
    let Some(step) = current(turn, flow) else { return };
    let content = say_and_ask(&miss.text(step, &flow.language), step, &flow.language);
    wait_for_answer(turn, flow);
    let misses = turn.state.run.as_ref().map_or(0, |run| run.misses);
    if misses <= FLOW_MISSES { bot::say(turn, content) } else { bot::error_reply(turn, content) }
}

fn wait_for_answer(turn: &mut Turn<'_>, flow: &Flow) {
    let after = SpanMs::seconds(i64::from(flow.reminder_after_seconds));
    let at = turn.now() + after;
    if let Some(run) = &mut turn.state.run {
        run.remind_at = (after.0 > 0).then_some(at);
    }
}

/// The application is complete: people read from now on, and the person is told so.
fn complete(turn: &mut Turn<'_>, flow: &Flow) {
    let Some(run) = turn.state.run.take() else { return };
    turn.fact(Fact::FlowCompleted {
        flow: flow.id.clone(),
        version: flow.version,
        answers: run.answers(flow),
        vacancy: flow.vacancy.clone(),
    });
    turn.set_mode(Mode::Direct, Party::Bot);
    turn.notify(NotificationKind::ApplicationCompleted, None);
    bot::say_text(turn, format!("{}\n\n{}", flow.completion, texts::of(&flow.language).completed));
}
