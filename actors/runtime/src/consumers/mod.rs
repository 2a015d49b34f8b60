//! What follows from committed facts: records, bills, notifications, downstream webhooks, template states.
//!
//! The projector moves facts from the engine into the records. Everybody else follows the records' events, each with
//! a cursor of its own that is stored together with what it made of them: each event counts exactly once, and a
//! consumer that stops for a while only falls behind. Each runs in an actor that starts it again when it fails.

mod away;
mod cards;
mod catch_up;
mod credits;
mod endpoints;
mod files;
mod follow;
mod meter;
mod notifier;
mod projector;
mod supervised;
mod templates;
mod turn;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use actix::Arbiter;
use arc_swap::ArcSwap;
use domain::directory::Directory;
use prometheus::Gauge;
use protocol::id::{EndpointId, TenantId, UserId};
use protocol::time::TimestampMs;
use store::engine::{Engine, EngineResult};
use store::records::{EventSeq, SharedRecords};
use tokio::sync::{Notify, broadcast, mpsc, watch};

pub use self::away::{
    AwaySettings, DeviceError, KeyError, MailError, MailSettings, PushError, PushSettings, VapidKey,
    check_device,
};
pub use self::endpoints::EndpointSettings;
pub use self::files::FileWork;
pub use self::notifier::{NotificationStream, Told};
pub use self::supervised::{ConsumerError, ConsumerView, Exit};
use self::supervised::{Supervised, ViewCell};
pub use self::templates::{SyncNote, last_used};
use self::turn::Turn;
use crate::limits::NOTIFICATIONS_IN_FLIGHT;
use crate::metrics::{FollowerKind, Label as _, Metrics};
use crate::provider::TemplateProvider;

/// What consumers are made of.
#[derive(Clone)]
pub struct ConsumersOptions {
    /// Facts come from here; its clock decides about time.
    pub engine: Arc<dyn Engine>,
    /// Where they go.
    pub records: SharedRecords,
    /// What tenants configured; replaced as a whole when it changes.
    pub directory: Arc<ArcSwap<Directory>>,
    /// How templates are submitted.
    pub templates: Arc<dyn TemplateProvider>,
    /// Where files are kept and fetched from.
    pub files: FileWork,
    /// How events are pushed to downstream endpoints.
    pub endpoints: EndpointSettings,
    /// How users who are away are told.
    pub away: AwaySettings,
    /// Whether they run on this node: of several one is chosen, see [`crate::NodeHandle::leads`].
    pub leads: watch::Receiver<bool>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// What every consumer shares.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) options: ConsumersOptions,
    /// Moves whenever the projector stored something.
    pub(crate) projected: watch::Sender<u64>,
    /// Somebody waits for the records: the projector does not rest.
    pub(crate) hurry: Arc<Notify>,
    /// What the followers have just read.
    pub(crate) batches: Arc<follow::Batches>,
    /// Stored notifications, for whoever streams them from this process.
    pub(crate) told: broadcast::Sender<Told>,
    /// Who listens in this process.
    pub(crate) presence: Arc<away::Presence>,
    /// Whether they run here now.
    pub(crate) turn: watch::Sender<Turn>,
}

impl Shared {
    pub(crate) fn new(options: ConsumersOptions) -> Self {
        let turn = if *options.leads.borrow() { Turn::Ours } else { Turn::Theirs };
        Self {
            options,
            projected: watch::Sender::new(0),
            hurry: Arc::default(),
            batches: Arc::default(),
            told: broadcast::Sender::new(NOTIFICATIONS_IN_FLIGHT),
            presence: Arc::default(),
            turn: watch::Sender::new(turn),
        }
    }

    /// How late a consumer is after a batch: after a full one more is waiting, about as old as the last of it.
    pub(crate) async fn lag_after(&self, full: bool, last_at: TimestampMs) -> EngineResult<Duration> {
        if !full {
            return Ok(Duration::ZERO);
        }
        let lag_ms = (self.options.engine.now().await? - last_at).0.max(0);
        Ok(Duration::from_millis(lag_ms.unsigned_abs()))
    }
}

