//! The highest rate that keeps the objectives.

use serde::Serialize;

use super::profile::{Objectives, Phase, Profile};
use super::stage::Stage;
use super::{Error, Run};

/// The search.
#[derive(Clone, Debug, Serialize)]
pub struct Knee {
    /// Requests per second.
    pub rate: f64,
    /// Every rate that was tried, in order.
    pub steps: Vec<Step>,
}

/// One rate.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Requests that were due per second.
    pub rate: f64,
    /// Accepted per second.
    pub accepted_per_second: f64,
    /// Of acknowledgements.
    pub p50_ms: f64,
    /// Of acknowledgements.
    pub p99_ms: f64,
    /// Requests that were not accepted.
    pub not_accepted: u64,
    /// Until everything was committed.
    pub drained_seconds: Option<f64>,
    /// The generator's own lateness: above the latency that is judged, the generator is the bottleneck.
    pub own_p99_ms: f64,
    /// The first objective that broke.
    pub broke: Option<&'static str>,
}

/// From one step to the next while nothing breaks.
const UP: f64 = 1.3;
/// More are not tried: ten steps up are a factor of 13.
const STEPS: usize = 12;
/// The knee is known this exactly in the end: within a twentieth.
const EXACT: f64 = 1.05;
/// Latency of acknowledgements that counts as broken when the profile says nothing.
const P99_MS: f64 = 50.0;
/// Commits that are so far behind at the end of a step do not keep pace.
const DRAINED_SECONDS: f64 = 2.0;

/// Steps up from the profile's rate until an objective breaks (down, when it is broken there), then halves the way
/// between the last two. Answers with the run at the knee; with the last one when there is no knee.
pub(super) fn find(stage: &mut Stage, profile: &Profile) -> Result<(Run, Knee), Error> {
    let mut search = Search { stage, profile, steps: Vec::new() };
    let mut run = search.try_rate(profile.rate)?;
    let (mut kept, mut broken) = search.sort(None, None);
    while search.steps.len() < STEPS {
        let rate = match (kept, broken) {
            (Some(kept), Some(broken)) if broken / kept <= EXACT => break,
            (Some(kept), Some(broken)) => f64::sqrt(kept * broken),
            (Some(kept), None) => kept * UP,
            (None, Some(broken)) => broken / UP,
            (None, None) => break,
        };
        let tried = search.try_rate(rate)?;
        let before = kept;
        (kept, broken) = search.sort(kept, broken);
        if kept != before || kept.is_none() {
            run = tried;
        }
    }
    Ok((run, Knee { rate: kept.unwrap_or(0.0), steps: search.steps }))
}

struct Search<'a> {
    stage: &'a mut Stage,
    profile: &'a Profile,
    steps: Vec<Step>,
}

impl Search<'_> {
    /// The highest rate that was kept and the lowest that broke, with the last step.
    fn sort(&self, kept: Option<f64>, broken: Option<f64>) -> (Option<f64>, Option<f64>) {
        match self.steps.last() {
            Some(step) if step.broke.is_none() => (Some(step.rate), broken),
            Some(step) => (kept, Some(step.rate)),
            None => (kept, broken),
        }
    }

    /// Plays one steady phase.
    fn try_rate(&mut self, rate: f64) -> Result<Run, Error> {
        let name = format!("{rate:.0}/s");
        let seconds = self.profile.phases[0].seconds;
        let phase = Phase { name, seconds, factor: 1.0, to: None, greedy: 0.0, overload: false };
        let mut profile = Profile { rate, phases: vec![phase], ..self.profile.clone() };
        // Each writes to the bot as often as before: the provider limits how often a contact is answered.
        profile.people.repliers =
            (f64::from(profile.people.repliers) * rate / self.profile.rate).ceil() as u32;
        let run = self.stage.play(&profile)?;
        let step = step(rate, &run, &self.profile.objectives);
        tracing::info!(
            rate,
            p50_ms = step.p50_ms,
            p99_ms = step.p99_ms,
            not_accepted = step.not_accepted,
            broke = step.broke,
            "tried"
        );
        self.steps.push(step);
        Ok(run)
    }
}

fn step(rate: f64, run: &Run, objectives: &Objectives) -> Step {
    let webhooks = &run.phases[0].webhooks;
    let latency = webhooks.latency_ms;
    let drained = run.drained_seconds.unwrap_or(f64::INFINITY);
    let at_most = |bar: Option<f64>, usual: f64| bar.unwrap_or(usual);
    let bars = [
        ("ack_p50_ms", latency.p50, at_most(objectives.ack_p50_ms, P99_MS)),
        ("ack_p99_ms", latency.p99, at_most(objectives.ack_p99_ms, P99_MS)),
        ("reply_p99_ms", run.replies.latency_ms.p99, at_most(objectives.reply_p99_ms, f64::INFINITY)),
        ("drained_seconds", drained, at_most(objectives.drained_seconds, DRAINED_SECONDS)),
    ];
    let refused = (webhooks.not_accepted() > 0).then_some("refused_share");
    let broke = bars.into_iter().find(|(_, measured, bar)| measured > bar).map(|(name, ..)| name);
    Step {
        rate,
        accepted_per_second: webhooks.per_second,
        p50_ms: latency.p50,
        p99_ms: latency.p99,
        not_accepted: webhooks.not_accepted(),
        drained_seconds: run.drained_seconds,
        own_p99_ms: run.lateness.own_ms.p99,
        broke: refused.or(broke),
    }
}
