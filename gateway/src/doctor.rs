//! Checks that an operator wants made before, and when something is wrong: stores, disk, clock, credentials.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::directory::Directory;
use protocol::content::Channel;
use protocol::directory::Number;
use reqwest::header::DATE;
use serde::Serialize;
use store::engine::EngineError;

use crate::config::Settings;
use crate::provider::whatsapp::GRAPH_HOST;
use crate::server::{StartError, Stores, open_records};

/// A provider that takes longer is as good as away.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// The 24-hour window counts from the provider's clock: a minute is invisible to people, more is not.
const CLOCK_SKEW_WARN_SECONDS: i64 = 60;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Good.
    Pass,
    /// Works, but look at it.
    Warn,
    /// Does not work.
    Fail,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// How it ended.
    pub verdict: Verdict,
    /// What was checked.
    pub name: String,
    /// What was found, and what to do about it.
    pub detail: String,
}

fn check(verdict: Verdict, name: impl Into<String>, detail: impl Into<String>) -> Check {
    Check { verdict, name: name.into(), detail: detail.into() }
}

/// Makes all checks; none hides another.
pub async fn examine(settings: &Settings) -> Vec<Check> {
    let mut checks = vec![folder(&settings.data)];
    checks.extend(engine(settings).await);
    checks.push(files(settings).await);
    let kept = if settings.records.url.is_empty() { "SQLite" } else { "PostgreSQL" };
    match directory(settings).await {
        Ok(directory) => {
            let (tenants, numbers) = (directory.tenants.len(), directory.phone_numbers.len());
            let found = format!("{kept}: {tenants} tenant(s), {numbers} WhatsApp number(s)");
            checks.push(match tenants {
                0 => check(Verdict::Warn, "records", format!("{found}; load some with `gateway apply FILE`")),
                _ => check(Verdict::Pass, "records", found),
            });
            checks.extend(providers(&directory).await);
        }
        Err(error) => checks.push(check(Verdict::Fail, "records", format!("{kept}: {}", chain(&error)))),
    }
    checks
}

fn folder(data: &Path) -> Check {
    let tried = std::fs::create_dir_all(data).and_then(|()| {
        let probe = data.join(".doctor");
        std::fs::write(&probe, b"probe").and_then(|()| std::fs::remove_file(&probe))
    });
    match tried {
        Ok(()) => check(Verdict::Pass, "data folder", format!("{} can be written", data.display())),
        Err(error) => {
            let hint = format!("{}: {error}; set `data` to a folder of this user", data.display());
            check(Verdict::Fail, "data folder", hint)
        }
    }
}

/// The store answers, and tells nearly the same time as this machine: windows and leases follow its clock.
async fn engine(settings: &Settings) -> Vec<Check> {
    let is_embedded = settings.store.url.is_empty();
    let (name, kept) = ("engine store", if is_embedded { "embedded" } else { "Redis" });
    let engine = match Stores::open_engine(settings).await {
        Ok(engine) => engine,
        // A running gateway holds the lock: nothing is wrong, but nothing can be seen either.
        Err(StartError::Engine(error @ EngineError::Incompatible(_))) if is_embedded => {
            return vec![check(Verdict::Warn, name, chain(&error))];
        }
        Err(error) => return vec![check(Verdict::Fail, name, chain(&error))],
    };
    let (stats, now) = (engine.stats(), engine.now().await);
    let detail =
        format!("{kept}: {} bytes stored, {} entries wait", stats.stored_bytes, stats.backlog_entries);
    let mut checks = vec![match engine.close().await {
        Ok(()) => check(Verdict::Pass, name, detail),
        Err(error) => check(Verdict::Fail, name, chain(&error)),
    }];
    if let (false, Ok(now), Some(ours)) = (is_embedded, now, unix_seconds()) {
        checks.push(clock(ours - now.0 / 1_000, "Redis"));
    }
    checks
}

/// A content can be stored, read and removed.
async fn files(settings: &Settings) -> Check {
    let tried = async {
        let blobs = Stores::open_blobs(settings).await?;
        let probe = format!("doctor/{:016x}", rand::random::<u64>());
        blobs.put(&probe, b"probe".as_slice().into()).await?;
        blobs.get(&probe).await?;
        Ok::<_, StartError>(blobs.remove(&probe).await?)
    };
    match tried.await {
        Ok(()) if settings.files.url.is_empty() && !settings.store.url.is_empty() => {
            let hint = "a folder under `data` is seen by this node only; set `files.url` to a place that all nodes see";
            check(Verdict::Warn, "files", hint)
        }
        Ok(()) => check(Verdict::Pass, "files", "can be stored, read and removed"),
        Err(error) => check(Verdict::Fail, "files", chain(&error)),
    }
}

/// How far our clock is ahead of another one.
fn clock(seconds: i64, whose: &str) -> Check {
    let found = format!("{seconds} s away from {whose}");
    match seconds.abs() <= CLOCK_SKEW_WARN_SECONDS {
        true => check(Verdict::Pass, "clock", found),
        false => check(Verdict::Warn, "clock", format!("{found}; is NTP running?")),
    }
}

async fn directory(settings: &Settings) -> Result<Directory, StartError> {
    let records = open_records(settings).await?;
    let (_, directory) = records.load_directory().await?;
    records.close().await?;
    Ok(directory)
}

async fn providers(directory: &Directory) -> Vec<Check> {
    let client = match reqwest::Client::builder().timeout(PROBE_TIMEOUT).build() {
        Ok(client) => client,
        Err(error) => return vec![check(Verdict::Fail, "provider client", chain(&error))],
    };
    let mut checks = Vec::new();
    for tenant in directory.tenants.values() {
        let numbers = tenant.numbers.values().filter(|number| number.channel == Channel::Whatsapp);
        for number in numbers {
            let name = format!("{} / {}", tenant.tenant.name, number.nickname);
            checks.extend(provider(&client, name, number).await);
        }
    }
    checks
}

async fn provider(client: &reqwest::Client, name: String, number: &Number) -> Vec<Check> {
    let base = number.base_url.as_deref().unwrap_or(GRAPH_HOST).trim_end_matches('/');
    let id = number.phone_number_id.as_ref().map_or("", |id| id.as_str());
    let token = number.secrets.access_token.as_deref().unwrap_or_default();
    let request = client.get(format!("{base}/{}/{id}", number.api_version)).bearer_auth(token);
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => {
            return vec![check(Verdict::Fail, name, format!("{base} does not answer: {}", chain(&error)))];
        }
    };
    let clock = answer.headers().get(DATE).and_then(|date| date.to_str().ok()).and_then(skew);
    let status = answer.status();
    let credentials = match status.as_u16() {
        200 => check(Verdict::Pass, name, format!("{base} knows the number and the token")),
        401 => check(Verdict::Fail, name, "the access token is refused; put a valid one into the apply file"),
        _ => check(
            Verdict::Fail,
            name,
            format!("{base} answers {status}; check phone_number_id and api_version"),
        ),
    };
    std::iter::once(credentials).chain(clock.map(|seconds| self::clock(seconds, base))).collect()
}

/// Seconds that our clock is ahead of an HTTP date.
fn skew(date: &str) -> Option<i64> {
    let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_second();
    Some(unix_seconds()? - theirs)
}

fn unix_seconds() -> Option<i64> {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    crate::cli::chain(error)
}
