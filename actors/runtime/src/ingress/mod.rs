//! From a decoded webhook to durable log entries: finds number, conversation and shard of every part, and appends
//! them all in one call.
//!
//! Nothing else happens here: no conversation is loaded, no media fetched. What has no place (a number that is not
//! configured, or not within reach of the secret that signed) is kept as a notice, so that no part is ever lost.

mod aliases;
mod place;
mod tell;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use compact_str::CompactString;
use domain::directory::Directory;
use protocol::codec::{self, EncodeError};
use protocol::entry::{Address, Entry, EntryBody, Happening, Notice};
use protocol::id::{NumberId, TenantId, WabaId, derive};
use protocol::phone::ContactKey;
use protocol::shard::{ShardId, conversation_id};
use protocol::time::TimestampMs;
use protocol::whatsapp::webhook::{Names, Webhook};
use store::engine::{AliasKey, Engine, EngineError, EngineResult};
use tracing::Instrument as _;

use self::aliases::{Aliases, Found};
use self::place::{Placed, Reach};
pub(crate) use self::tell::note;
use crate::metrics::Metrics;

/// The way in.
pub struct Ingress {
    engine: Arc<dyn Engine>,
    directory: Arc<ArcSwap<Directory>>,
    metrics: Arc<Metrics>,
    aliases: Aliases,
}

/// When and by which request a webhook came.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// By the store's clock: decisions about time use this value.
    pub received_at: TimestampMs,
    /// W3C `traceparent` of the request.
    pub traceparent: Option<CompactString>,
}

/// What was made durable, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Messages of contacts.
    pub messages: u64,
    /// Reports on messages of ours.
    pub statuses: u64,
    /// Calls.
    pub calls: u64,
    /// Contacts with new names.
    pub identity_changes: u64,
    /// Preferences of contacts.
    pub preferences: u64,
    /// Notices about accounts, numbers and templates.
    pub notices: u64,
    /// Parts that were not understood or are for no number of ours, kept raw.
    pub unknown: u64,
}

impl Accepted {
    /// Every count with its name in metrics.
    #[must_use]
    pub const fn by_kind(&self) -> [(&'static str, u64); 7] {
        [
            ("message", self.messages),
            ("status", self.statuses),
            ("call", self.calls),
            ("identity_change", self.identity_changes),
            ("preference", self.preferences),
            ("notice", self.notices),
            ("unknown", self.unknown),
        ]
    }

    /// All parts.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_kind().iter().map(|(_, count)| count).sum()
    }

    fn count(&mut self, body: &EntryBody) {
        let count = match body {
            EntryBody::Conversation { input, .. } => match input.as_ref() {
                Happening::Received(_) => &mut self.messages,
                Happening::Status(_) => &mut self.statuses,
                Happening::Call(_) => &mut self.calls,
                Happening::IdentityChanged(_) => &mut self.identity_changes,
                Happening::Preference(_) => &mut self.preferences,
                // Not from webhooks.
                Happening::Command(_) | Happening::ContactChanged(_) => return,
            },
            EntryBody::Account(notice) => match notice.notice {
                Notice::Unknown { .. } => &mut self.unknown,
                _ => &mut self.notices,
            },
        };
        *count += 1;
    }
}

/// Why a webhook is not durable. The provider is asked to try again; whatever was stored is recognised then.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The store takes no more for now.
    #[error("the store is full: {0}")]
    Full(String),
    /// The store failed, or its answer was lost.
    #[error("the store is not available")]
    Unavailable(#[source] EngineError),
    /// An entry has no stored form.
    #[error("an entry cannot be stored")]
    Unstorable(#[from] EncodeError),
}

impl From<EngineError> for IngestError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Full(detail) => Self::Full(detail),
            other => Self::Unavailable(other),
        }
    }
}

