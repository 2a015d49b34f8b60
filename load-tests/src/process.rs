//! Child processes under load: the gateway and the ceiling.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::simulator::Options;

/// Key of the tenant that the apply file makes.
pub const API_KEY: &str = "key_load_0123456789abcdef0123456789abcdef";

/// How long a process may take to become ready: a cold start replays what a crash left behind.
const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

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
    /// It ended by itself.
    #[error("{program} ended with {status}; see {log}")]
    Ended {
        /// What was started.
        program: PathBuf,
        /// How it ended.
        status: std::process::ExitStatus,
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
    /// Files around it.
    #[error("cannot prepare a process")]
    Io(#[from] io::Error),
}

/// Where a gateway lives, through all its processes.
#[derive(Clone, Debug)]
pub struct Place {
    /// The program.
    pub program: PathBuf,
    /// Its data, its apply file and its log.
    pub folder: PathBuf,
    /// Webhooks and API.
    pub public: SocketAddr,
    /// Metrics and probes.
    pub operator: SocketAddr,
}

impl Place {
    /// Prepares a folder: free ports, and an apply file with one tenant whose numbers are the simulator's. Without
    /// a provider the number receives and does not send.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn prepare(
        program: &Path,
        folder: &Path,
        provider: Option<&str>,
        options: &Options,
    ) -> Result<Self, Error> {
        let place = Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            public: free_address()?,
            operator: free_address()?,
        };
        // JSON is YAML.
        std::fs::write(place.apply_file(), apply(provider, options).to_string())?;
        Ok(place)
    }

    /// Where webhooks go.
    #[must_use]
    pub fn webhook_url(&self) -> String {
        format!("http://{}/webhooks/whatsapp", self.public)
    }

    fn apply_file(&self) -> PathBuf {
        self.folder.join("apply.yaml")
    }

    /// Starts `gateway serve` and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start, ends, or does not become ready.
    pub async fn start(&self) -> Result<Process, Error> {
        let log = self.folder.join("gateway.log");
        let file = File::options().create(true).append(true).open(&log)?;
        let mut command = Command::new(&self.program);
        command
            .arg("serve")
            .arg("--data")
            .arg(self.folder.join("data"))
            .arg("--apply")
            .arg(self.apply_file())
            .arg("--listen")
            .arg(self.public.to_string())
            .arg("--operator-listen")
            .arg(self.operator.to_string())
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let started = |source| Error::Start { program: self.program.clone(), source };
        let process = Process { child: command.spawn().map_err(started)? };
        self.ready(process, log).await
    }

    async fn ready(&self, mut process: Process, log: PathBuf) -> Result<Process, Error> {
        let client = reqwest::Client::new();
        let url = format!("http://{}/readyz", self.operator);
        let since = Instant::now();
        loop {
            if let Some(status) = process.child.try_wait()? {
                return Err(Error::Ended { program: self.program.clone(), status, log });
            }
            if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(process);
            }
            if since.elapsed() > READY_WITHIN {
                return Err(Error::NotReady { program: self.program.clone(), log });
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// A running process; it is killed when this is dropped.
pub struct Process {
    child: Child,
}

impl Process {
    /// Takes over a child.
    #[must_use]
    pub fn of(child: Child) -> Self {
        Self { child }
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Resident memory in bytes now and at its highest, as the system tells.
    #[must_use]
    pub fn memory_bytes(&self) -> Option<(u64, u64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let kilobytes = |key: &str| {
            let line = status.lines().find(|line| line.starts_with(key))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        Some((kilobytes("VmRSS:")? * 1_024, kilobytes("VmHWM:")? * 1_024))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only when it has ended already.
        let _ = self.kill();
    }
}

/// A loopback address that nobody listens on. Somebody else could take it before we use it; then the start fails.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// The tenant: one API key, the simulator's first number without a limit that matters, one short flow.
fn apply(provider: Option<&str>, options: &Options) -> Value {
    let account = &options.accounts[0];
    let number = &account.numbers[0];
    json!({ "tenants": [{
        "name": "load",
        "language": "en",
        "keys": [{ "name": "load", "secret": API_KEY, "scopes": ["*"] }],
        "numbers": [{
            "nickname": "main",
            "channel": "whatsapp",
            "phone": format!("+{}", number.display_phone_number),
            "phone_number_id": number.phone_number_id,
            "waba_id": account.waba_id,
            "app_secret": account.app_secret.0,
            "verify_token": "load",
            "access_token": account.access_token.0,
            "base_url": provider,
            "enabled": provider.is_some(),
            "throughput_per_second": number.throughput_per_second,
        }],
        "flows": [{
            "id": "TEST0001",
            "language": "en",
            "vacancy": { "id": "vac-1", "title": "Warehouse" },
            "steps": [
                { "key": "name", "ask": "What is your name?", "type": "text" },
                { "key": "town", "ask": "Where do you live?", "type": "text" },
            ],
            "completion": "Thank you, we have your application.",
        }],
    }] })
}
