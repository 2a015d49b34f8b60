//! `gateway serve` as a process.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Error, Process, free_address};
use crate::simulator::Options;

/// Key of the tenant that the apply file makes.
pub const API_KEY: &str = "key_load_0123456789abcdef0123456789abcdef";

/// How long a process may take to become ready: a cold start replays what a crash left behind.
const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

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
    /// Settings, as the environment names them.
    settings: Vec<(&'static str, String)>,
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
        std::fs::create_dir_all(folder)?;
        let place = Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            public: free_address()?,
            operator: free_address()?,
            settings: Vec::new(),
        };
        // JSON is YAML.
        std::fs::write(place.apply_file(), apply(provider, options).to_string())?;
        Ok(place)
    }

    /// Changes a setting for the next start, named as in the environment (`GATEWAY_STORE__URL`).
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.push((name, value.into()));
        self
    }

    /// Where webhooks go.
    #[must_use]
    pub fn webhook_url(&self) -> String {
        format!("http://{}/webhooks/whatsapp", self.public)
    }

    /// What it says.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.join("gateway.log")
    }

    fn apply_file(&self) -> PathBuf {
        self.folder.join("apply.yaml")
    }

    /// Starts `gateway serve` and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start, ends, or does not become ready.
    pub async fn start(&self) -> Result<Process, Error> {
        let file = File::options().create(true).append(true).open(self.log())?;
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
            .envs(self.settings.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let started = |source| Error::Start { program: self.program.clone(), source };
        let process = Process::of(command.spawn().map_err(started)?);
        self.ready(process).await
    }

    async fn ready(&self, mut process: Process) -> Result<Process, Error> {
        let client = reqwest::Client::new();
        let url = format!("http://{}/readyz", self.operator);
        let since = Instant::now();
        loop {
            if let Some(status) = process.ended()? {
                return Err(Error::Ended { program: self.program.clone(), status, log: self.log() });
            }
            if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(process);
            }
            if since.elapsed() > READY_WITHIN {
                return Err(Error::NotReady { program: self.program.clone(), log: self.log() });
            }
            tokio::time::sleep(POLL).await;
        }
    }
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
