//! The Graph API: one POST per claimed message, never repeated here.

use std::time::Duration;

use async_trait::async_trait;
use protocol::content::ProviderError;
use protocol::directory::Number;
use protocol::id::ProviderId;
use protocol::outbound::Outcome;
use protocol::whatsapp::answer::Answer;
use protocol::whatsapp::send::{Send, read_receipt};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Response, redirect};
use runtime::{OutboundMessage, Provider};

use super::failure;
use crate::config::OutboundSettings;

/// Meta's Graph host.
pub const GRAPH_HOST: &str = "https://graph.facebook.com";
/// Connections kept for one host while idle: as many POSTs as one number may have under way.
const IDLE_CONNECTIONS_PER_HOST: usize = 256;
/// Answers are a few hundred bytes; what is longer is not read to its end.
pub(super) const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// The provider's code for a message type that it does not support: not worth a request, never retried.
const UNSUPPORTED_TYPE: i64 = 131_051;

/// Sends through the Graph API, or whatever stands in at a number's `base_url`.
pub struct WhatsApp {
    pub(super) http: reqwest::Client,
}

impl WhatsApp {
    /// Makes a client that keeps its connections.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: &OutboundSettings) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_millis(settings.connect_timeout_ms))
            .timeout(Duration::from_millis(settings.request_timeout_ms))
            .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST)
            .redirect(redirect::Policy::none())
            // A repeated POST would be a second message: not even the protocol's own repetition is wanted.
            .retry(reqwest::retry::never())
            .tcp_nodelay(true)
            // The store of files brings HTTP/2 along; one stream of it at its limit would hold every POST back.
            .http1_only()
            .build()?;
        Ok(Self { http })
    }

    async fn deliver(&self, number: &Number, message: &OutboundMessage) -> Outcome {
        let send = Send {
            to: &message.to,
            content: &message.content,
            reply_to: message.reply_to.as_ref(),
            opaque: &message.opaque,
        };
        let body = match send.body() {
            Ok(body) => body,
            Err(error) => return unsendable(error.to_string()),
        };
        let answered = match self.post(number, body, message.traceparent.as_deref()).await {
            Ok(response) => ReadAnswer::read(response, MAX_ANSWER_BYTES).await,
            Err(outcome) => return outcome,
        };
        match answered {
            Ok(answer) => answer.as_answer(message).outcome(),
            Err(error) => failure::outcome(&error),
        }
    }

    /// POSTs to the number's `messages` edge; the outcome is already known when there is no answer.
    async fn post(
        &self,
        number: &Number,
        body: Vec<u8>,
        traceparent: Option<&str>,
    ) -> Result<Response, Outcome> {
        let Some(id) = &number.phone_number_id else {
            return Err(unsendable("the number has no phone_number_id".to_owned()));
        };
        let base = number.base_url.as_deref().unwrap_or(GRAPH_HOST).trim_end_matches('/');
        let url = format!("{base}/{}/{id}/messages", number.api_version);
        let mut request = self.http.post(url).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(token) = &number.secrets.access_token {
            request = request.bearer_auth(token);
        }
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        request.send().await.map_err(|error| failure::outcome(&error))
    }
}

fn unsendable(title: String) -> Outcome {
    let error = ProviderError { code: UNSUPPORTED_TYPE, title, detail: None };
    Outcome::Rejected { error, retry_after_ms: None }
}

pub(super) struct ReadAnswer {
    pub(super) status: u16,
    retry_after: Option<String>,
    pub(super) body: Vec<u8>,
}

impl ReadAnswer {
    pub(super) async fn read(mut response: Response, max_bytes: usize) -> Result<Self, reqwest::Error> {
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map(str::to_owned);
        let mut body = Vec::new();
        while body.len() < max_bytes
            && let Some(chunk) = response.chunk().await?
        {
            body.extend_from_slice(&chunk);
        }
        Ok(Self { status, retry_after, body })
    }

    fn as_answer(&self, message: &OutboundMessage) -> Answer<'_> {
        Answer {
            status: self.status,
            body: &self.body,
            retry_after: self.retry_after.as_deref(),
            to: message.to.phone,
        }
    }
}

#[async_trait]
impl Provider for WhatsApp {
    async fn send(&self, number: &Number, message: OutboundMessage) -> Outcome {
        self.deliver(number, &message).await
    }

    async fn show_typing(&self, number: &Number, message: &ProviderId) {
        match self.post(number, read_receipt(message, true), None).await {
            Ok(response) if response.status().is_success() => {}
            Ok(response) => {
                tracing::debug!(number = %number.id, status = %response.status(), "typing was not shown");
            }
            Err(_) => tracing::debug!(number = %number.id, "typing was not shown: no answer"),
        }
    }
}
