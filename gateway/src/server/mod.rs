//! A whole node in one process: stores, actors, listeners. Nothing global, so tests start as many as they like.

mod error;
mod listeners;
mod operator;
mod stores;

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use protocol::time::TimestampMs;
use tokio_util::sync::CancellationToken;

pub use self::error::StartError;
pub use self::listeners::Listeners;
pub(crate) use self::stores::{Stores, open_records};
use crate::apply::{self, Resolved};
use crate::config::Settings;
use crate::directory::DirectoryKeeper;
use crate::metrics::Metrics;
use crate::provider::whatsapp::WhatsApp;
use crate::state::AppState;
use crate::webhooks::signature::Verifier;

/// A running gateway.
pub struct Server {
    /// Address of webhooks and API.
    pub public: SocketAddr,
    /// Address of metrics and probes.
    pub operator: SocketAddr,
    /// What handlers share.
    pub state: Data<AppState>,
    http: [ServerHandle; 2],
}

/// What a gateway starts with.
pub struct ServerOptions {
    /// Checked settings.
    pub settings: Settings,
    /// Loaded before anything listens.
    pub apply: Option<Resolved>,
    /// Bound already, so that their addresses are known to whoever needs them first.
    pub listeners: Listeners,
}

impl Server {
    /// Starts everything on the current actix system and returns once both listeners answer.
    ///
    /// # Errors
    /// When a store cannot be opened, the file not applied, or a listener not served.
    pub async fn start(options: ServerOptions) -> Result<Self, StartError> {
        let ServerOptions { settings, apply, listeners } = options;
        let (public, operator) = listeners.addresses()?;
        let stores = Stores::open(&settings).await?;
        if let Some(resolved) = apply {
            let report = apply::write(&*stores.records, resolved, stores.engine.now().await?).await?;
            tracing::info!(%report, "apply file loaded");
        }
        let state = Data::new(state(settings, stores).await?);
        let http = listeners.serve(&state)?;
        actix_rt::spawn(state.keeper.clone().follow(state.stopping.clone()));
        tracing::info!(%public, %operator, "listening");
        Ok(Self { public, operator, state, http })
    }

    /// Stops taking requests, finishes what is under way, gives everything back.
    pub async fn stop(self) {
        let [public, operator] = self.http;
        self.state.stopping.cancel();
        public.stop(true).await;
        self.state.node.shutdown().await;
        if let Err(error) = self.state.engine.close().await {
            tracing::error!(%error, "the engine store did not close");
        }
        if let Err(error) = self.state.records.close().await {
            tracing::error!(%error, "the records store did not close");
        }
        operator.stop(true).await;
        tracing::info!("stopped");
    }
}

async fn state(settings: Settings, stores: Stores) -> Result<AppState, StartError> {
    let Stores { engine, records } = stores;
    let keeper = Arc::new(DirectoryKeeper::load(records.clone()).await?);
    let metrics = Arc::new(Metrics::new()?);
    let node = runtime::Node::start(runtime::NodeOptions {
        engine: engine.clone(),
        directory: keeper.current(),
        provider: Arc::new(WhatsApp::new(&settings.outbound)?),
        settings: stores::node_settings(&settings),
        metrics: Arc::new(runtime::Metrics::new(&metrics.registry)?),
    })?;
    Ok(AppState {
        verifier: Verifier::new(keeper.current()),
        directory: keeper.current(),
        engine,
        records,
        node,
        keeper,
        settings: Arc::new(settings),
        metrics,
        stopping: CancellationToken::new(),
    })
}
