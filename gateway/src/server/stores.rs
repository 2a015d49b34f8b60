//! Opens the stores that the settings name.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use protocol::shard::ShardCount;
use runtime::NodeSettings;
use runtime::consumers::{AwaySettings, EndpointSettings};
use store::blobs::{BlobPlace, Blobs, Bucket};
use store::engine::embedded::{EmbeddedEngine, EmbeddedOptions};
use store::engine::{Engine, RedisEngine, RedisOptions, SystemClock, embedded};
use store::records::{PostgresRecords, SharedRecords, SqliteRecords};

use super::StartError;
use crate::config::{Durability, PrivateAddresses, Settings, mail_settings, push_settings};

/// Folder of the engine store under `data`; the records keep their own file beside it.
const ENGINE_FOLDER: &str = "engine";

/// Folder of files under `data`, unless the settings name another place.
const FILES_FOLDER: &str = "files";

/// All stores, open.
pub(crate) struct Stores {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) records: SharedRecords,
    pub(crate) blobs: Blobs,
}

impl Stores {
    /// Opens all; blocking work happens beside the executor.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, StartError> {
        let engine = Self::open_engine(settings).await?;
        let records = open_records(settings).await?;
        records.bind(engine.identity().fingerprint()).await?;
        let blobs = Self::open_blobs(settings).await?;
        if settings.files.url.is_empty() && !settings.store.url.is_empty() {
            tracing::warn!("files are kept where this node alone sees them: other nodes need `files.url`");
        }
        Ok(Self { engine, records, blobs })
    }

    /// Opens the store of files alone.
    pub(crate) async fn open_blobs(settings: &Settings) -> Result<Blobs, StartError> {
        let place = blob_place(settings);
        Ok(tokio::task::spawn_blocking(move || Blobs::open(&place)).await??)
    }

    /// Opens the engine store alone.
    pub(crate) async fn open_engine(settings: &Settings) -> Result<Arc<dyn Engine>, StartError> {
        if !settings.store.url.is_empty() {
            let engine = RedisEngine::open(redis_options(settings)).await?;
            tracing::info!(store = engine.describe(), "conversations are kept in Redis");
            return Ok(Arc::new(engine));
        }
        let options = engine_options(settings);
        let clock = Arc::new(SystemClock::default());
        let engine = tokio::task::spawn_blocking(move || EmbeddedEngine::open(&options, clock)).await??;
        Ok(Arc::new(engine))
    }
}

/// Opens the records alone, for verbs that need no engine.
pub(crate) async fn open_records(settings: &Settings) -> Result<SharedRecords, StartError> {
    if !settings.records.url.is_empty() {
        return Ok(Arc::new(PostgresRecords::connect(&settings.records.url).await?));
    }
    let folder = settings.data.clone();
    let records = tokio::task::spawn_blocking(move || SqliteRecords::open(&folder)).await??;
    Ok(Arc::new(records))
}

fn blob_place(settings: &Settings) -> BlobPlace {
    let files = &settings.files;
    if files.url.is_empty() {
        return BlobPlace::Folder(settings.data.join(FILES_FOLDER));
    }
    if let Some(folder) = files.url.strip_prefix("file://") {
        return BlobPlace::Folder(folder.into());
    }
    BlobPlace::Bucket(Bucket {
        url: files.url.clone(),
        endpoint: files.s3_endpoint.clone(),
        region: files.s3_region.clone(),
        access_key_id: files.s3_access_key_id.clone(),
        secret_access_key: files.s3_secret_access_key.clone(),
    })
}

fn redis_options(settings: &Settings) -> RedisOptions {
    let urls = settings.store.url.split(',').map(|url| url.trim().to_owned()).collect();
    let defaults = RedisOptions::new(String::new());
    let shards = ShardCount::new(settings.store.shards).unwrap_or(defaults.shards);
    let (durability, replicas) = (durability(settings), settings.store.replicas);
    RedisOptions { urls, shards, durability, replicas, ..defaults }
}

fn durability(settings: &Settings) -> embedded::Durability {
    match settings.store.durability {
        Durability::Fsync => embedded::Durability::Fsync,
        Durability::Everysec => embedded::Durability::EverySecond,
    }
}

fn engine_options(settings: &Settings) -> EmbeddedOptions {
    EmbeddedOptions {
        shards: ShardCount::new(settings.store.shards).unwrap_or_default(),
        durability: durability(settings),
        backlog_max_bytes: settings.store.backlog_max_bytes,
        disk_free_min_bytes: settings.store.disk_free_min_bytes,
        ..EmbeddedOptions::new(settings.data.join(ENGINE_FOLDER))
    }
}

/// What the settings say about the node.
pub(super) fn node_settings(settings: &Settings) -> NodeSettings {
    NodeSettings {
        node_id: node_id(&settings.node.id),
        owns_shards: settings.node.owns_shards,
        idle: Duration::from_secs(settings.conversations.idle_seconds),
        live_conversations: settings.conversations.max_live,
        ..NodeSettings::default()
    }
}

/// What the settings say about downstream addresses.
pub(super) fn endpoint_settings(settings: &Settings) -> EndpointSettings {
    EndpointSettings {
        allow_private_addresses: match settings.endpoints.private_addresses {
            PrivateAddresses::Allow => true,
            PrivateAddresses::Deny => false,
            PrivateAddresses::Auto => settings.public.listen.ip().is_loopback(),
        },
        timeout: Duration::from_millis(settings.endpoints.timeout_ms),
    }
}

/// What the settings say about users who are away. `public` is the address of the listener.
pub(super) fn away_settings(settings: &Settings, public: SocketAddr) -> AwaySettings {
    let named = [&settings.mail.link, &settings.public.url].into_iter().find(|url| !url.is_empty());
    AwaySettings {
        mail: mail_settings(settings),
        push: push_settings(settings),
        link: named.map_or_else(|| format!("http://{public}/"), Clone::clone),
    }
}

/// A named node keeps its id over restarts and so takes its old leases over at once.
fn node_id(name: &str) -> u64 {
    if name.is_empty() {
        return rand::random();
    }
    protocol::id::derive("node", &[name.as_bytes()]) as u64
}
