//! Numbers of a played script: by kind and phase, second by second, and how late the generator itself was.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::load::to_f64;

use super::play::{Outcome, Played};
use super::profile::Phase;
use super::render::original;
use super::script::What;

/// Kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Webhooks with messages.
    Messages,
    /// Webhooks with statuses.
    Statuses,
    /// Calls of the API.
    Calls,
}

/// Requests of one kind.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Numbers {
    /// That were due.
    pub requests: u64,
    /// Accepted: 200, calls 202.
    pub accepted: u64,
    /// Answered otherwise, by HTTP status; 0 when there was no answer.
    pub refused: BTreeMap<u16, u64>,
    /// Never sent, since the load was over before a connection was free.
    pub unsent: u64,
    /// Accepted per second of the phase.
    pub per_second: f64,
    /// Latency of accepted ones from the intended start, by percentile.
    pub latency_ms: Latency,
    /// The same from the moment at which they were sent, without their wait for a free connection.
    pub answer_ms: Latency,
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half of all are below.
    pub p50: f64,
    /// 9 of 10.
    pub p90: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1,000.
    pub p999: f64,
    /// All.
    pub max: f64,
}

/// One phase.
#[derive(Clone, Debug, Serialize)]
pub struct PhaseNumbers {
    /// Its name.
    pub name: String,
    /// How long it was meant to last.
    pub seconds: f64,
    /// More than the gateway can take, on purpose.
    pub overload: bool,
    /// All webhooks.
    pub webhooks: Numbers,
    /// By kind.
    pub kinds: BTreeMap<Kind, Numbers>,
    /// Webhooks of everybody but the first tenant.
    pub others: Numbers,
}

/// One second by the intended start of its webhooks.
#[derive(Clone, Debug, Serialize)]
pub struct Second {
    /// Since the beginning.
    pub second: u64,
    /// Due.
    pub requests: u64,
    /// Accepted.
    pub accepted: u64,
    /// Not accepted.
    pub refused: u64,
    /// Of the accepted ones.
    pub p50_ms: f64,
    /// Of the accepted ones.
    pub p99_ms: f64,
}

/// How late requests were sent although a connection was free: the generator's own fault. Without phases of overload,
/// where it has no processor left.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Lateness {
    /// Of these requests.
    pub own_ms: Latency,
    /// Part of the requests that had to wait for a free connection: the gateway's fault, and in their latency.
    pub waited_for_connection: f64,
}

impl Lateness {
    /// Whether latencies say something about the gateway, and not about the generator.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.own_ms.p99 <= MAX_LATENESS_MS
    }
}

/// A fifth of the latency that we allow the gateway.
const MAX_LATENESS_MS: f64 = 10.0;
const LONGEST_US: u64 = 120_000_000;

/// Collects latencies.
pub(super) struct Times(Option<Histogram<u64>>);

impl Times {
    pub(super) fn new(digits: u8) -> Self {
        // `None` for other bounds than these, which are valid.
        Self(Histogram::new_with_bounds(1, LONGEST_US, digits).ok())
    }

    pub(super) fn add(&mut self, micros: u64) {
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record(micros.max(1));
        }
    }

    pub(super) fn at_ms(&self, quantile: f64) -> f64 {
        self.0.as_ref().map_or(0.0, |histogram| to_f64(histogram.value_at_quantile(quantile)) / 1_000.0)
    }

    pub(super) fn latency(&self) -> Latency {
        Latency {
            p50: self.at_ms(0.5),
            p90: self.at_ms(0.9),
            p99: self.at_ms(0.99),
            p999: self.at_ms(0.999),
            max: self.at_ms(1.0),
        }
    }
}

/// Sums up requests of one kind.
struct Sum {
    numbers: Numbers,
    times: Times,
    answers: Times,
}

impl Sum {
    /// With times of so many digits.
    fn new(digits: u8) -> Self {
        Self { numbers: Numbers::default(), times: Times::new(digits), answers: Times::new(digits) }
    }

    fn add(&mut self, at_us: u64, outcome: Outcome) {
        self.numbers.requests += 1;
        if !outcome.was_sent {
            self.numbers.unsent += 1;
        } else if outcome.is_accepted() {
            self.numbers.accepted += 1;
            self.times.add(outcome.ended_us.saturating_sub(at_us));
            self.answers.add(outcome.ended_us.saturating_sub(outcome.sent_us));
        } else {
            *self.numbers.refused.entry(outcome.status).or_default() += 1;
        }
    }

    fn numbers(mut self, seconds: f64) -> Numbers {
        self.numbers.latency_ms = self.times.latency();
        self.numbers.answer_ms = self.answers.latency();
        self.numbers.per_second = to_f64(self.numbers.accepted) / seconds.max(f64::EPSILON);
        self.numbers
    }
}

