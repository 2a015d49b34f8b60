//! `gateway serve` as a process.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Error, Process, free_address};
use crate::simulator::{Account, Number, Options};

/// Key of the first tenant that the apply file makes.
pub const API_KEY: &str = "key_load_0123456789abcdef0123456789abcdef";

/// Key of a tenant that the apply file makes: it makes one for each account of the provider.
#[must_use]
pub fn api_key(tenant: usize) -> String {
    if tenant == 0 {
        API_KEY.to_owned()
    } else {
        format!("key_load{tenant}_0123456789abcdef0123456789abcdef")
    }
}

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
    settings: Vec<(String, String)>,
}

impl Place {
    /// Prepares a folder: free ports, and an apply file with a tenant for each account of the simulator. Without a
    /// provider their numbers receive and do not send.
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
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
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
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
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

/// A tenant for each account: one API key, its numbers with the limits that the provider gives them, one short flow.
fn apply(provider: Option<&str>, options: &Options) -> Value {
    let tenants = options.accounts.iter().enumerate().map(|(index, account)| {
        let name = if index == 0 { "load".to_owned() } else { format!("load {index}") };
        json!({
            "name": name,
            "language": "en",
            "keys": [{ "name": "load", "secret": api_key(index), "scopes": ["*"] }],
            "numbers": account.numbers.iter().map(|of| number(provider, account, of)).collect::<Vec<_>>(),
            "flows": [flow()],
        })
    });
    json!({ "tenants": tenants.collect::<Vec<_>>() })
}

fn number(provider: Option<&str>, account: &Account, number: &Number) -> Value {
    json!({
        "nickname": format!("number {}", number.phone_number_id),
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
    })
}

/// Every answer in it is answered, so that four lines of a contact are four replies of ours.
fn flow() -> Value {
    json!({
        "id": "TEST0001",
        "language": "en",
        "vacancy": { "id": "vac-1", "title": "Warehouse" },
        "steps": [
            { "key": "name", "ask": "What is your name?", "type": "text" },
            { "key": "town", "ask": "Where do you live?", "type": "text" },
        ],
        "completion": "Thank you, we have your application.",
    })
}
