//! What is fixed at creation: written once, compared at every start.

use fjall::PersistMode;
use protocol::outbound::OpaqueKey;
use protocol::shard::{HASH_VERSION, ShardCount};

use super::tables::{Tables, damaged, failed};
use crate::engine::{EngineError, EngineResult, StoreIdentity};

/// How rows are written. Raised whenever an older program could not read them any more.
const FORMAT_VERSION: u8 = 1;

const FORMAT_KEY: &str = "format";
const IDENTITY_KEY: &str = "identity";

/// Reads the identity of a store, or makes it when the store is new.
pub(super) fn check_or_create(tables: &Tables, shards: ShardCount) -> EngineResult<StoreIdentity> {
    let Some(format) = tables.meta.get(FORMAT_KEY).map_err(failed)? else {
        return create(tables, shards);
    };
    if format.as_ref() != [FORMAT_VERSION] {
        return Err(EngineError::Incompatible(format!(
            "the store has format {}, this program writes format {FORMAT_VERSION}; use the version that made it, \
             or start with an empty folder",
            format.first().copied().unwrap_or_default(),
        )));
    }
    let row = tables.meta.get(IDENTITY_KEY).map_err(failed)?.ok_or_else(|| damaged("identity is missing"))?;
    let identity: StoreIdentity = postcard::from_bytes(&row).map_err(failed)?;
    compare(&identity, shards)?;
    Ok(identity)
}

fn compare(stored: &StoreIdentity, shards: ShardCount) -> EngineResult<()> {
    if stored.shards != shards {
        return Err(EngineError::Incompatible(format!(
            "the store was created with {} shards, but {} are configured; set `shards` to {} (their number is \
             fixed for the life of a store), or start with an empty folder",
            stored.shards.get(),
            shards.get(),
            stored.shards.get(),
        )));
    }
    if stored.hash_version != HASH_VERSION {
        return Err(EngineError::Incompatible(format!(
            "the store was created with shard hash version {}, this program uses version {HASH_VERSION}; use the \
             version that made it, or start with an empty folder",
            stored.hash_version,
        )));
    }
    Ok(())
}

fn create(tables: &Tables, shards: ShardCount) -> EngineResult<StoreIdentity> {
    let identity = StoreIdentity {
        shards,
        hash_version: HASH_VERSION,
        opaque_key: OpaqueKey(rand::random::<[u8; 32]>()),
    };
    let row = postcard::to_stdvec(&identity).map_err(failed)?;
    let mut batch = tables.db.batch().durability(Some(PersistMode::SyncAll));
    batch.insert(&tables.meta, FORMAT_KEY, [FORMAT_VERSION]);
    batch.insert(&tables.meta, IDENTITY_KEY, row);
    batch.commit().map_err(failed)?;
    Ok(identity)
}
