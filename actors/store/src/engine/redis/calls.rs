//! Sends function calls to the masters that they belong to, and to others if those say so.
//!
//! A call is sent again only if the server said that nothing happened. Whatever is not known is `Unknown`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use redis::{Cmd, Pipeline, Value};
use tokio::time::Instant;

use super::errors::{self, Reply};
use super::keys::Lane;
use super::server::{Line, Server};
use super::topology::Topology;
use crate::engine::limits::{REDIS_AGAIN_MAX, REDIS_AGAIN_MIN};
use crate::engine::{EngineError, EngineResult};

/// Something for one lane.
pub(super) struct Call {
    pub(super) lane: Lane,
    /// The generation that it was prepared in: in another one it must not be sent.
    pub(super) bound: Option<u64>,
    pub(super) command: Cmd,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) value: Value,
    /// Of the lane, when the call was sent.
    pub(super) generation: u64,
}

/// When a write counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Guarantee {
    pub(super) replicas: u8,
    pub(super) wait_aof: bool,
    pub(super) timeout: Duration,
}

impl Guarantee {
    /// What must be sent behind the writes on their connection.
    fn command(&self) -> Option<Cmd> {
        let timeout_ms = self.timeout.as_millis() as u64;
        let mut wait;
        if self.wait_aof {
            wait = redis::cmd("WAITAOF");
            wait.arg(1).arg(self.replicas).arg(timeout_ms);
        } else if self.replicas > 0 {
            wait = redis::cmd("WAIT");
            wait.arg(self.replicas).arg(timeout_ms);
        } else {
            return None;
        }
        Some(wait)
    }

    /// Why the writes before it do not count.
    fn shortfall(&self, answer: &Value) -> Option<String> {
        let counts = match answer {
            Value::Array(counts) => counts.iter().map(errors::number).collect::<Option<Vec<_>>>(),
            other => errors::number(other).map(|replicas| vec![u64::from(self.wait_aof), replicas]),
        };
        match counts.as_deref() {
            Some(&[local, replicas])
                if local >= u64::from(self.wait_aof) && replicas >= u64::from(self.replicas) =>
            {
                None
            }
            _ => Some(format!("written, but not confirmed by disk and {} replicas in time", self.replicas)),
        }
    }
}

/// Calls with their places among all that were asked for.
type Placed = Vec<(usize, Call)>;

/// What became of a call in one round.
enum Outcome {
    Done(EngineResult<Answer>),
    /// Nothing happened: once more, after asking who serves what (`true`), or just later.
    Again {
        call: Call,
        why: String,
        learn: bool,
    },
}

impl Topology {
    /// Carries out calls together, one round trip if nothing is in the way; answers in the order given.
    pub(super) async fn run(
        &self,
        line: Line,
        calls: Vec<Call>,
        guarantee: &Guarantee,
    ) -> Vec<EngineResult<Answer>> {
        let mut answers: Vec<Option<EngineResult<Answer>>> = calls.iter().map(|_| None).collect();
        let mut pending: Placed = calls.into_iter().enumerate().collect();
        let mut patience = Patience::of(guarantee.timeout);
        while !pending.is_empty() {
            let rounds = self.by_server(std::mem::take(&mut pending));
            let rounds = join_all(
                rounds.into_iter().map(|(server, calls)| self.round(server, line, calls, guarantee)),
            );
            let mut must_learn = false;
            let mut last = String::new();
            for (place, outcome) in rounds.await.into_iter().flatten() {
                match outcome {
                    Outcome::Done(answer) => answers[place] = Some(answer),
                    Outcome::Again { call, why, learn } => {
                        must_learn |= learn;
                        last = why;
                        pending.push((place, call));
                    }
                }
            }
            if !pending.is_empty() && !patience.wait().await {
                for (place, _) in pending.drain(..) {
                    answers[place] = Some(Err(EngineError::Failed(last.clone().into())));
                }
            }
            if must_learn && let Err(error) = self.learn().await {
                tracing::debug!(%error, "the cluster did not say who serves what");
            }
        }
        let missing = || Err(errors::garbled("a call"));
        answers.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect()
    }

    /// For calls that need not be durable.
    pub(super) fn reading(&self) -> Guarantee {
        Guarantee { timeout: self.answer_timeout(), ..Guarantee::default() }
    }

    /// One call that changes nothing.
    pub(super) async fn ask(&self, lane: Lane, command: Cmd) -> EngineResult<Value> {
        let answers = self.ask_all(vec![(lane, command)]).await?;
        answers.into_iter().next().ok_or_else(|| errors::garbled("a call"))
    }

    /// Calls that change nothing, together.
    pub(super) async fn ask_all(&self, calls: Vec<(Lane, Cmd)>) -> EngineResult<Vec<Value>> {
        let calls = calls.into_iter().map(|(lane, command)| Call { lane, bound: None, command }).collect();
        let answers = self.run(Line::Ask, calls, &self.reading()).await;
        answers.into_iter().map(|answer| Ok(answer.map_err(errors::nothing_changed)?.value)).collect()
    }

