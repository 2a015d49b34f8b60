//! What the rest of the process may ask of a node.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix::Arbiter;
use domain::conversation::Conversation;
use domain::directory::Directory;
use parking_lot::Mutex;
use protocol::codec;
use protocol::command::{Command, CommandKey, CommandResult};
use protocol::entry::{Address, Entry, EntryBody, Happening};
use protocol::id::ConversationId;
use protocol::shard::ShardId;
use protocol::time::TimestampMs;
use serde::Serialize;
use store::engine::{Engine, EngineError, LoadRequest};
use tokio::sync::watch;

use super::result::StoredResult;
use super::shared::{Phase, Shared};
use crate::ingress::Ingress;
use crate::metrics::Metrics;
use crate::shard::ShardShared;
use crate::trace;

/// Why the result of a command is not known. It may still be applied until it expires, unless said otherwise.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The command was not made durable and will not be applied.
    #[error("the command could not be stored")]
    NotStored(#[source] EngineError),
    /// No result within the wait. Asking again with the same key finds it.
    #[error("the command is stored but was not applied in time")]
    Late,
    /// Too many callers wait, of this tenant or of all; the command was not stored.
    #[error("too many commands wait for their result")]
    Busy,
    /// The node stops; the command was not stored.
    #[error("the node is stopping")]
    Stopping,
}

/// Why a conversation cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The store did not answer.
    #[error("the conversation could not be loaded")]
    Store(#[from] EngineError),
    /// The stored state cannot be read.
    #[error("the stored conversation cannot be read")]
    Decode(#[from] domain::conversation::DecodeError),
}

/// Whether a node can do its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Every shard that falls to the node is owned, the store answers and nobody is stopping the node.
    pub ready: bool,
    /// Nodes that are there, this one among them.
    pub nodes: usize,
    /// This node does what one node does for all.
    pub leads: bool,
    /// Shards of the store.
    pub shards: usize,
    /// Of those, falling to this node.
    pub shards_wanted: usize,
    /// Of those, owned by this node.
    pub shards_owned: usize,
    /// What the store said, if it did not answer well.
    pub store_error: Option<String>,
}

/// What lives in a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Live {
    /// Conversation actors.
    pub conversations: usize,
    /// Numbers with an outbound actor.
    pub outbound: usize,
}

/// One shard as `/debug/shards` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ShardView {
    /// Which.
    pub shard: u16,
    /// Owned by this node.
    pub owned: bool,
    /// Falls to this node: what is owned and not wanted is being handed over, the other way round taken over.
    pub wanted: bool,
    /// Counts up with every acquisition.
    pub epoch: u64,
    /// The log is applied up to here.
    pub position: u64,
    /// Conversation actors.
    pub live_conversations: usize,
    /// Inputs of the newest batch.
    pub last_batch_events: usize,
    /// Batches since the shard was acquired.
    pub batches: u64,
    /// The earliest timer.
    pub next_timer: Option<TimestampMs>,
    /// Times that the shard was loaded anew after it lost its lease or a commit.
    pub reloads: u64,
    /// The newest fault.
    pub last_error: Option<String>,
}

/// A running node. Clones lead to the same node.
#[derive(Clone)]
pub struct NodeHandle {
    shared: Arc<Shared>,
    /// Stopped at the end; empty after that.
    arbiters: Arc<Mutex<Vec<Arbiter>>>,
}

impl NodeHandle {
    pub(super) fn new(shared: Arc<Shared>, arbiters: Vec<Arbiter>) -> Self {
        Self { shared, arbiters: Arc::new(Mutex::new(arbiters)) }
    }

