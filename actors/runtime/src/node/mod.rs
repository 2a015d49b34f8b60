//! A node: the part of one process that owns shards and lets their conversations act.

mod actor;
mod handle;
mod membership;
mod result;
mod results;
mod shared;
mod waiters;

use std::sync::Arc;

use actix::{Actor as _, Arbiter};
use arc_swap::ArcSwap;
use domain::directory::Directory;
use store::engine::Engine;
use store::records::Credits;

use self::actor::NodeActor;
pub use self::handle::{CommandError, Health, InspectError, Live, NodeHandle, ShardView};
pub(crate) use self::result::StoredResult;
pub(crate) use self::shared::{Phase, Place, Shared, supervise};
use crate::arbiter::ArbiterActor;
use crate::conversation::PureStep;
use crate::files::Uploads;
use crate::metrics::Metrics;
use crate::provider::Provider;
use crate::settings::NodeSettings;

/// What a node is made of.
#[derive(Clone)]
pub struct NodeOptions {
    /// Log, snapshots, timers, leases; its clock decides about time.
    pub engine: Arc<dyn Engine>,
    /// What tenants configured; replaced as a whole when it changes.
    pub directory: Arc<ArcSwap<Directory>>,
    /// Where messages leave.
    pub provider: Arc<dyn Provider>,
    /// What tenants have paid in advance; without it sends are not checked against it.
    pub credits: Option<Arc<dyn Credits>>,
    /// Files of ours that messages name; without it such messages are refused.
    pub files: Option<Arc<Uploads>>,
    /// Limits.
    pub settings: NodeSettings,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings contradict themselves; every problem is listed.
    #[error("the settings of the node contradict themselves: {}", .0.join("; "))]
    Settings(Vec<String>),
    /// There is no actix system to run on.
    #[error("a node needs a running actix system")]
    NoSystem,
}

/// Starts nodes.
pub struct Node;

impl Node {
    /// Starts a node on the current actix system. It returns at once; [`NodeHandle::health`] says when every shard
    /// is owned. Appending and commands work from the start: the log waits.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(options: NodeOptions) -> Result<NodeHandle, StartError> {
        Self::start_with(options, domain::conversation::apply)
    }

    /// The same with another pure step, for tests of what a node does when the step fails.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start_with(options: NodeOptions, step: PureStep) -> Result<NodeHandle, StartError> {
        let problems = options.settings.problems();
        if !problems.is_empty() {
            return Err(StartError::Settings(problems));
        }
        if actix::System::try_current().is_none() {
            return Err(StartError::NoSystem);
        }
        let arbiters: Vec<Arbiter> = (0..options.settings.arbiters).map(|_| Arbiter::new()).collect();
        let places = match arbiters.as_slice() {
            [] => vec![Place::Here],
            all => all.iter().map(|arbiter| Place::On(arbiter.handle())).collect(),
        };
        let shared = Arc::new(Shared::new(options, places, step));
        for (place, shards, bell) in shared.arbiters() {
            shared.running.send_modify(|running| *running += 1);
            // The address is not kept: the actor lives as long as its loop, which ends with the node.
            place.start(ArbiterActor::new(Arc::clone(&shared), shards, bell));
        }
        NodeActor::new(Arc::clone(&shared)).start();
        Ok(NodeHandle::new(shared, arbiters))
    }
}
