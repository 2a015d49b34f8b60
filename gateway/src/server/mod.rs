//! A whole node in one process: stores, actors, listeners. Nothing global, so tests start as many as they like.

mod error;
mod in_flight;
mod listeners;
mod operator;
mod stores;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Data;
use protocol::time::SpanMs;
use runtime::Scanner;
use runtime::consumers::{Consumers, ConsumersOptions, FileWork};
use runtime::files::{FileShelf, Uploads};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use self::error::StartError;
use self::in_flight::InFlight;
pub use self::listeners::Listeners;
use self::listeners::Serving;
pub(crate) use self::stores::{Stores, open_records};
use crate::apply::{self, Resolved};
use crate::config::Settings;
use crate::directory::DirectoryKeeper;
use crate::introductions;
use crate::limits::{LAST_REQUESTS, UPLOADS_AT_ONCE};
use crate::metrics::Metrics;
use crate::provider::scanner::HttpScanner;
use crate::provider::whatsapp::WhatsApp;
use crate::recent::RecentWrites;
use crate::state::AppState;
use crate::telemetry::Seldom;
use crate::webhooks::admission::Admission;
use crate::webhooks::signature::Verifier;

/// A running gateway.
pub struct Server {
    /// Address of webhooks and API.
    pub public: SocketAddr,
    /// Address of metrics and probes.
    pub operator: SocketAddr,
    /// What handlers share.
    pub state: Data<AppState>,
    http: Serving,
    in_flight: InFlight,
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
        let state = Data::new(state(settings, stores, public).await?);
        let in_flight = InFlight::default();
        let http = listeners.serve(&state, &in_flight)?;
        actix_rt::spawn(state.keeper.clone().follow(state.stopping.clone()));
        actix_rt::spawn(introductions::follow(state.clone()));
        tracing::info!(%public, %operator, "listening");
        Ok(Self { public, operator, state, http, in_flight })
    }

    /// Stops taking requests, finishes what is under way, gives everything back.
    pub async fn stop(self) {
        self.state.stopping.cancel();
        let drain = Duration::from_secs(self.state.settings.shutdown.drain_seconds);
        self.http.close_door().await;
        // Answers say by now that the connection is closed after them.
        tokio::time::sleep(LAST_REQUESTS).await;
        if tokio::time::timeout(drain, self.in_flight.none()).await.is_err() {
            tracing::warn!("requests were cut off: shutdown.drain_seconds is over");
        }
        self.http.public.stop(true).await;
        self.state.node.shutdown().await;
        self.state.consumers.shutdown().await;
        if let Err(error) = self.state.engine.close().await {
            tracing::error!(%error, "the engine store did not close");
        }
        if let Err(error) = self.state.records.close().await {
            tracing::error!(%error, "the records store did not close");
        }
        self.http.operator.stop(true).await;
        tracing::info!("stopped");
    }
}

async fn state(settings: Settings, stores: Stores, public: SocketAddr) -> Result<AppState, StartError> {
    let Stores { engine, records, blobs } = stores;
    let keeper = Arc::new(DirectoryKeeper::load(records.clone()).await?);
    let metrics = Arc::new(Metrics::new()?);
    let counted = Arc::new(runtime::Metrics::new(&metrics.registry)?);
    let provider = Arc::new(WhatsApp::new(&settings.outbound)?);
    let scanner = HttpScanner::new(&settings.files)?;
    let (scans, max_bytes) = (scanner.is_some(), settings.files.max_bytes);
    let files = FileShelf { records: records.clone(), blobs, scans, max_bytes };
    let node = runtime::Node::start(runtime::NodeOptions {
        engine: engine.clone(),
        directory: keeper.current(),
        provider: provider.clone(),
        credits: Some(records.clone()),
        files: Some(Arc::new(Uploads::new(files.clone(), provider.clone()))),
        settings: stores::node_settings(&settings),
        metrics: counted.clone(),
    })?;
    let (away, endpoints) = (stores::away_settings(&settings, public), stores::endpoint_settings(&settings));
    let push_key = away.push.as_ref().and_then(|push| push.check().ok()).map(|key| key.public().to_owned());
    let private_addresses = endpoints.allow_private_addresses;
    let consumers = Consumers::start(ConsumersOptions {
        engine: engine.clone(),
        records: records.clone(),
        directory: keeper.current(),
        templates: provider.clone(),
        files: FileWork {
            shelf: files.clone(),
            provider,
            scanner: scanner.map(|scanner| Arc::new(scanner) as Arc<dyn Scanner>),
        },
        endpoints,
        away,
        leads: node.leads(),
        metrics: counted,
    });
    Ok(AppState {
        ingress: node.ingress().clone(),
        consumers,
        push_key,
        private_addresses,
        files,
        uploads: Semaphore::new(UPLOADS_AT_ONCE),
        admission: Admission::new(Instant::now()),
        verifier: Verifier::new(keeper.current()),
        refusals_logged: Seldom::every(SpanMs::seconds(1)),
        directory: keeper.current(),
        engine,
        records,
        node,
        keeper,
        recent: RecentWrites::default(),
        settings: Arc::new(settings),
        metrics,
        stopping: CancellationToken::new(),
    })
}
