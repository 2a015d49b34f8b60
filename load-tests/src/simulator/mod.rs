//! A WhatsApp provider in one process: the Graph API's calls, limits, windows, errors and webhooks.
//!
//! ```no_run
//! use load_tests::simulator::{self, Inbound, Options};
//!
//! let provider = simulator::start(Options::default())?;
//! provider.set_callback("http://127.0.0.1:8080/webhooks/whatsapp");
//! provider.inbound(Inbound::text("+39 333 1234567", "TEST0001"))?;
//! assert!(provider.ledger().is_empty());
//! # Ok::<(), simulator::Error>(())
//! ```
//!
//! Over HTTP the same is under `/_simulator/`: `ledger`, `stats`, `inbound`, `faults`, `behaviour`, `templates`,
//! `webhook`, `callback`, `clock` and `reset`.

mod behaviour;
mod delivery;
mod error;
mod faults;
mod http;
mod options;
mod shared;
mod world;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

pub use self::behaviour::{
    Behaviour, Delivery, Latency, Pricing, PricingOn, PricingPolicy, Review, Statuses, WindowRule,
};
pub use self::faults::{Fault, FaultKind};
pub use self::options::{Account, Contact, Number, Options, Secret, Template};
pub use self::world::{Inbound, LedgerEntry, Say, Stats};

use self::shared::Shared;

/// Why the simulator cannot do something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The thread or the server did not start.
    #[error("cannot start the simulator")]
    Start(#[source] std::io::Error),
    /// The simulated provider refuses, in its own words.
    #[error("the simulator refuses with code {code}: {details}")]
    Refused {
        /// The provider's code.
        code: i64,
        /// Its explanation.
        details: String,
    },
}

/// A running simulator; it stops when this is dropped.
pub struct Handle {
    /// Where it answers, such as `http://127.0.0.1:40123`, without a slash at the end.
    pub base_url: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

/// Starts a simulator on a thread of its own; it can be called with or without a runtime.
pub fn start(options: Options) -> Result<Handle, Error> {
    let address = options.listen;
    let listen = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(listen)?;
    let base_url = format!("http://{}", listener.local_addr().map_err(listen)?);
    let shared = Arc::new(Shared::new(options, base_url.clone()));
    let (stop, stopped) = oneshot::channel();
    // One answer ever: whether the server came up.
    let (started, ready) = sync_channel(1);
    let thread = std::thread::Builder::new().name("simulator".into()).spawn({
        let shared = Arc::clone(&shared);
        move || http::run(shared, listener, stopped, &started)
    });
    let thread = Some(thread.map_err(Error::Start)?);
    let handle = Handle { base_url, shared, stop: Some(stop), thread };
    match ready.recv() {
        Ok(Ok(())) => Ok(handle),
        Ok(Err(error)) => Err(Error::Start(error)),
        Err(_) => Err(Error::Start(std::io::Error::other("its thread ended"))),
    }
}

impl Handle {
    /// Every accepted POST that is still kept, oldest first.
    #[must_use]
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.shared.world(|world, _| world.ledger.after(0, usize::MAX))
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Makes a contact write; answers with the provider id of its message.
    pub fn inbound(&self, inbound: Inbound) -> Result<String, Error> {
        let taken = self.shared.world(|world, now_ms| world.inbound(now_ms, inbound));
        taken.map_err(|error| Error::Refused { code: error.code, details: error.details })
    }

    /// Where the webhooks of every account go from now on.
    pub fn set_callback(&self, url: &str) {
        self.set_callbacks(&[url.to_owned()]);
    }

    /// The same with several addresses in turn, as a load balancer spreads them over nodes; a repetition goes to the
    /// next one.
    pub fn set_callbacks(&self, urls: &[String]) {
        self.shared.set_callbacks(None, urls);
    }

    /// Pauses, disables or approves every language of a template; its owner is told.
    pub fn judge_template(&self, name: &str, status: &str) {
        self.shared.world(|world, now_ms| world.judge_template(now_ms, name, status));
    }

    /// Tells the owners of every account about anything at all, such as `template_category_update`.
    pub fn tell(&self, field: &str, value: &serde_json::Value) {
        self.shared.world(|world, now_ms| world.tell_accounts(now_ms, None, field, value));
    }

    /// A template as the provider keeps it.
    #[must_use]
    pub fn template(&self, name: &str, language: &str) -> Option<Template> {
        self.shared.world(|world, now_ms| {
            world.settle_reviews(now_ms);
            world.template_named(name, language)
        })
    }

    /// A template of the first account that was made elsewhere.
    pub fn add_template(&self, template: Template) {
        self.shared.world(|world, _| world.add_template(0, template));
    }

    /// Replaces the faults.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.shared.world(|world, _| world.faults = faults);
    }

    /// Changes the manners.
    pub fn adjust(&self, change: impl FnOnce(&mut Behaviour)) {
        self.shared.world(|world, _| change(&mut world.behaviour));
    }

    /// Moves the provider's clock forward: windows close, delayed statuses come.
    pub fn advance_ms(&self, by_ms: i64) {
        self.shared.advance(by_ms);
    }

    /// Forgets everything that happened; accounts, manners and faults are as at the start, callbacks stay.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Stops and waits until the port is free.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Refused only when the server has ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