    fn by_server(&self, calls: Placed) -> Vec<(Arc<Server>, Placed)> {
        let mut groups: Vec<(Arc<Server>, Placed)> = Vec::new();
        for (place, call) in calls {
            let server = self.server(call.lane);
            match groups.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &server)) {
                Some((_, group)) => group.push((place, call)),
                None => groups.push((server, vec![(place, call)])),
            }
        }
        groups
    }

    async fn round(
        &self,
        server: Arc<Server>,
        line: Line,
        calls: Placed,
        guarantee: &Guarantee,
    ) -> Vec<(usize, Outcome)> {
        let link = match server.link(line).await {
            Ok(link) => link,
            Err(error) => {
                let why = error.to_string();
                let again = |(place, call)| (place, Outcome::Again { call, why: why.clone(), learn: true });
                return calls.into_iter().map(again).collect();
            }
        };
        let mut round = Round::of(self, calls);
        if round.sent.is_empty() {
            return round.outcomes;
        }
        let waits = guarantee.command().map(|wait| round.pipeline.add_command(wait)).is_some();
        let mut values = match link.run(&round.pipeline).await {
            Ok(values) => values,
            Err(error) => return round.lost(&error.to_string()),
        };
        let shortfall = if waits { guarantee.shortfall(&values.pop().unwrap_or_default()) } else { None };
        let commands: Vec<&Cmd> = round.pipeline.cmd_iter().collect();
        for (index, (sent, value)) in round.sent.into_iter().zip(values).enumerate() {
            let Sent { place, mut call, generation } = sent;
            let outcome = match value {
                Value::ServerError(error) => {
                    call.command = commands[index].clone();
                    self.refused(&server, call, errors::read(&error)).await
                }
                value => Outcome::Done(match &shortfall {
                    Some(reason) => Err(EngineError::Unknown(reason.clone())),
                    None => Ok(Answer { value, generation }),
                }),
            };
            round.outcomes.push((place, outcome));
        }
        round.outcomes
    }

    /// What to do about an error reply.
    async fn refused(&self, server: &Server, call: Call, reply: Reply) -> Outcome {
        match reply {
            Reply::Moved => Outcome::Again { call, why: "the slot was moved".into(), learn: true },
            Reply::Again(why) => Outcome::Again { call, why, learn: true },
            Reply::NoFunction => match server.restore_library().await {
                Ok(()) => Outcome::Again { call, why: "the functions are missing".into(), learn: false },
                Err(error) => Outcome::Done(Err(error)),
            },
            Reply::Ask(address) => self.ask_elsewhere(&address, call).await,
            Reply::Full(reason) => Outcome::Done(Err(EngineError::Full(reason))),
            Reply::Refused(reason) => Outcome::Done(Err(EngineError::Failed(reason.into()))),
            Reply::Doubtful(reason) => Outcome::Done(Err(EngineError::Unknown(reason))),
        }
    }

    /// To the server that a slot is on its way to. Without a guarantee behind it: replicas of that server are
    /// told when the migration has ended.
    async fn ask_elsewhere(&self, address: &str, call: Call) -> Outcome {
        let link = match self.at(address) {
            Ok(server) => server.link(Line::Commit).await,
            Err(error) => Err(error),
        };
        let link = match link {
            Ok(link) => link,
            Err(error) => return Outcome::Again { call, why: error.to_string(), learn: true },
        };
        let generation = self.generations.of(call.lane);
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.add_command(redis::cmd("ASKING")).add_command(call.command.clone());
        match link.run(&pipeline).await.map(|mut answers| answers.pop()) {
            Ok(Some(Value::ServerError(error))) => match errors::read(&error) {
                Reply::Doubtful(reason) => Outcome::Done(Err(EngineError::Unknown(reason))),
                _ => Outcome::Again { call, why: error.to_string(), learn: true },
            },
            Ok(Some(value)) => Outcome::Done(Ok(Answer { value, generation })),
            Ok(None) => Outcome::Done(Err(errors::garbled("a call"))),
            Err(error) => Outcome::Done(Err(EngineError::Unknown(error.to_string()))),
        }
    }
}

/// Calls to one server, on their way.
struct Round {
    outcomes: Vec<(usize, Outcome)>,
    /// What the calls of `sent` say, in their order.
    pipeline: Pipeline,
    sent: Vec<Sent>,
}

struct Sent {
    place: usize,
    call: Call,
    generation: u64,
}

impl Round {
    /// The link is made before this is called: whoever connects learns of another incarnation first.
    fn of(topology: &Topology, calls: Placed) -> Self {
        let mut round =
            Self { outcomes: vec![], pipeline: Pipeline::with_capacity(calls.len() + 1), sent: vec![] };
        for (place, mut call) in calls {
            let generation = topology.generations.of(call.lane);
            if call.bound.is_some_and(|bound| bound != generation) {
                round.outcomes.push((place, Outcome::Done(Err(EngineError::Fenced))));
                continue;
            }
            round.pipeline.add_command(std::mem::take(&mut call.command));
            round.sent.push(Sent { place, call, generation });
        }
        round
    }

    fn lost(mut self, reason: &str) -> Vec<(usize, Outcome)> {
        let lost = |sent: Sent| (sent.place, Outcome::Done(Err(EngineError::Unknown(reason.to_owned()))));
        self.outcomes.extend(self.sent.into_iter().map(lost));
        self.outcomes
    }
}

/// How long calls that had no effect are tried again.
struct Patience {
    until: Instant,
    delay: Duration,
}

impl Patience {
    fn of(timeout: Duration) -> Self {
        Self { until: Instant::now() + timeout, delay: REDIS_AGAIN_MIN }
    }

    async fn wait(&mut self) -> bool {
        if Instant::now() + self.delay > self.until {
            return false;
        }
        tokio::time::sleep(self.delay).await;
        self.delay = (self.delay * 2).min(REDIS_AGAIN_MAX);
        true
    }
}