    /// Stores a command in the log of its conversation and waits for the committed result. A conversation that
    /// does not exist yet begins with a send, a consent or a block; other commands are then refused with `not_found`.
    ///
    /// The same key again, at any time within 24 hours, answers the same result without acting again.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn command(&self, address: Address, command: Command) -> Result<CommandResult, CommandError> {
        if self.shared.phase() > Phase::Running {
            return Err(CommandError::Stopping);
        }
        let (key, fingerprint) = (command.key, command.fingerprint);
        if let Some(known) = self.result(key, fingerprint).await.map_err(CommandError::NotStored)? {
            return Ok(known);
        }
        let engine = self.engine();
        let shard = self.shard_of(address.conversation);
        let place = self.shared.waiters.enter(address.tenant, shard, key, fingerprint);
        let mut waiting = place.ok_or(CommandError::Busy)?;
        let entry = Entry {
            received_at: engine.now().await.map_err(CommandError::NotStored)?,
            traceparent: trace::current_traceparent(),
            body: EntryBody::Conversation { address, input: Box::new(Happening::Command(command)) },
        };
        let bytes = codec::encode(&entry)
            .map_err(|error| CommandError::NotStored(EngineError::Failed(error.into())))?;
        engine.append(vec![(shard, bytes)]).await.map_err(CommandError::NotStored)?;
        match tokio::time::timeout(self.shared.options.settings.command_wait, &mut waiting.answer).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_)) | Err(_) => Err(CommandError::Late),
        }
    }

    /// What the same command was answered before, within 24 hours; nothing is applied.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn result(
        &self,
        key: CommandKey,
        fingerprint: u64,
    ) -> Result<Option<CommandResult>, EngineError> {
        let known = self.engine().result(key).await?;
        Ok(known.as_deref().and_then(StoredResult::decode).map(|stored| stored.answer(fingerprint)))
    }

    /// The committed state of a conversation; `None` if it does not exist.
    ///
    /// # Errors
    /// See [`InspectError`].
    pub async fn inspect(&self, conversation: ConversationId) -> Result<Option<Conversation>, InspectError> {
        let request = LoadRequest { conversations: vec![conversation], ..LoadRequest::default() };
        let mut loaded = self.engine().load(self.shard_of(conversation), request).await?;
        match loaded.conversations.pop().flatten() {
            Some(stored) => Ok(Some(Conversation::decode(&stored.snapshot)?)),
            None => Ok(None),
        }
    }

    /// Every shard, in order.
    #[must_use]
    pub fn shards(&self) -> Vec<ShardView> {
        self.shared.shards.iter().map(|shard| shard.view()).collect()
    }

    /// Whether the node can do its work.
    pub async fn health(&self) -> Health {
        let store_error = self.engine().now().await.err().map(|error| error.to_string());
        let (nodes, shards) = (self.shared.nodes.borrow().len(), self.shared.shards.len());
        let of = |is: fn(&ShardShared) -> bool| self.shared.shards.iter().filter(|shard| is(shard)).count();
        let shards_owned = of(|shard| shard.token().is_some());
        let missing = of(|shard| shard.is_wanted() && shard.token().is_none());
        let is_running = self.shared.phase() == Phase::Running;
        // Who only takes in needs nobody else for that: what it takes in waits for those that apply.
        let is_told = nodes > 0 || !self.shared.options.settings.owns_shards;
        let ready = store_error.is_none() && is_told && missing == 0 && is_running;
        let leads = *self.shared.leads.borrow();
        Health { ready, nodes, leads, shards, shards_wanted: self.shared.wanted(), shards_owned, store_error }
    }

    /// Whether this node does what one node does for all; follows who is there.
    #[must_use]
    pub fn leads(&self) -> watch::Receiver<bool> {
        self.shared.leads.subscribe()
    }

    /// What lives in the node now.
    #[must_use]
    pub fn live(&self) -> Live {
        let conversations = self.shared.live.load(Ordering::Relaxed);
        Live { conversations, outbound: self.shared.queues().len() }
    }

    /// Stops taking commands, lets POSTs under way end, and gives the shards to other nodes. The store stays open. A
    /// second call waits for the same end.
    pub async fn shutdown(&self) {
        // Each shard leaves by itself within its grace; a commit that the store does not answer takes longer.
        let patience = self.shared.options.settings.shutdown_grace * 2;
        self.shared.phase.send_if_modified(|phase| {
            *phase == Phase::Running && {
                *phase = Phase::Draining;
                true
            }
        });
        let mut owned = self.shared.owned.subscribe();
        if tokio::time::timeout(patience, owned.wait_for(|owned| *owned == 0)).await.is_err() {
            let left = *self.shared.owned.borrow();
            tracing::warn!(left, "shards were not given back in time");
        }
        self.shared.phase.send_replace(Phase::Stopping);
        let mut running = self.shared.running.subscribe();
        // Fails only when the node is gone already.
        let _ = running.wait_for(|running| *running == 0).await;
        for arbiter in std::mem::take(&mut *self.arbiters.lock()) {
            arbiter.stop();
        }
    }

    /// The way in for webhooks; also finds the conversation that a command is for.
    #[must_use]
    pub fn ingress(&self) -> &Arc<Ingress> {
        &self.shared.ingress
    }

    /// The engine of the node.
    #[must_use]
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.shared.options.engine
    }

    /// What tenants configured, now.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        self.shared.options.directory.load_full()
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.shared.options.metrics
    }

    /// The shard of a conversation.
    #[must_use]
    pub fn shard_of(&self, conversation: ConversationId) -> ShardId {
        self.engine().identity().shards.shard_of(conversation)
    }
}
