//! One POST to a downstream endpoint.

use std::sync::Arc;

use protocol::api::watch::EventView;
use protocol::directory::WebhookEndpoint;
use protocol::time::{SpanMs, TimestampMs};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, StatusCode, Url};
use serde::Serialize;
use store::records::StoredEvent;

use super::{EndpointSettings, guard, sign};
use crate::consumers::ConsumerError;
use crate::limits::RETRY_AFTER_MAX;

/// Makes POSTs. One client for all endpoints: connections are kept.
pub(crate) struct Poster {
    client: Client,
    allow_private: bool,
}

/// How one POST ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Taken.
    Taken,
    /// Not taken; another time perhaps.
    Failed {
        /// What went wrong.
        error: String,
        /// How long the endpoint wants to be left alone.
        retry_after: Option<SpanMs>,
    },
    /// The endpoint is gone for good (410).
    Gone,
}

/// What is sent: the event as the feed shows it, with the time under the name that Standard Webhooks use.
#[derive(Serialize)]
struct Payload<'a> {
    timestamp: TimestampMs,
    #[serde(flatten)]
    event: &'a EventView,
}

impl Poster {
    pub(crate) fn new(settings: &EndpointSettings) -> Result<Self, ConsumerError> {
        let mut builder = Client::builder()
            .timeout(settings.timeout)
            .redirect(guard::redirects())
            .no_proxy()
            .user_agent(concat!("conversation-gateway/", env!("CARGO_PKG_VERSION")));
        if !settings.allow_private_addresses {
            builder = builder.dns_resolver(Arc::new(guard::PublicOnly));
        }
        let client = builder.build().map_err(|error| ConsumerError::Client(error.into()))?;
        Ok(Self { client, allow_private: settings.allow_private_addresses })
    }

    /// POSTs an event once.
    pub(crate) async fn post(
        &self,
        endpoint: &WebhookEndpoint,
        stored: &StoredEvent,
        now: TimestampMs,
    ) -> Answer {
        let failed = |error: String| Answer::Failed { error, retry_after: None };
        let url = match Url::parse(&endpoint.url) {
            Ok(url) if self.allow_private || guard::host_is_public(&url) => url,
            Ok(_) => return failed("the address is private, which is refused by configuration".to_owned()),
            Err(error) => return failed(format!("the address cannot be read: {error}")),
        };
        let event = EventView::new(stored.seq.0, &stored.event);
        let body = match serde_json::to_vec(&Payload { timestamp: event.at, event: &event }) {
            Ok(body) => body,
            Err(error) => return failed(format!("the event cannot be written: {error}")),
        };
        let (id, seconds) = (event.id.to_string(), now.0 / 1_000);
        let mut request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", sign::signatures(&endpoint.secrets, &id, seconds, &body));
        if let Some(parent) = &stored.event.traceparent {
            request = request.header("traceparent", parent.as_str());
        }
        match request.body(body).send().await {
            Ok(response) if response.status().is_success() => Answer::Taken,
            Ok(response) if response.status() == StatusCode::GONE => Answer::Gone,
            Ok(response) => Answer::Failed {
                error: format!("answered {}", response.status()),
                retry_after: retry_after(&response),
            },
            Err(error) => failed(describe(&error.without_url())),
        }
    }
}

/// How long an answer asks to be left alone.
pub(in crate::consumers) fn retry_after(response: &reqwest::Response) -> Option<SpanMs> {
    let seconds: i64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(SpanMs(SpanMs::seconds(seconds.clamp(0, RETRY_AFTER_MAX.0 / 1_000)).0))
}

fn describe(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.extend([": ", &cause.to_string()]);
        source = cause.source();
    }
    text
}
