//! Tells conversations of a number what is known about contacts from elsewhere.

use protocol::codec;
use protocol::entry::{AccountNotice, ContactChange, Entry, EntryBody, Happening};
use protocol::id::{NumberId, TenantId};
use protocol::time::TimestampMs;
use protocol::whatsapp::webhook::Names;
use store::engine::{Engine, EngineError, EngineResult};

use super::{IngestError, Ingress, address, place, waba_hash};

impl Ingress {
    /// Makes changes of contacts durable for their conversations with one number, which may not exist yet. Telling
    /// the same again changes nothing.
    ///
    /// # Errors
    /// See [`IngestError`]; some of it may have been told then.
    pub async fn tell(
        &self,
        (tenant, number): (TenantId, NumberId),
        changes: Vec<(Names, ContactChange)>,
        now: TimestampMs,
    ) -> Result<(), IngestError> {
        let names = changes.iter().map(|(names, _)| (number, names));
        let directory = self.directory.load_full();
        let found = self.look_up(&directory, names, now).await?;
        let mut entries = Vec::with_capacity(changes.len());
        for (names, change) in changes {
            let own = || place::own_key(&names);
            let Some(key) = found.canonical(number, &names).cloned().or_else(own) else { continue };
            let input = Box::new(Happening::ContactChanged(change));
            let body = EntryBody::Conversation { address: address(tenant, number, key), input };
            let shard = self.shard_of(&body);
            let entry = Entry { received_at: now, traceparent: None, body };
            entries.push((shard, codec::encode(&entry)?));
        }
        self.append(entries).await
    }
}

/// Makes a notice durable that the gateway itself has to tell about an account: it becomes an event as those of the
/// provider do, in order with them.
pub(crate) async fn note(engine: &dyn Engine, notice: AccountNotice, now: TimestampMs) -> EngineResult<()> {
    let shard = engine.identity().shards.shard_of_hash(waba_hash(&notice.waba));
    let entry = Entry { received_at: now, traceparent: None, body: EntryBody::Account(notice) };
    let bytes = codec::encode(&entry).map_err(|error| EngineError::Failed(error.into()))?;
    engine.append(vec![(shard, bytes)]).await
}
