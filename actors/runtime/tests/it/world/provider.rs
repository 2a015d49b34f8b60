//! A provider that answers by script and keeps a ledger of what it was sent.

use std::collections::VecDeque;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use protocol::content::{Content, ProviderError};
use protocol::directory::Number;
use protocol::id::{ConversationId, MessageId, ProviderId};
use protocol::outbound::{OpaqueId, OpaqueKey, Outcome};
use runtime::{OutboundMessage, Provider};
use tokio::time::{Instant, sleep};

/// What the provider does with one POST.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// Takes it.
    Take,
    /// Takes it, but the answer gets lost.
    TakeSilently,
    /// Loses it; the sender cannot know.
    Lose,
    /// Cannot be reached.
    Unreachable,
    /// Refuses it with this code.
    Refuse(i64),
    /// Takes it after a while.
    TakeLate(Duration),
}

/// A message that the provider took.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Posted {
    pub(crate) conversation: ConversationId,
    pub(crate) message: MessageId,
    pub(crate) provider_id: ProviderId,
    pub(crate) text: String,
}

/// The provider outside.
pub(crate) struct ScriptedProvider {
    key: OpaqueKey,
    script: Mutex<VecDeque<Answer>>,
    ledger: Mutex<Vec<Posted>>,
    taken_at: Mutex<Vec<Instant>>,
    typing: Mutex<Vec<ProviderId>>,
}

impl ScriptedProvider {
    pub(crate) fn new(key: OpaqueKey) -> Self {
        Self {
            key,
            script: Mutex::default(),
            ledger: Mutex::default(),
            taken_at: Mutex::default(),
            typing: Mutex::default(),
        }
    }

    /// The answers to the next POSTs; after them everything is taken.
    pub(crate) fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script.lock().extend(answers);
    }

    /// Everything that was taken, in order.
    pub(crate) fn ledger(&self) -> Vec<Posted> {
        self.ledger.lock().clone()
    }

    /// When each of them was.
    pub(crate) fn taken_at(&self) -> Vec<Instant> {
        self.taken_at.lock().clone()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.ledger.lock().iter().map(|posted| posted.text.clone()).collect()
    }

    pub(crate) fn typing(&self) -> Vec<ProviderId> {
        self.typing.lock().clone()
    }

    fn take(&self, number: &Number, message: &OutboundMessage) -> ProviderId {
        let opaque = OpaqueId::open(&message.opaque, number.id, &self.key)
            .expect("our opaque id comes with every send");
        let mut ledger = self.ledger.lock();
        self.taken_at.lock().push(Instant::now());
        let provider_id = ProviderId::new(format!("wamid.out.{}", ledger.len()));
        let text = match &message.content {
            Content::Text { body } => body.clone(),
            other => other.kind().to_owned(),
        };
        ledger.push(Posted {
            conversation: opaque.conversation,
            message: opaque.message,
            provider_id: provider_id.clone(),
            text,
        });
        provider_id
    }
}

#[async_trait]
impl Provider for ScriptedProvider {
    async fn send(&self, number: &Number, message: OutboundMessage) -> Outcome {
        let answer = self.script.lock().pop_front().unwrap_or(Answer::Take);
        if let Answer::TakeLate(after) = answer {
            sleep(after).await;
        }
        match answer {
            Answer::Take | Answer::TakeLate(_) => {
                Outcome::Accepted { provider_id: self.take(number, &message), recipient: None }
            }
            Answer::TakeSilently => {
                self.take(number, &message);
                Outcome::InDoubt { detail: "no answer".to_owned() }
            }
            Answer::Lose => Outcome::InDoubt { detail: "no answer".to_owned() },
            Answer::Unreachable => Outcome::NotSent { detail: "connection refused".to_owned() },
            Answer::Refuse(code) => {
                let error = ProviderError { code, title: "refused".to_owned(), detail: None };
                Outcome::Rejected { error, retry_after_ms: None }
            }
        }
    }

    async fn show_typing(&self, _: &Number, message: &ProviderId) {
        self.typing.lock().push(message.clone());
    }
}
