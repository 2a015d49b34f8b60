//! Gateways, stores and provider of one run, and what is done with them.

use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime::Runtime;

use crate::bench::Cost;
use crate::load::{Target, to_f64};
use crate::metrics::Scraper;
use crate::process::{Cluster, Place, api_key};
use crate::simulator::{self, Handle, LedgerEntry};
use crate::verify::{self, Damage, Promises};

use super::play::{Played, play};
use super::profile::Profile;
use super::promises::promises;
use super::provider::{ProviderLimits, limits};
use super::render::Renderer;
use super::replies::replies;
use super::script::{Script, Update};
use super::watch::{Look, watch};
use super::world::{self, Desk};
use super::{Error, Plan, Run, measure};

/// Everything that runs.
pub(super) struct Stage {
    // Nodes end before the provider that they call.
    cluster: Cluster,
    provider: Handle,
    control: Runtime,
    scraper: Scraper,
    target: Target,
    desks: Vec<Desk>,
    renderer: Rc<Renderer>,
    profile: Profile,
    promises: Promises,
    /// Scripts so far; the first is the opening.
    scripts: u32,
    /// When the next script begins, on a clock that all scripts share.
    base_us: u64,
}

/// The records may take this long to catch up.
const SETTLING: Duration = Duration::from_secs(120);
/// A number that is not ready to send by then will not be.
const READY_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
/// When nothing was committed for this long, everything is.
const CALM: Duration = Duration::from_secs(1);
/// Whoever commits for this long after the load has a queue that will not end soon, such as that of a slow number.
const DRAINING: Duration = Duration::from_secs(60);

impl Stage {
    /// Starts everything.
    pub(super) fn start(plan: &Plan) -> Result<Self, Error> {
        let control = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let options = world::provider(&plan.profile);
        let provider = simulator::start(options.clone())?;
        let mut shape = plan.shape.clone();
        shape.settings.extend(plan.profile.settings.clone());
        let mut cluster = control.block_on(Cluster::prepare(&shape, Some(&provider.base_url), &options))?;
        control.block_on(cluster.start_all())?;
        let callbacks: Vec<String> = cluster.places.iter().map(Place::webhook_url).collect();
        provider.set_callbacks(&callbacks);
        let mut desks = world::desks(&options);
        control.block_on(number_ids(&cluster.places[0], plan.profile.people.tenants, &mut desks))?;
        Ok(Self {
            scraper: Scraper::new(cluster.places.iter().map(|place| place.operator)),
            target: Target {
                addresses: cluster.places.iter().map(|place| place.public).collect(),
                connections: plan.profile.connections,
            },
            renderer: Rc::new(Renderer::new(desks.clone())),
            profile: plan.profile.clone(),
            promises: Promises::default(),
            scripts: 0,
            base_us: 0,
            cluster,
            provider,
            control,
            desks,
        })
    }

    /// Everybody opens a chat and is greeted. From then on the provider tells what becomes of its messages itself;
    /// what becomes of the greetings, the load tells.
    pub(super) fn open(&mut self) -> Result<(), Error> {
        let run = self.run();
        let script = Script::opening(&self.profile.people, self.desks.len(), run);
        tracing::info!(messages = script.events.len(), "opening conversations");
        let played = play(&self.target, &self.renderer, script, 0)?;
        self.keep(&played);
        self.drained()?;
        let mut renderer = Renderer::new(self.desks.clone());
        renderer.learn(&self.provider.ledger());
        self.renderer = Rc::new(renderer);
        self.provider.adjust(|behaviour| behaviour.statuses.enabled = true);
        self.settled()
    }

