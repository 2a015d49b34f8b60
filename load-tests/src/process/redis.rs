//! Redis servers of our own: on free ports of the loopback, with everything in one folder.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::cluster::Durability;
use super::{Error, Process, free_address};

const PROGRAM: &str = "redis-server";
const CLI: &str = "redis-cli";
/// It replays its log before it answers: some hundred thousand entries a second.
const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// One server, or the masters of a cluster.
pub(super) struct Redis {
    servers: Vec<Server>,
}

struct Server {
    folder: PathBuf,
    address: SocketAddr,
    /// Where the masters of a cluster talk to each other.
    bus: Option<SocketAddr>,
    durability: Durability,
    process: Process,
}

impl Redis {
    /// Starts so many and waits until they answer.
    pub(super) async fn start(
        folder: &Path,
        durability: Durability,
        primaries: usize,
    ) -> Result<Self, Error> {
        let mut servers = Vec::with_capacity(primaries);
        for number in 0..primaries {
            let folder = folder.join(number.to_string());
            servers.push(Server::start(&folder, durability, primaries > 1).await?);
        }
        if primaries > 1 {
            join(&servers).await?;
        }
        Ok(Self { servers })
    }

    pub(super) fn url(&self) -> String {
        let urls: Vec<_> = self.servers.iter().map(|server| format!("redis://{}", server.address)).collect();
        urls.join(",")
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = &Process> {
        self.servers.iter().map(|server| &server.process)
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) -> Result<(), Error> {
        Ok(self.servers.iter_mut().try_for_each(|server| server.process.kill())?)
    }

    /// Starts them again with what is in their folders.
    pub(super) async fn restart(&mut self) -> Result<(), Error> {
        for server in &mut self.servers {
            server.restart().await?;
        }
        Ok(())
    }
}

impl Server {
    async fn start(folder: &Path, durability: Durability, in_cluster: bool) -> Result<Self, Error> {
        std::fs::create_dir_all(folder)?;
        let (address, bus) = (free_address()?, in_cluster.then(free_address).transpose()?);
        let process = spawn(folder, address, bus, durability)?;
        let mut server = Self { folder: folder.to_owned(), address, bus, durability, process };
        server.ready().await?;
        Ok(server)
    }

    async fn restart(&mut self) -> Result<(), Error> {
        self.process = spawn(&self.folder, self.address, self.bus, self.durability)?;
        self.ready().await
    }

    async fn ready(&mut self) -> Result<(), Error> {
        let log = || self.folder.join("log");
        let since = Instant::now();
        while !answers(self.address) {
            if let Some(status) = self.process.ended()? {
                return Err(Error::Ended { program: PROGRAM.into(), status, log: log() });
            }
            if since.elapsed() > READY_WITHIN {
                return Err(Error::NotReady { program: PROGRAM.into(), log: log() });
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }
}

/// Makes a cluster of them and waits until each knows the slots of the others.
async fn join(servers: &[Server]) -> Result<(), Error> {
    let mut create = Command::new(CLI);
    create.args(["--cluster", "create", "--cluster-yes"]);
    create.args(servers.iter().map(|server| server.address.to_string()));
    let created = create.output().map_err(missing(CLI))?;
    let log = || servers[0].folder.join("log");
    if !created.status.success() {
        return Err(Error::Ended { program: CLI.into(), status: created.status, log: log() });
    }
    let since = Instant::now();
    for server in servers {
        while !ask(server.address, b"CLUSTER INFO\r\n", b"cluster_state:ok").unwrap_or(false) {
            if since.elapsed() > READY_WITHIN {
                return Err(Error::NotReady { program: PROGRAM.into(), log: log() });
            }
            tokio::time::sleep(POLL).await;
        }
    }
    Ok(())
}

fn missing(program: &'static str) -> impl Fn(std::io::Error) -> Error {
    move |source| match source.kind() {
        ErrorKind::NotFound => Error::Missing { program },
        _ => Error::Start { program: program.into(), source },
    }
}

fn spawn(
    folder: &Path,
    address: SocketAddr,
    bus: Option<SocketAddr>,
    durability: Durability,
) -> Result<Process, Error> {
    let log = File::options().create(true).append(true).open(folder.join("log"))?;
    let fsync = match durability {
        Durability::Fsync => "always",
        Durability::Everysec => "everysec",
    };
    let mut command = Command::new(PROGRAM);
    command
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--daemonize", "no"])
        .args(["--maxmemory-policy", "noeviction", "--appendfsync", fsync])
        // As `gateway/docs/operating.md` says: the file grows by some 70 MB a second at full load.
        .args(["--auto-aof-rewrite-min-size", "4gb"])
        .arg("--port")
        .arg(address.port().to_string())
        .arg("--dir")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    if let Some(bus) = bus {
        command.args(["--cluster-enabled", "yes", "--cluster-port", &bus.port().to_string()]);
    }
    Ok(Process::of(command.spawn().map_err(missing(PROGRAM))?))
}

/// Whether it has read its log and serves: before that it says that it is loading.
fn answers(address: SocketAddr) -> bool {
    ask(address, b"PING\r\n", b"+PONG").unwrap_or(false)
}

/// Whether the answer to a question holds some bytes.
fn ask(address: SocketAddr, question: &[u8], wanted: &[u8]) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(question)?;
    let mut answer = [0; 1_024];
    let length = stream.read(&mut answer)?;
    Ok(answer[..length].windows(wanted.len()).any(|part| part == wanted))
}
