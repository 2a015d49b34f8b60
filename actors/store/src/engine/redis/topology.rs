//! Which master serves which lane.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use redis::aio::ConnectionLike;
use redis::{Client, ConnectionAddr, IntoConnectionInfo, ProtocolVersion, Value};

use super::errors::{elements, failed, garbled, number};
use super::inspect::{self, Inspection};
use super::keys::{Keys, Lane};
use super::library::Library;
use super::options::RedisOptions;
use super::server::{Server, timing};
use crate::engine::{EngineError, EngineResult};

/// Counts, per lane, how often the store may have lost its newest writes: restarts and fail-overs. What a node
/// read or was granted before says nothing about what is there now.
#[derive(Debug)]
pub(super) struct Generations(Vec<AtomicU64>);

impl Generations {
    pub(super) fn of(&self, lane: Lane) -> u64 {
        self.0[lane].load(Ordering::Acquire)
    }

    pub(super) fn advance(&self, lanes: &[Lane]) {
        for &lane in lanes {
            self.0[lane].fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// The masters and their lanes.
pub(super) struct Topology {
    pub(super) keys: Keys,
    pub(super) generations: Arc<Generations>,
    functions: Library,
    options: RedisOptions,
    in_cluster: bool,
    lanes: RwLock<Vec<Arc<Server>>>,
    /// The masters of the last answer, and those that a slot is on its way to, by address: a lane that moves to one
    /// of them was migrated with all that it holds; one that moves to a stranger, or to a master of long ago, was
    /// taken over by a replica, which may lack the newest writes.
    masters: Mutex<HashMap<String, Arc<Server>>>,
}

impl Topology {
    /// Connects, checks the server, loads the library.
    pub(super) async fn open(options: &RedisOptions) -> EngineResult<(Self, Inspection)> {
        let keys = Keys::new(&options.name, options.shards);
        let clients =
            options.urls.iter().map(|url| client(url.as_str())).collect::<EngineResult<Vec<_>>>()?;
        let (functions, inspection) = first_look(&clients, options).await?;
        let in_cluster = inspection.in_cluster();
        let generations = Arc::new(Generations((0..keys.lanes()).map(|_| AtomicU64::new(0)).collect()));
        let server = Server::new(clients, options.answer_timeout, generations.clone());
        let server = Arc::new(server);
        *server.serves.write() = (0..keys.lanes()).collect();
        let topology = Self {
            lanes: RwLock::new((0..keys.lanes()).map(|_| server.clone()).collect()),
            keys,
            generations,
            functions,
            options: options.clone(),
            in_cluster,
            masters: Mutex::default(),
        };
        if in_cluster {
            topology.learn().await?;
        }
        Ok((topology, inspection))
    }

    pub(super) fn server(&self, lane: Lane) -> Arc<Server> {
        self.lanes.read()[lane].clone()
    }

    /// Without a cluster one call may touch all lanes.
    pub(super) fn in_cluster(&self) -> bool {
        self.in_cluster
    }

    /// The lane whose stream takes the facts of a lane: one for all where one call may touch all, so that a call writes
    /// one entry.
    pub(super) fn fact_lane(&self, lane: Lane) -> Lane {
        if self.in_cluster { lane } else { 0 }
    }

    pub(super) fn answer_timeout(&self) -> Duration {
        self.options.answer_timeout
    }

    pub(super) fn functions(&self) -> &Library {
        &self.functions
    }

    /// Every master that serves a lane, with one of its lanes.
    pub(super) fn servers(&self) -> Vec<(Lane, Arc<Server>)> {
        let mut servers: Vec<(Lane, Arc<Server>)> = Vec::new();
        for (lane, server) in self.lanes.read().iter().enumerate() {
            if !servers.iter().any(|(_, known)| Arc::ptr_eq(known, server)) {
                servers.push((lane, server.clone()));
            }
        }
        servers
    }

    /// Splits what belongs to lanes into what one call can do: all of it, or lane by lane in a cluster.
    pub(super) fn split<T>(&self, items: impl IntoIterator<Item = (Lane, T)>) -> Vec<(Lane, Vec<T>)> {
        let mut parts: Vec<(Lane, Vec<T>)> = Vec::new();
        let mut places = vec![None; self.keys.lanes()];
        for (lane, item) in items {
            let lane = if self.in_cluster { lane } else { 0 };
            match places[lane] {
                Some(place) => {
                    let (_, part): &mut (Lane, Vec<T>) = &mut parts[place];
                    part.push(item);
                }
                None => {
                    places[lane] = Some(parts.len());
                    parts.push((lane, vec![item]));
                }
            }
        }
        parts
    }

    /// The server at an address, for a redirection.
    pub(super) fn at(&self, address: &str) -> EngineResult<Arc<Server>> {
        let mut masters = self.masters.lock();
        if let Some(known) = masters.get(address) {
            return Ok(known.clone());
        }
        let server = Arc::new(Server::new(
            vec![self.client_at(address)?],
            self.options.answer_timeout,
            self.generations.clone(),
        ));
        masters.insert(address.to_owned(), server.clone());
        Ok(server)
    }

    /// With the credentials and encryption of the first configured address.
    fn client_at(&self, address: &str) -> EngineResult<Client> {
        let first = self.options.urls.first().map_or("", String::as_str);
        let info = first.into_connection_info().map_err(failed)?;
        let (host, port) = address.rsplit_once(':').ok_or_else(|| garbled("CLUSTER SLOTS"))?;
        let (host, port) = (host.to_owned(), port.parse().map_err(|_| garbled("CLUSTER SLOTS"))?);
        let moved = match info.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
                ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: tls_params.clone() }
            }
            _ => ConnectionAddr::Tcp(host, port),
        };
        Client::open(info.set_addr(moved)).map_err(failed)
    }

