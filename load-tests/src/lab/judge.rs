//! What was promised of a load against what was measured.

use serde::Serialize;

use super::measure::{PhaseNumbers, Second};
use super::profile::{Objectives, Phase};
use super::watch::Look;
use crate::load::to_f64;

/// One objective.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// Its key in the profile.
    pub name: &'static str,
    /// The bar.
    pub at_most: f64,
    /// What was measured; nothing when it never came to that.
    pub measured: Option<f64>,
    /// Whether it was kept.
    pub kept: bool,
}

/// What objectives are about.
pub(super) struct Evidence<'a> {
    pub(super) phases: &'a [PhaseNumbers],
    pub(super) plan: &'a [Phase],
    pub(super) seconds: &'a [Second],
    pub(super) looks: &'a [Look],
    pub(super) reply_p99_ms: f64,
    pub(super) drained_seconds: Option<f64>,
}

/// A second is good again when its latency is below this and nothing is refused, unless the profile says otherwise.
const GOOD_P99_MS: f64 = 50.0;

/// Judges every objective that has a bar.
pub(super) fn judge(objectives: &Objectives, evidence: &Evidence<'_>) -> Vec<Judged> {
    let worst = |of: fn(&PhaseNumbers) -> f64| Some(calm(evidence.phases).map(of).fold(0.0, f64::max));
    let good_ms = objectives.ack_p99_ms.unwrap_or(GOOD_P99_MS);
    let measured = [
        ("ack_p50_ms", objectives.ack_p50_ms, worst(|phase| phase.webhooks.latency_ms.p50)),
        ("ack_p99_ms", objectives.ack_p99_ms, worst(|phase| phase.webhooks.latency_ms.p99)),
        ("overload_ack_p99_ms", objectives.overload_ack_p99_ms, Some(overload_p99(evidence.phases))),
        ("reply_p99_ms", objectives.reply_p99_ms, Some(evidence.reply_p99_ms)),
        ("refused_share", objectives.refused_share, Some(refused_share(evidence.phases))),
        ("recovery_seconds", objectives.recovery_seconds, recovery_seconds(evidence, good_ms)),
        ("memory_growth", objectives.memory_growth, Some(memory_growth(evidence.looks))),
        ("others_p99_factor", objectives.others_p99_factor, Some(others_factor(evidence))),
        ("drained_seconds", objectives.drained_seconds, evidence.drained_seconds),
    ];
    let judged = measured.into_iter().filter_map(|(name, bar, measured)| {
        let at_most = bar?;
        Some(Judged { name, at_most, measured, kept: measured.is_some_and(|measured| measured <= at_most) })
    });
    judged.collect()
}

/// Phases without overload, nor what is left of one: how soon that is over, the recovery says.
fn calm(phases: &[PhaseNumbers]) -> impl Iterator<Item = &PhaseNumbers> {
    let recovers = |index: usize| index > 0 && phases[index - 1].overload;
    let is_calm = move |(index, phase): &(usize, &PhaseNumbers)| !phase.overload && !recovers(*index);
    phases.iter().enumerate().filter(is_calm).map(|(_, phase)| phase)
}

/// From sending: that the generator has fewer connections than it would need is not the gateway's fault.
fn overload_p99(phases: &[PhaseNumbers]) -> f64 {
    let overload = phases.iter().filter(|phase| phase.overload);
    overload.map(|phase| phase.webhooks.answer_ms.p99).fold(0.0, f64::max)
}

fn refused_share(phases: &[PhaseNumbers]) -> f64 {
    let (mut refused, mut requests) = (0, 0);
    for numbers in calm(phases).flat_map(|phase| phase.kinds.values()) {
        refused += numbers.not_accepted();
        requests += numbers.requests;
    }
    to_f64(refused) / to_f64(requests.max(1))
}

