//! What requests went through, fault by fault.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;

/// Kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Of the provider.
    Webhook,
    /// Of the API: a message to send.
    Call,
}

impl Kind {
    /// Whether an answer is the last one. The provider repeats until it hears 200, a caller while he is told to.
    pub(crate) fn is_final(self, status: u16) -> bool {
        match self {
            Self::Webhook => status == 200,
            Self::Call => status < 500 && status != 429,
        }
    }
}

/// What requests of both kinds met.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Requests {
    /// Webhooks.
    pub webhooks: Met,
    /// Calls of the API, which are answered when they are applied and committed.
    pub calls: Met,
}

/// What requests of one kind met.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Met {
    /// Answers by HTTP status; `unreachable` when nobody listened (nothing was sent), `cut_off` when the connection
    /// ended without an answer, `silent` when none came in time. All but the good ones were repeated.
    pub answers: BTreeMap<String, u64>,
    /// The longest time from the first attempt to the good answer.
    pub longest_seconds: f64,
}

/// Counts what requests meet. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    requests: Arc<Mutex<Requests>>,
}

impl Tally {
    /// One attempt and how it ended.
    pub(crate) fn attempt(&self, kind: Kind, answer: &reqwest::Result<reqwest::Response>) {
        let name = match answer {
            Ok(answer) => answer.status().as_str().to_owned(),
            Err(error) if error.is_connect() => "unreachable".to_owned(),
            Err(error) if error.is_timeout() => "silent".to_owned(),
            Err(_) => "cut_off".to_owned(),
        };
        *self.requests.lock().of(kind).answers.entry(name).or_default() += 1;
    }

    /// A request has its good answer.
    pub(crate) fn answered(&self, kind: Kind, after: Duration) {
        let mut requests = self.requests.lock();
        let met = requests.of(kind);
        met.longest_seconds = met.longest_seconds.max(after.as_secs_f64());
    }

    /// Everything since the last call.
    pub(crate) fn take(&self) -> Requests {
        std::mem::take(&mut self.requests.lock())
    }
}

impl Requests {
    fn of(&mut self, kind: Kind) -> &mut Met {
        match kind {
            Kind::Webhook => &mut self.webhooks,
            Kind::Call => &mut self.calls,
        }
    }
}

impl Met {
    /// Requests that a node had taken and did not answer well. Where nobody listens a load balancer asks the next
    /// node before the outside notices.
    #[must_use]
    pub fn refused(&self) -> u64 {
        let is_refusal = |name: &&String| !name.starts_with('2') && name.as_str() != "unreachable";
        self.answers.iter().filter(|(name, _)| is_refusal(name)).map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_node_took_can_be_refused() {
        let answers = [("200", 7), ("202", 1), ("unreachable", 5), ("cut_off", 2), ("503", 3)];
        let answers = answers.map(|(name, count)| (name.to_owned(), count)).into();
        assert_eq!(Met { answers, longest_seconds: 0.0 }.refused(), 5);
    }

    #[test]
    fn the_longest_wait_is_kept_until_it_is_taken() {
        let tally = Tally::default();
        tally.answered(Kind::Call, Duration::from_secs(2));
        tally.clone().answered(Kind::Call, Duration::from_secs(1));
        assert_eq!(tally.take().calls.longest_seconds, 2.0);
        assert_eq!(tally.take(), Requests::default());
    }
}
