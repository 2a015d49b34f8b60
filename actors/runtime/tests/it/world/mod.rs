//! The world around a node under test.

mod directory;
mod mortal;
mod provider;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use prometheus::Registry;
use protocol::codec;
use protocol::command::{Action, Command, CommandKey, CommandResult, Party, SendBody};
use protocol::content::Content;
use protocol::entry::{
    Address, Entry, EntryBody, Happening, Identity, InboundMessage, ProviderStatus, StatusUpdate,
};
use protocol::fact::{Event, Fact};
use protocol::id::{ConversationId, MessageId, ProviderId};
use protocol::outbound::OpaqueKey;
use protocol::phone::{ContactKey, E164};
use protocol::shard::{HASH_VERSION, ShardCount, conversation_id};
use protocol::time::{SpanMs, TimestampMs};
use runtime::{Metrics, Node, NodeHandle, NodeOptions, NodeSettings};
use store::engine::{Clock, Engine, FactLane, FactPosition, MemoryEngine, StoreIdentity};
use tokio::time::Instant;

use directory::SIBLING;
pub(crate) use directory::{NUMBER, TENANT, directory};
pub(crate) use mortal::{Life, MortalEngine, MortalProvider};
pub(crate) use provider::{Answer, Posted, ScriptedProvider};

/// Shards of the stores under test: few, so that conversations share them.
const SHARDS: u16 = 4;

/// Runs a test in virtual time: it stands still while anything runs and jumps to the next timer when nothing does.
pub(crate) fn run<F: Future>(test: F) -> F::Output {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().unwrap()
    };
    actix::System::with_tokio_rt(runtime).block_on(test)
}

/// The store's clock on tokio's time.
struct VirtualClock(Instant);

/// When every test begins: 2026-11-20 09:00 UTC.
pub(crate) const BEGIN: TimestampMs = TimestampMs(1_795_165_200_000);

impl Clock for VirtualClock {
    fn now(&self) -> TimestampMs {
        BEGIN + SpanMs(i64::try_from(self.0.elapsed().as_millis()).unwrap())
    }
}

/// An empty store on virtual time.
pub(crate) fn memory() -> Arc<MemoryEngine> {
    memory_of(SHARDS)
}

/// The same with so many shards.
pub(crate) fn memory_of(shards: u16) -> Arc<MemoryEngine> {
    let identity = StoreIdentity {
        shards: ShardCount::new(shards).unwrap(),
        hash_version: HASH_VERSION,
        opaque_key: OpaqueKey([7; 32]),
    };
    Arc::new(MemoryEngine::new(identity, Arc::new(VirtualClock(Instant::now()))))
}

/// A store and a provider that outlive nodes.
pub(crate) struct World {
    /// What nodes are given.
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) provider: Arc<ScriptedProvider>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) settings: NodeSettings,
    ids: AtomicU64,
}

impl World {
    pub(crate) fn new(engine: Arc<dyn Engine>) -> Self {
        Self {
            provider: Arc::new(ScriptedProvider::new(engine.identity().opaque_key.clone())),
            engine,
            metrics: Arc::new(Metrics::new(&Registry::new()).unwrap()),
            settings: NodeSettings { arbiters: 0, ..NodeSettings::default() },
            ids: AtomicU64::new(0),
        }
    }

    /// A node on the world's own store.
    pub(crate) fn start(&self) -> NodeHandle {
        Node::start(self.options()).unwrap()
    }

    /// A node that reaches store and provider for as long as it lives.
    pub(crate) fn start_mortal(&self, life: &Arc<Life>) -> NodeHandle {
        let mut options = self.options();
        options.engine = Arc::new(MortalEngine { inner: options.engine, life: Arc::clone(life) });
        options.provider = Arc::new(MortalProvider { inner: options.provider, life: Arc::clone(life) });
        Node::start(options).unwrap()
    }

    /// One node of several, with a name and counters of its own. It ends with its life.
    pub(crate) fn join(&self, node_id: u64, life: &Arc<Life>) -> NodeHandle {
        self.join_as(NodeSettings { node_id, ..self.settings }, life)
    }

    /// The same, with further settings.
    pub(crate) fn join_as(&self, settings: NodeSettings, life: &Arc<Life>) -> NodeHandle {
        let mut options = self.options();
        options.settings = settings;
        options.metrics = Arc::new(Metrics::new(&Registry::new()).unwrap());
        options.engine = Arc::new(MortalEngine { inner: options.engine, life: Arc::clone(life) });
        options.provider = Arc::new(MortalProvider { inner: options.provider, life: Arc::clone(life) });
        Node::start(options).unwrap()
    }