/// Where a consumer shows how late it is; those that follow neither facts nor events show nothing.
fn lag_gauge(metrics: &Metrics, name: &str) -> Option<Gauge> {
    if name == projector::NAME {
        return Some(metrics.projection_lag.clone());
    }
    let kind = FollowerKind::ALL.iter().find(|kind| kind.values() == [name])?;
    Some(metrics.consumer_lag.of(*kind).clone())
}

/// Starts consumers.
pub struct Consumers;

impl Consumers {
    /// Starts every consumer on one thread of their own, within the current actix system.
    #[must_use]
    pub fn start(options: ConsumersOptions) -> ConsumersHandle {
        let shared = Shared::new(options);
        let (alive, ended) = mpsc::channel(1);
        let arbiter = Arbiter::new();
        let mut views = Vec::new();
        let mut start = |name, run: supervised::Run| {
            let view = ViewCell::new(name);
            views.push(view.clone());
            let lag = lag_gauge(&shared.options.metrics, name);
            Supervised::start(&arbiter.handle(), shared.clone(), run, (view, lag), alive.clone());
        };
        start(projector::NAME, |shared, view| Box::pin(projector::run(shared, view)));
        start(meter::NAME, |shared, view| Box::pin(meter::run(shared, view)));
        start(notifier::NAME, |shared, view| Box::pin(notifier::run(shared, view)));
        start(templates::notices::NAME, |shared, view| Box::pin(templates::notices::run(shared, view)));
        start(templates::tasks::NAME, |shared, view| Box::pin(templates::tasks::run(shared, view)));
        start(templates::sync::NAME, |shared, view| Box::pin(templates::sync::run(shared, view)));
        start(cards::NAME, |shared, view| Box::pin(cards::run(shared, view)));
        start(credits::NAME, |shared, view| Box::pin(credits::run(shared, view)));
        start(files::NAME, |shared, view| Box::pin(files::run(shared, view)));
        start(endpoints::NAME, |shared, view| Box::pin(endpoints::run(shared, view)));
        start(away::MAIL, |shared, view| Box::pin(away::run_mail(shared, view)));
        start(away::PUSH, |shared, view| Box::pin(away::run_push(shared, view)));
        arbiter.spawn(turn::take_turns(shared.clone()));
        arbiter.spawn(away::keep_present(shared.clone()));
        ConsumersHandle {
            shared,
            views,
            arbiter: Arc::new(arbiter),
            ended: Arc::new(tokio::sync::Mutex::new(ended)),
        }
    }
}

/// Running consumers. Clones lead to the same ones.
#[derive(Clone)]
pub struct ConsumersHandle {
    shared: Shared,
    views: Vec<ViewCell>,
    arbiter: Arc<Arbiter>,
    /// Closes when the last actor has ended.
    ended: Arc<tokio::sync::Mutex<mpsc::Receiver<()>>>,
}

impl ConsumersHandle {
    /// A user's notifications as they are stored, from now on.
    #[must_use]
    pub fn notifications(&self, tenant: TenantId, user: UserId) -> NotificationStream {
        NotificationStream::new(&self.shared, tenant, user)
    }

    /// Tries a delivery again that was given up, within a second or so. `false` if there is none.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn replay(
        &self,
        tenant: TenantId,
        endpoint: EndpointId,
        event: EventSeq,
    ) -> Result<bool, ConsumerError> {
        let now = self.shared.options.engine.now().await?;
        Ok(self.shared.options.records.revive_delivery(tenant, endpoint, event, now).await?)
    }

    /// Every consumer as it is now.
    #[must_use]
    pub fn views(&self) -> Vec<ConsumerView> {
        self.views.iter().map(ViewCell::get).collect()
    }

    /// Lets every consumer finish what it is storing, and ends them. What they have not done yet they do after
    /// the next start.
    pub async fn shutdown(&self) {
        self.shared.turn.send_replace(Turn::Over);
        // Answers `None` once every actor has dropped its sender.
        while self.ended.lock().await.recv().await.is_some() {}
        self.arbiter.stop();
    }
}