    /// Asks the cluster who serves what. Does nothing without a cluster.
    pub(super) async fn learn(&self) -> EngineResult<()> {
        if !self.in_cluster {
            return Ok(());
        }
        let known: Vec<String> = self.masters.lock().keys().cloned().collect();
        let seeds = self.options.urls.iter().map(|url| client(url.as_str()));
        let others = known.iter().map(|address| self.client_at(address));
        let mut reason = EngineError::Failed("no address of the cluster is configured".into());
        for client in seeds.chain(others) {
            match ask_slots(client?).await {
                Ok(slots) => return self.take_over(&slots),
                Err(error) => reason = error,
            }
        }
        Err(reason)
    }

    fn take_over(&self, slots: &[(u64, u64, String)]) -> EngineResult<()> {
        let known: HashSet<String> = self.masters.lock().keys().cloned().collect();
        for lane in 0..self.keys.lanes() {
            let slot = u64::from(self.keys.slot(lane));
            let Some((_, _, address)) = slots.iter().find(|(from, to, _)| (*from..=*to).contains(&slot))
            else {
                return Err(EngineError::Failed(format!("slot {slot} of the cluster has no master").into()));
            };
            let (server, before) = (self.at(address)?, self.server(lane));
            if Arc::ptr_eq(&server, &before) {
                continue;
            }
            if !known.contains(address) {
                self.generations.advance(&[lane]);
            }
            before.serves.write().retain(|&served| served != lane);
            server.serves.write().push(lane);
            self.lanes.write()[lane] = server;
        }
        self.masters.lock().retain(|address, _| slots.iter().any(|(_, _, master)| master == address));
        Ok(())
    }
}

/// In the older protocol: scores come as text, and pairs unnested.
fn client(url: &str) -> EngineResult<Client> {
    let unusable = |error| {
        EngineError::Incompatible(format!(
            "an address of Redis cannot be used: {error}; expected redis://host:port or rediss://host:port"
        ))
    };
    let info = url.into_connection_info().map_err(unusable)?;
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
    Client::open(info.set_redis_settings(settings)).map_err(unusable)
}

/// Before anything else: is this a server to keep conversations on?
async fn first_look(clients: &[Client], options: &RedisOptions) -> EngineResult<(Library, Inspection)> {
    let mut reason = EngineError::Incompatible("no address of Redis is configured".into());
    for client in clients {
        let timing = timing(Some(options.answer_timeout));
        let mut connection = match client.get_multiplexed_async_connection_with_config(&timing).await {
            Ok(connection) => connection,
            Err(error) => {
                reason = failed(error);
                continue;
            }
        };
        let inspection = Inspection::of(&mut connection).await.map_err(failed)?;
        if !inspection.is_master() && !inspection.in_cluster() {
            reason = EngineError::Failed("none of the Redis addresses is a master".into());
            continue;
        }
        let appendfsync = inspect::appendfsync(&mut connection).await;
        inspection.check(options, appendfsync.as_deref())?;
        let functions = Library::load(&mut connection).await.map_err(failed)?;
        return Ok((functions, inspection));
    }
    Err(reason)
}

/// First and last slot and the master of each range.
async fn ask_slots(client: Client) -> EngineResult<Vec<(u64, u64, String)>> {
    let asked = match client.get_connection_info().addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host.clone(),
        _ => String::new(),
    };
    let timing = timing(Some(crate::engine::limits::REDIS_CONNECT_TIMEOUT));
    let mut connection =
        client.get_multiplexed_async_connection_with_config(&timing).await.map_err(failed)?;
    let mut ask = redis::cmd("CLUSTER");
    ask.arg("SLOTS");
    let answer = connection.req_packed_command(&ask).await.map_err(failed)?;
    elements(answer, "CLUSTER SLOTS")?.iter().map(|range| read_range(range, &asked)).collect()
}

/// A node that does not know its own address says nothing: then it is the one that was asked.
fn read_range(range: &Value, asked: &str) -> EngineResult<(u64, u64, String)> {
    let read = || {
        let Value::Array(parts) = range else { return None };
        let Value::Array(master) = parts.get(2)? else { return None };
        let host = match master.first()? {
            Value::BulkString(host) if !host.is_empty() => String::from_utf8(host.clone()).ok()?,
            _ => asked.to_owned(),
        };
        Some((number(parts.first()?)?, number(parts.get(1)?)?, format!("{host}:{}", number(master.get(1)?)?)))
    };
    read().ok_or_else(|| garbled("CLUSTER SLOTS"))
}