    pub(crate) fn options(&self) -> NodeOptions {
        NodeOptions {
            engine: Arc::clone(&self.engine),
            directory: Arc::new(ArcSwap::from_pointee(directory())),
            provider: Arc::clone(&self.provider) as _,
            credits: None,
            files: None,
            settings: self.settings,
            metrics: Arc::clone(&self.metrics),
        }
    }

    pub(crate) async fn now(&self) -> TimestampMs {
        self.engine.now().await.unwrap()
    }

    /// Stores entries as the ingress does.
    pub(crate) async fn append(&self, address: &Address, happening: Happening) {
        let bytes = self.encode(address, happening).await;
        let shard = self.engine.identity().shards.shard_of(address.conversation);
        self.engine.append(vec![(shard, bytes)]).await.unwrap();
    }

    pub(crate) async fn encode(&self, address: &Address, happening: Happening) -> Bytes {
        let body = EntryBody::Conversation { address: address.clone(), input: Box::new(happening) };
        codec::encode(&Entry { received_at: self.now().await, traceparent: None, body }).unwrap()
    }

    /// The contact writes, under a provider id of its own.
    pub(crate) async fn writes(&self, address: &Address, text: &str) -> ProviderId {
        let id = ProviderId::new(format!("wamid.in.{}", self.ids.fetch_add(1, Ordering::Relaxed)));
        self.append(address, self.received(address, &id, text).await).await;
        id
    }

    pub(crate) async fn received(&self, address: &Address, id: &ProviderId, text: &str) -> Happening {
        Happening::Received(InboundMessage {
            provider_id: id.clone(),
            sent_at: self.now().await,
            identity: Identity { phone: address.contact.phone(), ..Identity::default() },
            content: Content::Text { body: text.to_owned() },
            reply_to: None,
            forwarded: false,
            referral: None,
        })
    }

    /// The provider reports on a message of ours.
    pub(crate) async fn reports(&self, address: &Address, posted: &Posted, status: ProviderStatus) {
        let update = StatusUpdate {
            provider_id: posted.provider_id.clone(),
            message: Some(posted.message),
            status,
            at: self.now().await,
            pricing: None,
            errors: Vec::new(),
            identity: Identity::default(),
        };
        self.append(address, Happening::Status(update)).await;
    }

    /// Lets virtual time pass: whatever can happen by then happens.
    pub(crate) async fn rest(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// Every fact of a conversation so far.
    pub(crate) async fn facts(&self, conversation: ConversationId) -> Vec<Fact> {
        let ours = |event: Event| (event.conversation == Some(conversation)).then_some(event.fact);
        self.all_facts().await.into_iter().filter_map(ours).collect()
    }

    pub(crate) async fn all_facts(&self) -> Vec<Event> {
        use futures_util::FutureExt as _;
        let found = self.engine.facts(FactLane(0), FactPosition(0), usize::MAX).now_or_never();
        let found = found.transpose().unwrap().unwrap_or_default();
        found.into_iter().map(|(_, bytes)| codec::decode(&bytes).unwrap()).collect()
    }
}

/// The conversation of the test number with a contact.
pub(crate) fn address(contact: u64) -> Address {
    let contact = ContactKey::Phone(E164::parse(&format!("+39333{contact:07}")).unwrap());
    Address { tenant: TENANT, number: NUMBER, conversation: conversation_id(NUMBER, &contact), contact }
}

/// The same contact with the tenant's other number.
pub(crate) fn sibling_address(contact: u64) -> Address {
    let contact = address(contact).contact;
    Address { tenant: TENANT, number: SIBLING, conversation: conversation_id(SIBLING, &contact), contact }
}

/// A command of a service.
pub(crate) fn command(key: &str, now: TimestampMs, action: Action) -> Command {
    Command {
        key: CommandKey::new(TENANT, key),
        fingerprint: 1,
        by: Party::Service(protocol::id::KeyId(1)),
        expires_at: now + SpanMs::seconds(30),
        action,
    }
}

/// Free-form text.
pub(crate) fn text(body: &str) -> Action {
    Action::Send(SendBody::Text { body: body.to_owned(), reply_to: None })
}

/// The message that a command queued.
pub(crate) fn queued(result: &CommandResult) -> MessageId {
    match result {
        CommandResult::Queued { message, .. } => *message,
        other => panic!("not queued: {other:?}"),
    }
}