/// From the end of the last phase of overload to the first second from which on all are good. A last second that is
/// not good means that it never recovered.
fn recovery_seconds(evidence: &Evidence<'_>, good_ms: f64) -> Option<f64> {
    let last = evidence.plan.iter().rposition(|phase| phase.overload);
    let Some(last) = last else { return Some(0.0) };
    let end: f64 = evidence.plan[..=last].iter().map(|phase| phase.seconds).sum();
    let over: f64 = evidence.plan.iter().map(|phase| phase.seconds).sum();
    // A few stragglers behind the last whole second say nothing about it.
    let whole = |second: &&Second| to_f64(second.second) >= end && to_f64(second.second + 1) <= over;
    let after = || evidence.seconds.iter().filter(whole);
    let is_bad = |second: &&Second| second.refused > 0 || second.p99_ms > good_ms;
    let last_bad = after().rfind(is_bad);
    match (last_bad, after().next_back()) {
        (Some(bad), Some(newest)) if bad.second == newest.second => None,
        (Some(bad), _) => Some(to_f64(bad.second + 1) - end),
        (None, _) => Some(0.0),
    }
}

/// Highest memory in the last third over the highest in the middle third.
fn memory_growth(looks: &[Look]) -> f64 {
    let third = looks.len() / 3;
    let highest = |looks: &[Look]| {
        let bytes = looks.iter().map(|look| look.gateway.memory_bytes >> 10).max();
        to_f64(bytes.unwrap_or(0))
    };
    let before = highest(&looks[third..2 * third]);
    if before > 0.0 { highest(&looks[2 * third..]) / before } else { 1.0 }
}

/// p99 of everybody else in the worst phase with a greedy tenant, over that of the worst phase without.
fn others_factor(evidence: &Evidence<'_>) -> f64 {
    let worst = |greedy: bool| {
        let phases = evidence.plan.iter().zip(evidence.phases);
        let phases = phases.filter(|(plan, _)| (plan.greedy > 0.0) == greedy);
        phases.map(|(_, phase)| phase.others.latency_ms.p99).fold(0.0, f64::max)
    };
    let alone = worst(false);
    if alone > 0.0 { worst(true) / alone } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(name: &str, seconds: f64, overload: bool) -> Phase {
        Phase { name: name.into(), seconds, factor: 1.0, to: None, greedy: 0.0, overload }
    }

    fn second(second: u64, p99_ms: f64, refused: u64) -> Second {
        Second { second, requests: 100, accepted: 100 - refused, refused, p50_ms: 1.0, p99_ms }
    }

    fn recovery(seconds: &[Second]) -> Option<f64> {
        let plan = [phase("before", 1.0, false), phase("spike", 2.0, true), phase("after", 3.0, false)];
        let evidence = Evidence {
            phases: &[],
            plan: &plan,
            seconds,
            looks: &[],
            reply_p99_ms: 0.0,
            drained_seconds: None,
        };
        recovery_seconds(&evidence, 50.0)
    }

    #[test]
    fn it_recovers_when_the_last_bad_second_is_over() {
        let begin = [second(0, 1.0, 0), second(1, 900.0, 9), second(2, 900.0, 9)];
        let with = |after: [Second; 3]| recovery(&[&begin[..], &after].concat());
        assert_eq!(with([second(3, 2.0, 0), second(4, 2.0, 0), second(5, 2.0, 0)]), Some(0.0));
        assert_eq!(with([second(3, 80.0, 0), second(4, 2.0, 1), second(5, 2.0, 0)]), Some(2.0));
        assert_eq!(with([second(3, 2.0, 0), second(4, 2.0, 0), second(5, 80.0, 0)]), None);
        let straggler = [second(3, 2.0, 0), second(4, 2.0, 0), second(5, 2.0, 0), second(6, 80.0, 0)];
        assert_eq!(recovery(&[&begin[..], &straggler].concat()), Some(0.0));
    }

    #[test]
    fn memory_is_compared_with_the_middle_third() {
        let look = |mebibytes: u64| {
            let gateway = crate::process::Usage { cpu_seconds: 0.0, memory_bytes: mebibytes << 20 };
            Look { gateway, ..Look::default() }
        };
        let looks = [10, 90, 100, 100, 110, 105].map(look);
        assert!((memory_growth(&looks) - 1.1).abs() < 1e-9);
    }
}
