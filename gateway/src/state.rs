//! What request handlers share.

use std::sync::Arc;

use arc_swap::ArcSwap;
use domain::directory::Directory;
use runtime::NodeHandle;
use runtime::consumers::ConsumersHandle;
use runtime::files::FileShelf;
use runtime::ingress::Ingress;
use store::engine::Engine;
use store::records::SharedRecords;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::directory::DirectoryKeeper;
use crate::metrics::Metrics;
use crate::recent::RecentWrites;
use crate::telemetry::Seldom;
use crate::webhooks::admission::Admission;
use crate::webhooks::signature::Verifier;

/// Everything that a request may reach. One per process, handed to handlers as `web::Data<AppState>`.
pub struct AppState {
    /// Log, snapshots, command results, dead letters.
    pub engine: Arc<dyn Engine>,
    /// Documents, inbox, history, ledger, audit.
    pub records: SharedRecords,
    /// Makes webhooks durable; finds the address of a contact.
    pub ingress: Arc<Ingress>,
    /// Carries out commands, shows conversations.
    pub node: NodeHandle,
    /// Follow committed facts: streams of notifications, deliveries to try again.
    pub consumers: ConsumersHandle,
    /// What tenants configured; replaced as a whole when it changes.
    pub directory: Arc<ArcSwap<Directory>>,
    /// Makes `directory` new: call `keeper.refresh()` after writing documents.
    pub keeper: Arc<DirectoryKeeper>,
    /// Files of messages.
    pub files: FileShelf,
    /// What browsers subscribe to push messages with, if they are sent here.
    pub push_key: Option<String>,
    /// Whether addresses that callers name may be private.
    pub private_addresses: bool,
    /// Room for files that are being taken in.
    pub uploads: tokio::sync::Semaphore,
    /// Tells when too much comes at once.
    pub admission: Admission,
    /// Tells who signed a webhook.
    pub verifier: Verifier,
    /// A full store refuses thousands of webhooks per second: one line tells.
    pub refusals_logged: Seldom,
    /// What was written through this node a moment ago.
    pub recent: RecentWrites,
    /// Settings of the process.
    pub settings: Arc<Settings>,
    /// Counters of the HTTP side, and the registry behind `/metrics`.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the process begins to stop: long answers such as event streams end then.
    pub stopping: CancellationToken,
}
