//! What a load is like: read from a TOML file, `profiles/steady.toml` shows every key with its unit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::simulator::Latency;

/// A load.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What it is for.
    pub summary: String,
    /// Requests per second where the factor of a phase is 1.
    pub rate: f64,
    /// Connections of the generator, each with one request in flight.
    #[serde(default = "connections")]
    pub connections: usize,
    /// Makes arrivals and choices repeatable.
    #[serde(default)]
    pub seed: u64,
    /// One after the other.
    pub phases: Vec<Phase>,
    /// Who writes to whom.
    #[serde(default)]
    pub people: People,
    /// What is sent.
    #[serde(default)]
    pub mix: Mix,
    /// Manners of the provider.
    #[serde(default)]
    pub provider: ProviderSide,
    /// Settings of the gateway, named as in its file (`conversations.max_live`).
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// What must be kept.
    #[serde(default)]
    pub objectives: Objectives,
}

/// A stretch of time with one way of arriving.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// In reports.
    pub name: String,
    /// How long.
    pub seconds: f64,
    /// Of the rate, at its beginning.
    #[serde(default = "one")]
    pub factor: f64,
    /// Of the rate, at its end; the same as at its beginning when absent.
    pub to: Option<f64>,
    /// Of the rate, in addition, all from the first tenant.
    #[serde(default)]
    pub greedy: f64,
    /// More than the gateway can take, on purpose: objectives of latency and refusals do not count here.
    #[serde(default)]
    pub overload: bool,
}

/// Who writes to whom.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct People {
    /// Agencies.
    pub tenants: usize,
    /// Business numbers of each.
    pub numbers: usize,
    /// Contacts of each number that chat with people.
    pub contacts: u32,
    /// Contacts of each number that talk to the bot.
    pub repliers: u32,
    /// Messages of ours to each contact before the load begins; statuses of the load are about them.
    pub greetings: u32,
    /// How uneven: 0 all the same, 1 as words in a language.
    pub zipf: f64,
}

impl Default for People {
    fn default() -> Self {
        Self { tenants: 4, numbers: 2, contacts: 500, repliers: 100, greetings: 1, zipf: 1.0 }
    }
}

/// What is sent. Shares are of all requests unless said otherwise.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mix {
    /// Calls of `/v1/messages`.
    pub calls: f64,
    /// Webhooks with statuses, for each with messages.
    pub statuses_per_message: f64,
    /// Of the webhooks with messages: those that the bot answers.
    pub needing_reply: f64,
    /// Requests that come again a moment later, as they were.
    pub repeated: f64,
    /// Messages that come late: their time is up to half a minute ago.
    pub late: f64,
    /// Webhooks that carry several updates.
    pub batched: f64,
    /// As many, at most.
    pub batch: usize,
    /// Of the messages: those of a single contact.
    pub one_contact: f64,
    /// Length of what people write.
    pub text_chars: usize,
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            calls: 0.01,
            statuses_per_message: 3.0,
            needing_reply: 0.05,
            repeated: 0.01,
            late: 0.02,
            batched: 0.02,
            batch: 20,
            one_contact: 0.0,
            text_chars: 390,
        }
    }
}

/// Manners of the provider.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSide {
    /// Messages of each number per second, inbound and outbound together.
    pub throughput_per_second: u32,
    /// How long a call takes.
    pub latency: Latency,
}

impl Default for ProviderSide {
    fn default() -> Self {
        let latency = Latency { min_ms: 1, median_ms: 5, tail_probability: 0.01, tail_ms: 50 };
        Self { throughput_per_second: 1_000_000, latency }
    }
}

