//! A Redis server of its own: on a free port of the loopback, with everything in one folder.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::cluster::Durability;
use super::{Error, Process, free_address};

const PROGRAM: &str = "redis-server";
/// It replays its log before it answers: some hundred thousand entries a second.
const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// The server.
pub(super) struct Redis {
    folder: PathBuf,
    address: SocketAddr,
    durability: Durability,
    process: Process,
}

impl Redis {
    /// Starts it and waits until it answers.
    pub(super) async fn start(folder: &Path, durability: Durability) -> Result<Self, Error> {
        std::fs::create_dir_all(folder)?;
        let address = free_address()?;
        let process = spawn(folder, address, durability)?;
        let mut server = Self { folder: folder.to_owned(), address, durability, process };
        server.ready().await?;
        Ok(server)
    }

    pub(super) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(super) fn process(&self) -> &Process {
        &self.process
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) -> Result<(), Error> {
        Ok(self.process.kill()?)
    }

    /// Starts it again with what is in its folder.
    pub(super) async fn restart(&mut self) -> Result<(), Error> {
        self.process = spawn(&self.folder, self.address, self.durability)?;
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

fn spawn(folder: &Path, address: SocketAddr, durability: Durability) -> Result<Process, Error> {
    let log = File::options().create(true).append(true).open(folder.join("log"))?;
    let fsync = match durability {
        Durability::Fsync => "always",
        Durability::Everysec => "everysec",
    };
    let mut command = Command::new(PROGRAM);
    command
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--daemonize", "no"])
        .args(["--maxmemory-policy", "noeviction", "--appendfsync", fsync])
        .arg("--port")
        .arg(address.port().to_string())
        .arg("--dir")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    let failed = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => Error::Missing { program: PROGRAM },
        _ => Error::Start { program: PROGRAM.into(), source },
    };
    Ok(Process::of(command.spawn().map_err(failed)?))
}

/// Whether it has read its log and serves: before that it says that it is loading.
fn answers(address: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer)?;
        std::io::Result::Ok(&answer == b"+PONG\r\n")
    };
    ask().unwrap_or(false)
}
