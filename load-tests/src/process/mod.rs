//! Child processes: the gateway, the servers that it needs, and the ceiling.

mod child;
mod cluster;
mod gateway;
mod postgres;
mod redis;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitStatus;

use rand::RngExt as _;

pub use self::child::Process;
pub(crate) use self::child::{cpu_seconds, resident_bytes};
pub use self::cluster::{Cluster, Durability, Shape, Store, Usage};
pub use self::gateway::{API_KEY, Place, api_key};

/// Why a process does not serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be started.
    #[error("cannot start {program}")]
    Start {
        /// What was started.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not there.
    #[error("{program} is not installed; `./task` installs what a verb needs")]
    Missing {
        /// What is missing.
        program: &'static str,
    },
    /// It ended by itself.
    #[error("{program} ended with {status}; see {log}")]
    Ended {
        /// What was started.
        program: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// Its log.
        log: PathBuf,
    },
    /// It does not answer.
    #[error("{program} was not ready in time; see {log}")]
    NotReady {
        /// What was started.
        program: PathBuf,
        /// Its log.
        log: PathBuf,
    },
    /// Nodes of the embedded store.
    #[error("the embedded store serves one node; several need --store redis")]
    OneNode,
    /// Files around it.
    #[error("cannot prepare a process")]
    Io(#[from] io::Error),
}

/// Ports below those that the system gives to whoever asks for any: a process that is started again finds its own
/// free, and nobody who knocks at it meanwhile is connected to himself.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A loopback address that nobody listens on. Somebody else could take it before we use it; then the start fails.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    loop {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, rand::rng().random_range(PORTS)));
        match TcpListener::bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            bound => return bound?.local_addr(),
        }
    }
}