    /// Plays a profile, and waits until all of it is committed.
    pub(super) fn play(&mut self, profile: &Profile) -> Result<Run, Error> {
        let ours: Vec<usize> = self.renderer.ours.iter().map(Vec::len).collect();
        let script = Script::of(profile, &ours, self.run());
        let due = script.events.len() as u64;
        tracing::info!(requests = due, seconds = profile.seconds(), "playing");
        let position = self.provider.stats().accepted;
        let committed = self.control.block_on(self.scraper.committed_events())?;
        let stop = AtomicBool::new(false);
        let (cluster, scraper, control) = (&self.cluster, &self.scraper, &self.control);
        let (looks, (played, drained)) = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| watch(cluster, &stop));
            let played = play(&self.target, &self.renderer, script, profile.mix.text_chars).map(|played| {
                let accepted = played.outcomes.iter().filter(|outcome| outcome.is_accepted()).count();
                let drained = drained(control, scraper, committed + to_f64(accepted as u64));
                (played, drained)
            });
            stop.store(true, Ordering::Relaxed);
            let looks = watcher.join().map_err(|_| io::Error::other("the watch ended badly"))??;
            io::Result::Ok((looks, played?))
        })?;
        self.keep(&played);
        let ledger = self.ledger_after(position);
        let run = self.numbers(profile, &played, (drained?, looks), &ledger);
        self.settled()?;
        Ok(run)
    }

    /// Reads everything back.
    pub(super) fn verify(&mut self) -> Result<Damage, Error> {
        let keys: Vec<String> = (0..self.profile.people.tenants).map(api_key).collect();
        let (place, expected) = (&self.cluster.places[0], self.promises.inbound.len());
        let found = self.control.block_on(verify::read(place, &keys, &self.provider, expected))?;
        let damage = verify::compare(&self.promises, &found, &self.provider.ledger());
        if !damage.is_none() {
            tracing::error!(folder = %self.folder().display(), "the folder of nodes and servers is kept");
            self.cluster.keep();
        }
        Ok(damage)
    }

    /// What the provider says about its limits.
    pub(super) fn limits(&self) -> ProviderLimits {
        limits(&self.provider, &self.provider.ledger(), self.profile.provider.throughput_per_second)
    }

    fn folder(&self) -> &Path {
        self.cluster.folder()
    }

    fn ledger_after(&self, position: u64) -> Vec<LedgerEntry> {
        let mut ledger = self.provider.ledger();
        ledger.retain(|entry| entry.position > position);
        ledger
    }

    /// Distinguishes the ids of one script from those of others.
    fn run(&mut self) -> u32 {
        self.scripts += 1;
        self.scripts
    }

    fn keep(&mut self, played: &Played) {
        self.promises.add(promises(played, &self.renderer, self.base_us));
        self.base_us += (played.seconds * 1e6) as u64 + 1;
    }

    fn drained(&self) -> Result<Option<Duration>, Error> {
        Ok(drained(&self.control, &self.scraper, 0.0)?)
    }

    /// Waits until the records have caught up: reading needs them, and they would disturb what comes next.
    fn settled(&self) -> Result<(), Error> {
        if !self.control.block_on(self.scraper.settled(SETTLING))? {
            tracing::warn!("the records have not caught up");
        }
        Ok(())
    }

    fn numbers(
        &self,
        profile: &Profile,
        played: &Played,
        (drained, looks): (Option<Duration>, Vec<Look>),
        ledger: &[LedgerEntry],
    ) -> Run {
        let accepted = played.outcomes.iter().filter(|outcome| outcome.is_accepted()).count() as u64;
        let statuses = played.script.updates.iter().filter(|update| matches!(update, Update::Status { .. }));
        let fresh: usize = self.renderer.ours.iter().map(|ours| 3 * ours.len()).sum();
        let (first, last) = (looks.first().cloned().unwrap_or_default(), looks.last().cloned());
        let last = last.unwrap_or_default();
        let (webhooks, percentiles) = measure::total(played, profile.seconds());
        let until_committed = played.seconds + drained.unwrap_or(DRAINING).as_secs_f64();
        Run {
            due_per_second: played.outcomes.len() as f64 / profile.seconds(),
            accepted_per_second: to_f64(accepted) / played.seconds.max(profile.seconds()),
            committed_per_second: (last.committed - first.committed) / until_committed,
            accepted_ratio: None,
            phases: measure::by_phase(played, &profile.phases, profile.people.numbers),
            webhooks,
            percentiles,
            seconds: measure::by_second(played),
            replies: replies(played, ledger),
            lateness: measure::lateness(played, &profile.phases),
            drained_seconds: drained.map(|drained| drained.as_secs_f64()),
            cost_us: cost(&first, &last, to_f64(accepted)),
            looks,
            fresh_statuses: statuses.count().min(fresh) as u64,
        }
    }
}

fn cost(first: &Look, last: &Look, requests: f64) -> Cost {
    let of = |usage: fn(&Look) -> crate::process::Usage| {
        (usage(last).cpu_seconds - usage(first).cpu_seconds) * 1e6 / requests.max(1.0)
    };
    Cost {
        gateway: of(|look| look.gateway),
        redis: of(|look| look.redis),
        postgres: of(|look| look.postgres),
        generator: of(|look| look.generator),
    }
}

/// Waits until nothing is committed any more: how long it took until as much was committed as had been accepted, or
/// nothing when it was not. What is committed later are sends that wait for a limit, and what becomes of them.
fn drained(control: &Runtime, scraper: &Scraper, accepted: f64) -> Result<Option<Duration>, reqwest::Error> {
    control.block_on(async {
        let began = Instant::now();
        let mut last = (scraper.committed_events().await?, Duration::ZERO);
        let mut drained = (last.0 >= accepted).then_some(Duration::ZERO);
        loop {
            tokio::time::sleep(POLL).await;
            let committed = scraper.committed_events().await?;
            if committed > last.0 {
                last = (committed, began.elapsed());
            }
            if committed >= accepted {
                drained = drained.or(Some(last.1));
            }
            if began.elapsed() > DRAINING.min(last.1 + CALM) {
                return Ok(drained);
            }
        }
    })
}

/// Asks the gateway for its ids of the numbers, and waits until it may send from them.
async fn number_ids(place: &Place, tenants: usize, desks: &mut [Desk]) -> Result<(), Error> {
    let client = reqwest::Client::new();
    let url = format!("http://{}/v1/numbers", place.public);
    let per_tenant = desks.len() / tenants;
    for (tenant, desks) in desks.chunks_mut(per_tenant).enumerate() {
        let since = Instant::now();
        loop {
            let request = client.get(&url).bearer_auth(api_key(tenant));
            let list: Value = request.send().await?.error_for_status()?.json().await?;
            let Some(unknown) = desks.iter_mut().find_map(|desk| learn_id(desk, &list)) else { break };
            if since.elapsed() > READY_WITHIN {
                return Err(Error::Number(unknown));
            }
            tokio::time::sleep(POLL).await;
        }
    }
    Ok(())
}

/// Learns the id of a number; the number, when it is not there or not ready.
fn learn_id(desk: &mut Desk, list: &Value) -> Option<String> {
    let phone = format!("+{}", desk.receiver.display_phone_number);
    let views = list["data"].as_array().or(list.as_array());
    let view = views.into_iter().flatten().find(|view| view["phone"] == phone && view["ready"] == true);
    match view.and_then(|view| view["id"].as_str()) {
        Some(id) => {
            id.clone_into(&mut desk.number_id);
            None
        }
        None => Some(phone),
    }
}
