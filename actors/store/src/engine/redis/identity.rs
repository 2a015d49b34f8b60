//! What a store is: written once by whoever comes first, compared by everybody after.

use protocol::outbound::OpaqueKey;
use protocol::shard::HASH_VERSION;

use super::errors::{bytes, failed_read, garbled};
use super::options::RedisOptions;
use super::topology::Topology;
use crate::engine::{EngineError, EngineResult, StoreIdentity};

/// Version of the names of keys and of what is in them.
const LAYOUT: u8 = 1;

pub(super) async fn settle(topology: &Topology, options: &RedisOptions) -> EngineResult<StoreIdentity> {
    let wanted = StoreIdentity {
        shards: options.shards,
        hash_version: HASH_VERSION,
        opaque_key: OpaqueKey(rand::random()),
    };
    let mut create = redis::cmd("SET");
    let encoded = postcard::to_stdvec(&(LAYOUT, &wanted)).map_err(failed_read)?;
    create.arg(topology.keys.identity()).arg(encoded).arg("NX");
    topology.ask(0, create).await?;
    let mut ask = redis::cmd("GET");
    ask.arg(topology.keys.identity());
    let stored = bytes(topology.ask(0, ask).await?, "GET")?.ok_or_else(|| garbled("GET"))?;
    let (layout, identity): (u8, StoreIdentity) = postcard::from_bytes(&stored).map_err(failed_read)?;
    let (have, want) = (identity.shards.get(), options.shards.get());
    let refuse = |message| Err(EngineError::Incompatible(message));
    if layout != LAYOUT || identity.hash_version != HASH_VERSION {
        return refuse(format!(
            "the store `{}` in Redis was made by another version (layout {layout}, hash {}; this one has {LAYOUT} \
             and {HASH_VERSION})",
            options.name, identity.hash_version
        ));
    }
    if have != want {
        return refuse(format!(
            "the store `{}` in Redis was created with {have} shards, {want} are configured: set `shards` to {have}",
            options.name
        ));
    }
    Ok(identity)
}
