//! A node: the part of one process that owns shards and lets their conversations act.

mod handle;
mod result;
mod waiters;

use std::sync::Arc;

use arc_swap::ArcSwap;
use domain::directory::Directory;
use store::engine::Engine;

pub use self::handle::{CommandError, Health, InspectError, Live, NodeHandle, ShardView};
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
        let problems = options.settings.problems();
        if !problems.is_empty() {
            return Err(StartError::Settings(problems));
        }
        if actix::System::try_current().is_none() {
            return Err(StartError::NoSystem);
        }
        Ok(NodeHandle::new(options))
    }
}