impl Ingress {
    /// The way into a store, for the numbers of a directory.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>, directory: Arc<ArcSwap<Directory>>, metrics: Arc<Metrics>) -> Self {
        Self { engine, directory, metrics, aliases: Aliases::new(crate::limits::ALIASES) }
    }

    /// Makes a webhook durable. `scope` holds the tenants whose app secret signed it: it reaches no other's numbers.
    ///
    /// # Errors
    /// See [`IngestError`]; nothing is acknowledged then.
    pub async fn accept(
        &self,
        webhook: Webhook,
        scope: &[TenantId],
        arrival: Arrival,
    ) -> Result<Accepted, IngestError> {
        let directory = self.directory.load();
        let reach = Reach { directory: &directory, scope, opaque_key: &self.engine.identity().opaque_key };
        let placed: Vec<Placed> = webhook.parts.into_iter().map(|part| reach.place(part)).collect();
        let names = placed.iter().filter_map(Placed::names);
        let mut found = self.look_up(&directory, names, arrival.received_at).await?;
        let mut accepted = Accepted::default();
        let mut entries = Vec::with_capacity(placed.len());
        for part in placed {
            let body = self.settle(part, &mut found, arrival.received_at);
            accepted.count(&body);
            let shard = self.shard_of(&body);
            let traceparent = arrival.traceparent.clone();
            let entry = Entry { received_at: arrival.received_at, traceparent, body };
            entries.push((shard, codec::encode(&entry)?));
        }
        drop(directory);
        self.append(entries).await?;
        Ok(accepted)
    }

    /// The conversation of a number with a contact, by whatever names the caller knows; commands go there.
    ///
    /// `None` when there is no name at all.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn address(
        &self,
        (tenant, number): (TenantId, NumberId),
        names: &Names,
        now: TimestampMs,
    ) -> Result<Option<Address>, IngestError> {
        let Some(key) = place::own_key(names) else { return Ok(None) };
        let directory = self.directory.load();
        let found = self.look_up(&directory, std::iter::once((number, names)), now).await?;
        Ok(Some(address(tenant, number, found.canonical(number, names).cloned().unwrap_or(key))))
    }

    /// Names that lead to a conversation from now on; the shard calls it when their commit is durable.
    ///
    /// Other nodes do not hear of it, but for erasures ([`Directory::erased`]): their caches hold what they know, and
    /// what they know to be missing, for a bounded time only ([`crate::limits::ALIAS_KNOWN_FOR`],
    /// [`crate::limits::ALIAS_ABSENT_FOR`]). A message that reaches another node within that time by the new name
    /// alone may begin a second conversation; the alias then leads all later ones to the same place again. A contact
    /// mostly comes with both names, and the older one is enough to find the conversation, so that takes a name that
    /// was never seen with another.
    pub fn learn(&self, aliases: &[(AliasKey, ContactKey)], now: TimestampMs) {
        for (name, contact) in aliases {
            self.aliases.learn(*name, contact.clone(), now);
        }
    }

    async fn look_up<'a>(
        &self,
        directory: &Directory,
        names: impl Iterator<Item = (NumberId, &'a Names)> + Clone,
        now: TimestampMs,
    ) -> EngineResult<Found> {
        self.aliases.look_up((self.engine.as_ref(), directory), names, now).await
    }

    /// Gives a part its final place.
    fn settle(&self, part: Placed, found: &mut Found, now: TimestampMs) -> EntryBody {
        match part {
            Placed::Notice(notice) => EntryBody::Account(notice),
            Placed::Known { address, happening } => EntryBody::Conversation { address, input: happening },
            Placed::Named { tenant, number, names, key, happening } => {
                let key = found.canonical(number, &names).cloned().unwrap_or(key);
                if let Some(names) = place::names_to_learn(&happening) {
                    // The conversation will commit the same. To know it now keeps together what comes before that:
                    // the next part of this webhook, and the next webhook.
                    for (name, contact) in found.learn(number, &names, &key) {
                        self.aliases.learn(name, contact, now);
                    }
                }
                EntryBody::Conversation { address: address(tenant, number, key), input: happening }
            }
        }
    }

    fn shard_of(&self, body: &EntryBody) -> ShardId {
        let shards = self.engine.identity().shards;
        match body {
            EntryBody::Conversation { address, .. } => shards.shard_of(address.conversation),
            EntryBody::Account(notice) => shards.shard_of_hash(waba_hash(&notice.waba)),
        }
    }

    async fn append(&self, entries: Vec<(ShardId, Bytes)>) -> Result<(), IngestError> {
        if entries.is_empty() {
            return Ok(());
        }
        let timer = self.metrics.log_append.start_timer();
        self.engine.append(entries).instrument(tracing::debug_span!("append")).await?;
        timer.observe_duration();
        Ok(())
    }
}

fn address(tenant: TenantId, number: NumberId, contact: ContactKey) -> Address {
    let conversation = conversation_id(number, &contact);
    Address { tenant, number, contact, conversation }
}

/// Notices of one account stay in order: they share a shard.
fn waba_hash(waba: &WabaId) -> u128 {
    derive("waba1", &[waba.as_str().as_bytes()])
}
