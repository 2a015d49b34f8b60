//! Contacts that write and services that send, through crashes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::Plan;
use super::tally::{Kind, Tally};
use crate::client::inbound::{Receiver, Sender};
use crate::client::{SIGNATURE_HEADER, signature};
use crate::process::{API_KEY, Place};
use crate::simulator::Options;
use crate::verify::{Promises, Span, UNIQUE_TEXT};

/// What was acknowledged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acknowledged {
    /// Provider ids of inbound messages in the order of their acknowledgement, by contact.
    pub(crate) inbound: BTreeMap<String, Vec<String>>,
    /// Ids of messages that the API took.
    pub(crate) sends: Vec<String>,
    /// Messages that the API refused, by code: none is expected.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Requests that were repeated to the end without an answer.
    pub(crate) abandoned: usize,
}

/// A repetition waits this long: the gateway may be starting.
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// Between two messages of one contact.
const BREATH: Duration = Duration::from_millis(20);
/// Between two sends of one caller.
const SEND_BREATH: Duration = Duration::from_millis(200);
/// A request that is not answered within this was lost with a process.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A gateway that answers nothing for this long after the last kill will not.
const GRACE: Duration = Duration::from_secs(30);

/// Messages from one application to the next. The bot answers about five of them; a pair may get 45 messages at once
/// and then one every six seconds, so that a chattier script would only fill the queue of the gateway.
const ROUND: usize = 150;

/// An application with the bot, then direct chat, then back to the bot.
fn line(index: usize) -> &'static str {
    match index % ROUND {
        0 => "I want to apply TEST0001",
        1 => "Anna Rossi",
        2 => "Milano",
        last if last == ROUND - 1 => "/endchat",
        _ => "Hello? Are you there?",
    }
}

pub(crate) struct Traffic {
    tasks: JoinSet<Acknowledged>,
}

/// What every task needs.
#[derive(Clone)]
struct Way {
    client: Client,
    /// Nodes; a request that is not answered well is repeated at the next one.
    places: Arc<[Place]>,
    tally: Tally,
    secret: String,
    receiver: Receiver,
    stop: Arc<AtomicBool>,
    conversations: u32,
}

impl Traffic {
    pub(crate) fn start(
        plan: &Plan,
        places: &[Place],
        options: &Options,
        tally: &Tally,
        stop: &Arc<AtomicBool>,
    ) -> Self {
        let account = &options.accounts[0];
        let way = Way {
            client: Client::new(),
            places: places.into(),
            tally: tally.clone(),
            secret: account.app_secret.0.clone(),
            receiver: Receiver {
                waba_id: account.waba_id.clone(),
                phone_number_id: account.numbers[0].phone_number_id.clone(),
                display_phone_number: account.numbers[0].display_phone_number.clone(),
            },
            stop: Arc::clone(stop),
            conversations: plan.conversations,
        };
        let mut tasks = JoinSet::new();
        for contact in 0..plan.conversations {
            tasks.spawn(contact_writes(way.clone(), contact));
        }
        for caller in 0..plan.callers {
            tasks.spawn(service_sends(way.clone(), caller));
        }
        Self { tasks }
    }

    /// Waits until everything under way was acknowledged.
    pub(crate) async fn finish(mut self) -> Acknowledged {
        let mut all = Acknowledged::default();
        while let Some(part) = self.tasks.join_next().await {
            match part {
                Ok(part) => all.add(part),
                Err(error) => tracing::error!(%error, "a task of the load ended badly"),
            }
        }
        all
    }
}

impl Acknowledged {
    /// A contact writes one message at a time: each is sent when the one before is acknowledged.
    pub(crate) fn promises(&self) -> Promises {
        let spans = self.inbound.values().flat_map(|ids| {
            let span = |sent: u64| Span { sent, acknowledged: sent + 1 };
            ids.iter().zip(0..).map(move |(id, place)| (id.clone(), span(2 * place)))
        });
        Promises { inbound: spans.collect(), sends: self.sends.clone(), ..Promises::default() }
    }

    fn add(&mut self, part: Self) {
        self.inbound.extend(part.inbound);
        self.sends.extend(part.sends);
        self.abandoned += part.abandoned;
        for (code, count) in part.refused {
            *self.refused.entry(code).or_default() += count;
        }
    }
}

