//! A PostgreSQL server of its own: on a socket in a temporary folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Error, Process, Usage, cpu_seconds, resident_bytes};

/// Where Debian keeps the programs of a server, by version.
const DEBIAN: &str = "/usr/lib/postgresql";
const PROGRAM: &str = "postgres";
/// It replays its log before it answers.
const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

/// The server.
pub(super) struct Postgres {
    programs: PathBuf,
    /// Of the user that it runs as.
    folder: PathBuf,
    process: Process,
}

impl Postgres {
    /// Makes its files, starts it and waits until it answers.
    pub(super) async fn start() -> Result<Self, Error> {
        let programs = programs().ok_or(Error::Missing { program: PROGRAM })?;
        let folder = PathBuf::from(output(as_somebody().args(["mktemp", "-d"]))?);
        let mut initdb = as_somebody();
        initdb.arg(programs.join("initdb")).arg("-D").arg(folder.join("data"));
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]);
        output(initdb.args(["--locale-provider=icu", "--icu-locale=und"]))?;
        let process = spawn(&programs, &folder)?;
        let mut server = Self { programs, folder, process };
        server.ready().await?;
        Ok(server)
    }

    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@localhost/postgres?host={}", self.folder.display())
    }

    /// What its processes use.
    pub(super) fn usage(&self) -> Usage {
        let children = self.process.children();
        let memory = |pid: &u32| resident_bytes(*pid).unwrap_or_default().0;
        Usage {
            cpu_seconds: self.process.cpu_seconds()
                + children.iter().map(|pid| cpu_seconds(*pid)).sum::<f64>(),
            memory_bytes: self.process.memory_bytes().unwrap_or_default().0
                + children.iter().map(memory).sum::<u64>(),
        }
    }

    /// `kill -9` of the process that the others of the server look to; they end when they notice.
    pub(super) fn kill(&mut self) -> Result<(), Error> {
        Ok(self.process.kill()?)
    }

    /// Stops all its processes in the middle of whatever they do, or lets them go on.
    pub(super) fn hold(&self, held: bool) -> Result<(), Error> {
        let signalled = if held { self.process.pause_family() } else { self.process.resume_family() };
        Ok(signalled?)
    }

    /// Starts it again with what is in its folder.
    pub(super) async fn restart(&mut self) -> Result<(), Error> {
        self.process = spawn(&self.programs, &self.folder)?;
        self.ready().await
    }

    /// Waits until it answers. While a process of its predecessor holds the shared memory it ends at once: then it
    /// is started again, as a service manager would.
    async fn ready(&mut self) -> Result<(), Error> {
        let since = Instant::now();
        while !self.answers() {
            if since.elapsed() > READY_WITHIN {
                return Err(Error::NotReady { program: PROGRAM.into(), log: self.folder.join("log") });
            }
            tokio::time::sleep(POLL).await;
            if self.process.ended()?.is_some() {
                self.process = spawn(&self.programs, &self.folder)?;
            }
        }
        Ok(())
    }

    fn answers(&self) -> bool {
        let mut ask = Command::new(self.programs.join("pg_isready"));
        ask.arg("-q").arg("-h").arg(&self.folder).args(["-U", "postgres"]);
        ask.status().is_ok_and(|status| status.success())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Fails when it has ended already; and whatever of it still ends does not need its files.
        let _ = self.process.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn spawn(programs: &Path, folder: &Path) -> Result<Process, Error> {
    // Beside the data, which belongs to the server.
    let log = File::options().create(true).append(true).open(folder.join("log"))?;
    let mut command = as_somebody();
    command.arg(programs.join(PROGRAM)).arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
    command.args(["-c", "listen_addresses=", "-c", "max_connections=300"]);
    command.current_dir("/").stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(Process::of(command.spawn().map_err(failed)?))
}

/// The newest server that is installed.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin")).filter(|bin| bin.join(PROGRAM).exists()).max()
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package made.
fn as_somebody() -> Command {
    let mut command = Command::new("env");
    if rustix::process::geteuid().is_root() {
        command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.current_dir("/");
    command
}

/// What a short command prints.
fn output(command: &mut Command) -> Result<String, Error> {
    let output = command.output().map_err(failed)?;
    if !output.status.success() {
        return Err(failed(std::io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn failed(source: std::io::Error) -> Error {
    Error::Start { program: PROGRAM.into(), source }
}
