//! Who acts: the actix shell around the pure step.
//!
//! A [`Node`] owns shards. Each shard reads its log in batches, lets conversation actors apply them, commits the
//! batch with one fenced commit, and only then lets effects out: sends, results of commands, notifications. What
//! it needs from outside is handed in: the store's engine (whose clock is the only one that decides anything), the
//! directory of tenants, and a [`Provider`] that speaks with the world.

pub mod alias;
mod arbiter;
pub mod consumers;
mod conversation;
pub mod files;
pub mod ingress;
pub mod limits;
pub mod metrics;
pub mod node;
mod outbound;
mod provider;
mod settings;
mod shard;
pub mod trace;

pub use conversation::PureStep;
pub use ingress::{Accepted, Arrival, IngestError, Ingress};
pub use metrics::Metrics;
pub use node::{
    CommandError, Health, InspectError, Live, Node, NodeHandle, NodeOptions, ShardView, StartError,
};
pub use provider::{FetchError, MediaProvider, OutboundMessage, Provider, Scanner, TemplateProvider};
pub use settings::NodeSettings;