/// What must be kept; what is absent is measured and not judged. Damage is always judged.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Objectives {
    /// Half of the webhooks are acknowledged within this.
    pub ack_p50_ms: Option<f64>,
    /// 99 of 100 webhooks are acknowledged within this.
    pub ack_p99_ms: Option<f64>,
    /// 99 of 100 webhooks that are accepted in a phase of overload are acknowledged within this, from sending.
    pub overload_ack_p99_ms: Option<f64>,
    /// From the webhook to the POST of its reply.
    pub reply_p99_ms: Option<f64>,
    /// Requests that are not accepted, of all outside overload.
    pub refused_share: Option<f64>,
    /// Until latency and refusals are as they should be again after a phase of overload.
    pub recovery_seconds: Option<f64>,
    /// Highest memory of the gateway in the last third over the highest in the middle third.
    pub memory_growth: Option<f64>,
    /// p99 of everybody else while one tenant is greedy, over that of the phases before.
    pub others_p99_factor: Option<f64>,
    /// From the end of the load until everything is applied and committed.
    pub drained_seconds: Option<f64>,
}

fn connections() -> usize {
    256
}

fn one() -> f64 {
    1.0
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Its words.
    #[error("{path} is not a profile")]
    Parse {
        /// Which.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// Its numbers.
    #[error("{key} {rule}")]
    Value {
        /// Where.
        key: &'static str,
        /// What it must be.
        rule: &'static str,
    },
}

impl Profile {
    /// Reads a file.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub fn read(path: &Path) -> Result<Self, ProfileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ProfileError::Read { path: path.to_owned(), source })?;
        let profile: Self = toml::from_str(&text)
            .map_err(|source| ProfileError::Parse { path: path.to_owned(), source: Box::new(source) })?;
        profile.check()?;
        Ok(profile)
    }

    /// All phases together.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.phases.iter().map(|phase| phase.seconds).sum()
    }

    /// Stretches or shortens all phases so that they last so long together.
    pub fn last(&mut self, seconds: f64) {
        let stretch = seconds / self.seconds();
        for phase in &mut self.phases {
            phase.seconds *= stretch;
        }
    }

    fn check(&self) -> Result<(), ProfileError> {
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        let Mix { calls, needing_reply, repeated, late, batched, one_contact, .. } = self.mix;
        let People { tenants, numbers, contacts, repliers, .. } = self.people;
        // A phone number tells its number in two digits; contacts have eight.
        let numbers_fit = (1..=99).contains(&(tenants * numbers));
        let rules = [
            ("rate", self.rate > 0.0, "must be above 0"),
            ("phases", self.seconds() > 0.0, "must last longer than 0 seconds"),
            ("people.tenants", numbers_fit, "times people.numbers must be 1 to 99"),
            ("people.contacts", (1..=10_000_000).contains(&contacts), "must be 1 to 10000000"),
            ("people.repliers", needing_reply == 0.0 || repliers > 0, "must be above 0 to have replies"),
            ("mix.batch", (1..=1_000).contains(&self.mix.batch), "must be 1 to 1000"),
            ("mix.calls", is_share(calls), "must be 0 to 1"),
            ("mix.needing_reply", is_share(needing_reply), "must be 0 to 1"),
            ("mix.repeated", is_share(repeated), "must be 0 to 1"),
            ("mix.late", is_share(late), "must be 0 to 1"),
            ("mix.batched", is_share(batched), "must be 0 to 1"),
            ("mix.one_contact", is_share(one_contact), "must be 0 to 1"),
            ("mix.statuses_per_message", self.mix.statuses_per_message >= 0.0, "must be 0 or more"),
        ];
        match rules.into_iter().find(|(_, holds, _)| !holds) {
            Some((key, _, rule)) => Err(ProfileError::Value { key, rule }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles() -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn every_profile_can_be_read() {
        assert!(profiles().len() >= 10);
        for path in profiles() {
            let profile = Profile::read(&path).unwrap_or_else(|error| panic!("{error}: {error:?}"));
            assert!(!profile.summary.is_empty(), "{path:?}");
        }
    }

    #[test]
    fn what_cannot_be_played_is_named() {
        let text = std::fs::read_to_string(&profiles()[0]).unwrap();
        let mut profile: Profile = toml::from_str(&text).unwrap();
        profile.mix.calls = 1.5;
        assert_eq!(profile.check().unwrap_err().to_string(), "mix.calls must be 0 to 1");
    }

    #[test]
    fn phases_are_stretched_together() {
        let mut profile = Profile::read(&profiles()[0]).unwrap();
        profile.last(7.0);
        assert!((profile.seconds() - 7.0).abs() < 1e-9);
    }
}
