//! Gateways that share their stores, with the servers of these.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::TempDir;

use super::postgres::Postgres;
use super::redis::Redis;
use super::{Error, Place, Process};
use crate::simulator::Options;

/// Where conversations are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    /// In the process, records in SQLite.
    Embedded,
    /// In a Redis of its own, records in a PostgreSQL of its own.
    Redis,
}

/// What an answer survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// The end of a process.
    Everysec,
    /// Loss of power.
    Fsync,
}

/// What a cluster consists of.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The gateway.
    pub gateway: PathBuf,
    /// How many of it.
    pub nodes: usize,
    /// Their stores.
    pub store: Store,
    /// How many Redis; several are a Redis Cluster.
    pub primaries: usize,
    /// Of the conversations.
    pub durability: Durability,
    /// Further settings of the gateways, named as in their file (`conversations.max_live`).
    pub settings: BTreeMap<String, String>,
}

/// What processes of one kind use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Usage {
    /// Seconds of a processor so far.
    pub cpu_seconds: f64,
    /// Resident memory now. Pages that processes of PostgreSQL share count for each.
    pub memory_bytes: u64,
}

/// Running gateways and servers, all in one folder that goes with them.
pub struct Cluster {
    /// The nodes, running or not.
    pub places: Vec<Place>,
    nodes: Vec<Option<Process>>,
    redis: Option<Redis>,
    postgres: Option<Postgres>,
    folder: TempDir,
}

impl Cluster {
    /// Starts servers and prepares nodes; none runs yet. See [`Place::prepare`] for the provider.
    ///
    /// # Errors
    /// When a server is not installed or does not start, or several nodes shall use the embedded store.
    pub async fn prepare(shape: &Shape, provider: Option<&str>, options: &Options) -> Result<Self, Error> {
        if shape.store == Store::Embedded && shape.nodes > 1 {
            return Err(Error::OneNode);
        }
        let folder = tempfile::tempdir()?;
        let (redis, postgres) = match shape.store {
            Store::Embedded => (None, None),
            Store::Redis => {
                let redis =
                    Redis::start(&folder.path().join("redis"), shape.durability, shape.primaries).await?;
                (Some(redis), Some(Postgres::start().await?))
            }
        };
        let durability = match shape.durability {
            Durability::Everysec => "everysec",
            Durability::Fsync => "fsync",
        };
        let place = |node: usize| {
            let folder = folder.path().join(format!("node-{node}"));
            let mut place = Place::prepare(&shape.gateway, &folder, provider, options)?;
            if let (Some(redis), Some(postgres)) = (&redis, &postgres) {
                place = place.with("GATEWAY_STORE__URL", redis.url());
                place = place.with("GATEWAY_RECORDS__URL", postgres.url());
            }
            for (name, value) in &shape.settings {
                place = place.with(variable(name), value);
            }
            Ok(place.with("GATEWAY_STORE__DURABILITY", durability))
        };
        let places = (0..shape.nodes).map(place).collect::<Result<Vec<_>, Error>>()?;
        let nodes = places.iter().map(|_| None).collect();
        Ok(Self { places, nodes, redis, postgres, folder })
    }

    /// Where everything is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves the folder when everything ends.
    pub fn keep(&mut self) {
        self.folder.disable_cleanup(true);
    }

    /// Starts a node and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start, ends, or does not become ready.
    pub async fn start(&mut self, node: usize) -> Result<(), Error> {
        self.nodes[node] = Some(self.places[node].start().await?);
        Ok(())
    }

    /// Starts all nodes.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_all(&mut self) -> Result<(), Error> {
        for node in 0..self.places.len() {
            self.start(node).await?;
        }
        Ok(())
    }

    /// Ends all nodes and starts them with another setting, named as in their file.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn restart_with(&mut self, setting: &str, value: &str) -> Result<(), Error> {
        for node in 0..self.places.len() {
            self.kill(node);
            self.places[node] = self.places[node].clone().with(variable(setting), value);
        }
        self.start_all().await
    }

    /// A node that runs.
    #[must_use]
    pub fn node(&mut self, node: usize) -> Option<&mut Process> {
        self.nodes[node].as_mut()
    }

    /// Nodes that run.
    pub fn running(&self) -> impl Iterator<Item = &Process> {
        self.nodes.iter().flatten()
    }

    /// Kills a node.
    pub fn kill(&mut self, node: usize) {
        self.nodes[node] = None;
    }

    /// What nodes, Redis and PostgreSQL use.
    #[must_use]
    pub fn usage(&self) -> [Usage; 3] {
        let of = |process: &Process| Usage {
            cpu_seconds: process.cpu_seconds(),
            memory_bytes: process.memory_bytes().unwrap_or_default().0,
        };
        let sum = |sum: Usage, one: Usage| Usage {
            cpu_seconds: sum.cpu_seconds + one.cpu_seconds,
            memory_bytes: sum.memory_bytes + one.memory_bytes,
        };
        let nodes = self.running().map(of).fold(Usage::default(), sum);
        let redis = self.redis.iter().flat_map(Redis::processes).map(of).fold(Usage::default(), sum);
        [nodes, redis, self.postgres.as_ref().map_or(Usage::default(), Postgres::usage)]
    }

    /// Kills Redis, where there is one.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill_redis(&mut self) -> Result<(), Error> {
        self.redis.as_mut().map_or(Ok(()), Redis::kill)
    }

    /// Starts Redis again and waits until it answers.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart_redis(&mut self) -> Result<(), Error> {
        match &mut self.redis {
            Some(redis) => redis.restart().await,
            None => Ok(()),
        }
    }

    /// Kills PostgreSQL, where there is one.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill_postgres(&mut self) -> Result<(), Error> {
        self.postgres.as_mut().map_or(Ok(()), Postgres::kill)
    }

    /// Stops PostgreSQL in the middle of whatever it does (`SIGSTOP`), or lets it go on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn hold_postgres(&self, held: bool) -> Result<(), Error> {
        self.postgres.as_ref().map_or(Ok(()), |postgres| postgres.hold(held))
    }

    /// Starts PostgreSQL again and waits until it answers.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart_postgres(&mut self) -> Result<(), Error> {
        match &mut self.postgres {
            Some(postgres) => postgres.restart().await,
            None => Ok(()),
        }
    }
}

/// A setting's name in the environment.
fn variable(setting: &str) -> String {
    format!("GATEWAY_{}", setting.replace('.', "__").to_uppercase())
}
