//! The load laboratory: a profile is played against gateways that are started for it, measured, and then verified.
//!
//! A [`Profile`] says what the load is like. From it a script is written before anything begins: every request with its
//! time. The script is played as an open loop; afterwards everything that was acknowledged is read back and compared,
//! and the provider is asked whether its limits held. Numbers stand beside those of a bare server in the same run.

mod judge;
mod knee;
mod measure;
mod play;
mod profile;
mod promises;
mod provider;
mod render;
mod replies;
mod script;
mod stage;
mod watch;
mod world;

use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;

pub use self::judge::Judged;
pub use self::knee::{Knee, Step};
pub use self::measure::{Kind, Latency, Lateness, Numbers, PhaseNumbers, Second};
pub use self::profile::{Mix, Objectives, People, Phase, Profile, ProfileError, ProviderSide};
pub use self::provider::ProviderLimits;
pub use self::replies::Replies;
pub use self::watch::Look;

use self::stage::Stage;
use crate::bench::Cost;
use crate::ceiling::{self, Depth};
use crate::load::{self, Corpus};
use crate::process::{self, Durability, Shape, Store};
use crate::simulator;
use crate::verify::Damage;

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The load.
    pub profile: Profile,
    /// To whom.
    pub shape: Shape,
    /// Looks for the highest rate that keeps the objectives, instead of playing the phases.
    pub find_knee: bool,
    /// Seconds for each bare server; none are measured when 0.
    pub ceiling_seconds: f64,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The load.
    pub profile: Profile,
    /// How many gateways.
    pub nodes: usize,
    /// Where conversations were kept.
    pub store: Store,
    /// What an answer survives.
    pub durability: Durability,
    /// Bare servers in the same run.
    pub ceilings: Option<Ceilings>,
    /// The script that was played; of a search for the knee the last one that kept the objectives.
    pub run: Run,
    /// The search for the knee.
    pub knee: Option<Knee>,
    /// What was promised in all scripts, and what became of it.
    pub damage: Damage,
    /// Limits of the provider.
    pub limits: ProviderLimits,
    /// Objectives that have a bar.
    pub objectives: Vec<Judged>,
}

/// Bare servers, closed loop.
#[derive(Clone, Debug, Serialize)]
pub struct Ceilings {
    /// Checks the signature: the ceiling.
    pub signature: load::Numbers,
    /// Also reads the whole webhook.
    pub parsed: load::Numbers,
}

/// One script that was played.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// Requests that were due per second, all phases together.
    pub due_per_second: f64,
    /// Webhooks and calls that were accepted per second.
    pub accepted_per_second: f64,
    /// Inputs that were applied and committed per second, until all were.
    pub committed_per_second: f64,
    /// Accepted over the ceiling.
    pub accepted_ratio: Option<f64>,
    /// Phase by phase.
    pub phases: Vec<PhaseNumbers>,
    /// All webhooks.
    pub webhooks: Numbers,
    /// Their latency: part of them in 0 to 1, and the milliseconds that these took at most.
    pub percentiles: Vec<(f64, f64)>,
    /// Second by second.
    pub seconds: Vec<Second>,
    /// Replies of the bot.
    pub replies: Replies,
    /// The generator's own.
    pub lateness: Lateness,
    /// From the last answer until everything was committed; nothing when that did not come.
    pub drained_seconds: Option<f64>,
    /// Microseconds of a processor for each accepted request, until all was committed.
    pub cost_us: Cost,
    /// What processes used.
    pub looks: Vec<Look>,
    /// Status updates of the load that were no repetition of earlier ones.
    pub fresh_statuses: u64,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A process.
    #[error(transparent)]
    Process(#[from] process::Error),
    /// The simulator.
    #[error(transparent)]
    Simulator(#[from] simulator::Error),
    /// Sockets and files.
    #[error("the load could not be applied")]
    Io(#[from] std::io::Error),
    /// The API and the operator port.
    #[error("the gateway does not tell what it has")]
    Api(#[from] reqwest::Error),
    /// Numbers of the tenants.
    #[error("the gateway does not know number {0}, or is not ready to send from it")]
    Number(String),
}

/// Requests for the bare servers; they are sent again and again.
const CEILING_REQUESTS: usize = 100_000;

/// Plays and verifies.
///
/// # Errors
/// When a process does not start, ends, or does not tell what it has.
pub fn run(plan: &Plan) -> Result<Report, Error> {
    let ceilings = ceilings(plan)?;
    let mut stage = Stage::start(plan)?;
    stage.open()?;
    let (mut run, knee) = if plan.find_knee {
        let (run, knee) = knee::find(&mut stage, &plan.profile)?;
        (run, Some(knee))
    } else {
        (stage.play(&plan.profile)?, None)
    };
    let ceiling = ceilings.as_ref().map(|ceilings| ceilings.signature.per_second);
    run.accepted_ratio = ceiling.map(|ceiling| run.accepted_per_second / ceiling);
    tracing::info!("verifying");
    let damage = stage.verify()?;
    let evidence = judge::Evidence {
        phases: &run.phases,
        plan: &plan.profile.phases,
        seconds: &run.seconds,
        looks: &run.looks,
        reply_p99_ms: run.replies.latency_ms.p99,
        drained_seconds: run.drained_seconds,
    };
    let objectives = judge::judge(&plan.profile.objectives, &evidence);
    let Shape { nodes, store, durability, .. } = plan.shape;
    let limits = stage.limits();
    let profile = plan.profile.clone();
    Ok(Report { profile, nodes, store, durability, ceilings, run, knee, damage, limits, objectives })
}

impl Report {
    /// Nothing was damaged, and the provider's limits held.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damage.is_none() && self.limits.held()
    }

    /// Every objective that has a bar was kept.
    #[must_use]
    pub fn keeps_objectives(&self) -> bool {
        self.objectives.iter().all(|objective| objective.kept)
    }
}

fn ceilings(plan: &Plan) -> Result<Option<Ceilings>, Error> {
    if plan.ceiling_seconds <= 0.0 {
        return Ok(None);
    }
    tracing::info!("bare servers");
    let options = simulator::Options::default();
    let text = "x".repeat(plan.profile.mix.text_chars);
    let recipe = crate::bench::recipe(&options, plan.profile.people.contacts, false, &text);
    let corpus = Rc::new(Corpus::build(&recipe, CEILING_REQUESTS));
    let measure = |depth| {
        let limit = Duration::from_secs_f64(plan.ceiling_seconds);
        ceiling::measure(depth, &corpus, &recipe.app_secret, plan.profile.connections, limit)
    };
    Ok(Some(Ceilings { signature: measure(Depth::Signature)?, parsed: measure(Depth::Parsed)? }))
}