impl Numbers {
    /// Requests that were not accepted.
    #[must_use]
    pub fn not_accepted(&self) -> u64 {
        self.requests - self.accepted
    }
}

/// What a request is, and whether it is for a number of the first tenant.
fn kind(played: &Played, index: usize, numbers_per_tenant: usize) -> (Kind, bool) {
    let (kind, desk) = match played.script.events[original(&played.script, index)].what {
        What::Messages { desk, .. } | What::NeedingReply { desk, .. } => (Kind::Messages, desk),
        What::Statuses { desk, .. } => (Kind::Statuses, desk),
        What::Call { desk, .. } => (Kind::Calls, desk),
        // The original of a repetition is none itself.
        What::Again { .. } => (Kind::Messages, 0),
    };
    (kind, usize::from(desk) < numbers_per_tenant)
}

/// Sums of one phase.
struct Sums {
    kinds: BTreeMap<Kind, Sum>,
    webhooks: Sum,
    others: Sum,
}

impl Sums {
    fn new() -> Self {
        Self { kinds: BTreeMap::new(), webhooks: Sum::new(3), others: Sum::new(3) }
    }

    fn numbers(self, phase: &Phase) -> PhaseNumbers {
        let kinds = self.kinds.into_iter().map(|(kind, sum)| (kind, sum.numbers(phase.seconds)));
        PhaseNumbers {
            name: phase.name.clone(),
            seconds: phase.seconds,
            overload: phase.overload,
            kinds: kinds.collect(),
            webhooks: self.webhooks.numbers(phase.seconds),
            others: self.others.numbers(phase.seconds),
        }
    }
}

/// Numbers of each phase.
pub(super) fn by_phase(played: &Played, phases: &[Phase], numbers_per_tenant: usize) -> Vec<PhaseNumbers> {
    let mut all: Vec<Sums> = phases.iter().map(|_| Sums::new()).collect();
    for (index, (event, outcome)) in played.script.events.iter().zip(&played.outcomes).enumerate() {
        let (kind, of_first) = kind(played, index, numbers_per_tenant);
        let sums = &mut all[usize::from(event.phase)];
        sums.kinds.entry(kind).or_insert_with(|| Sum::new(3)).add(event.at_us, *outcome);
        if kind != Kind::Calls {
            sums.webhooks.add(event.at_us, *outcome);
            if !of_first {
                sums.others.add(event.at_us, *outcome);
            }
        }
    }
    all.into_iter().zip(phases).map(|(sums, phase)| sums.numbers(phase)).collect()
}

/// Webhooks second by second.
pub(super) fn by_second(played: &Played) -> Vec<Second> {
    let mut seconds: BTreeMap<u64, Sum> = BTreeMap::new();
    for (index, (event, outcome)) in played.script.events.iter().zip(&played.outcomes).enumerate() {
        if kind(played, index, 0).0 != Kind::Calls {
            // Two digits are plenty for a point of a plot, and a tenth of the memory.
            seconds.entry(event.at_us / 1_000_000).or_insert_with(|| Sum::new(2)).add(event.at_us, *outcome);
        }
    }
    let second = |(second, sum): (u64, Sum)| Second {
        second,
        requests: sum.numbers.requests,
        accepted: sum.numbers.accepted,
        refused: sum.numbers.not_accepted(),
        p50_ms: sum.times.at_ms(0.5),
        p99_ms: sum.times.at_ms(0.99),
    };
    seconds.into_iter().map(second).collect()
}

/// All webhooks, and their latency by percentile, finer towards the end.
pub(super) fn total(played: &Played, seconds: f64) -> (Numbers, Vec<(f64, f64)>) {
    let mut sum = Sum::new(3);
    for (index, (event, outcome)) in played.script.events.iter().zip(&played.outcomes).enumerate() {
        if kind(played, index, 0).0 != Kind::Calls {
            sum.add(event.at_us, *outcome);
        }
    }
    // From 0 to 99.99 %, ten points for each nine.
    let quantiles = (0..=40).map(|tenth| 1.0 - 10f64.powf(-f64::from(tenth) / 10.0));
    let percentiles = quantiles.map(|quantile| (quantile, sum.times.at_ms(quantile))).collect();
    (sum.numbers(seconds), percentiles)
}

/// How late the generator was.
pub(super) fn lateness(played: &Played, phases: &[Phase]) -> Lateness {
    let mut own = Times::new(3);
    let (mut sent, mut waited) = (0u64, 0u64);
    for (event, outcome) in played.script.events.iter().zip(&played.outcomes) {
        if outcome.was_sent {
            sent += 1;
            if outcome.was_free && !phases[usize::from(event.phase)].overload {
                own.add(outcome.sent_us.saturating_sub(event.at_us));
            }
            waited += u64::from(!outcome.was_free);
        }
    }
    Lateness { own_ms: own.latency(), waited_for_connection: to_f64(waited) / to_f64(sent.max(1)) }
}