fn phone(contact: u32) -> String {
    format!("39333{contact:07}")
}

async fn contact_writes(way: Way, contact: u32) -> Acknowledged {
    let wa_id = phone(contact);
    let sender =
        Sender { user_id: format!("IT.{wa_id}"), name: format!("Contact {contact}"), wa_id: wa_id.clone() };
    let mut acknowledged = Vec::new();
    for index in 0.. {
        if way.stop.load(Ordering::Relaxed) {
            break;
        }
        let wamid = format!("wamid.crash.{contact}.{index}");
        let text = line(index);
        let body = way.receiver.text(&sender, &wamid, unix_seconds(), text).to_string();
        let header = signature(&way.secret, body.as_bytes());
        let webhook = |place: &Place| {
            let request = way.client.post(place.webhook_url()).header(SIGNATURE_HEADER, &header);
            request.header("Content-Type", "application/json").body(body.clone())
        };
        if way.insist(Kind::Webhook, contact as usize + index, webhook).await.is_none() {
            // Never acknowledged, so never promised.
            let inbound = BTreeMap::from([(wa_id, acknowledged)]);
            return Acknowledged { inbound, abandoned: 1, ..Acknowledged::default() };
        }
        acknowledged.push(wamid);
        tokio::time::sleep(BREATH).await;
    }
    Acknowledged { inbound: BTreeMap::from([(wa_id, acknowledged)]), ..Acknowledged::default() }
}

async fn service_sends(way: Way, caller: u32) -> Acknowledged {
    let mut done = Acknowledged::default();
    for index in 0u32.. {
        if way.stop.load(Ordering::Relaxed) {
            break;
        }
        let text = format!("{UNIQUE_TEXT} {caller}.{index}");
        let to = format!("+{}", phone((caller.wrapping_mul(7_919) + index) % way.conversations.max(1)));
        let body = json!({ "to": to, "type": "text", "text": { "body": text } });
        let call = |place: &Place| {
            let request =
                way.client.post(format!("http://{}/v1/messages", place.public)).bearer_auth(API_KEY);
            request.header("Idempotency-Key", format!("crash-{caller}-{index}")).json(&body)
        };
        let turn = caller as usize + index as usize;
        let Some((status, answer)) = way.insist(Kind::Call, turn, call).await else {
            done.abandoned += 1;
            break;
        };
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        match answer["id"].as_str() {
            Some(id) if status == 202 => {
                done.sends.push(id.to_owned());
            }
            _ => {
                let code = answer["code"].as_str().map_or_else(|| status.to_string(), str::to_owned);
                *done.refused.entry(code).or_default() += 1;
            }
        }
        tokio::time::sleep(SEND_BREATH).await;
    }
    done
}

/// How long a request is repeated: while the load lasts, and a while after it.
struct Patience {
    stop: Arc<AtomicBool>,
    stopped: Option<Instant>,
}

impl Patience {
    fn lasts(&mut self) -> bool {
        if self.stopped.is_none() && self.stop.load(Ordering::Relaxed) {
            self.stopped = Some(Instant::now());
        }
        self.stopped.is_none_or(|stopped| stopped.elapsed() < GRACE)
    }
}

impl Way {
    /// Sends a request to one node after the other until there is an answer that is not "later"; `None` when none
    /// comes.
    async fn insist(
        &self,
        kind: Kind,
        first: usize,
        request: impl Fn(&Place) -> RequestBuilder,
    ) -> Option<(u16, Bytes)> {
        let began = Instant::now();
        let mut patience = self.patience();
        for turn in first.. {
            let answer = request(&self.places[turn % self.places.len()]).timeout(TIMEOUT).send().await;
            self.tally.attempt(kind, &answer);
            if let Ok(answer) = answer
                && kind.is_final(answer.status().as_u16())
            {
                let status = answer.status().as_u16();
                let body = answer.bytes().await.unwrap_or_default();
                self.tally.answered(kind, began.elapsed());
                return Some((status, body));
            }
            if !patience.lasts() {
                break;
            }
            // The next node is asked at once; only when all were asked is there something to wait for.
            if (turn - first + 1).is_multiple_of(self.places.len()) {
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
        None
    }

    fn patience(&self) -> Patience {
        Patience { stop: Arc::clone(&self.stop), stopped: None }
    }
}

fn unix_seconds() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(0)
}
