//! Metrics of the HTTP side. Declared once; children exist before the first request, so counting allocates nothing.

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry};
use runtime::ingress::Accepted;

/// Buckets around what matters: the provider asks for a median of 250 ms and less than 1 % over a second.
const ACK_SECONDS: &[f64] =
    &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The registry of the process with the metrics of the HTTP side.
pub struct Metrics {
    /// Everything that `/metrics` shows; other parts of the process register theirs here.
    pub registry: Registry,
    /// Webhooks of WhatsApp.
    pub whatsapp: WebhookMetrics,
}

/// Metrics of one provider's webhooks.
pub struct WebhookMetrics {
    /// Requests by what became of them.
    pub outcomes: WebhookOutcomes,
    /// Time from the last byte of a request to its durable answer.
    pub ack_seconds: Histogram,
    /// In the order of [`Accepted::by_kind`].
    events: Vec<IntCounter>,
}

impl WebhookMetrics {
    /// Counts what an accepted webhook brought.
    pub fn count(&self, accepted: &Accepted) {
        for (counter, (_, found)) in self.events.iter().zip(accepted.by_kind()) {
            counter.inc_by(found);
        }
    }
}

/// One counter per answer.
pub struct WebhookOutcomes {
    /// Durable.
    pub accepted: IntCounter,
    /// Bad or missing signature.
    pub unsigned: IntCounter,
    /// Not a webhook.
    pub malformed: IntCounter,
    /// Larger than allowed.
    pub too_large: IntCounter,
    /// Could not be made durable now.
    pub unavailable: IntCounter,
    /// Sent away so that others are not late: too much came at once.
    pub shed: IntCounter,
    /// Handshakes answered.
    pub handshake: IntCounter,
    /// Handshakes refused.
    pub handshake_refused: IntCounter,
}

impl Metrics {
    /// Declares everything in a registry of its own.
    ///
    /// # Errors
    /// When a name is declared twice, which is a mistake in the program.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new("gateway_webhook_requests_total", "Webhook requests by provider and outcome."),
            &["provider", "outcome"],
        )?;
        let events = IntCounterVec::new(
            Opts::new(
                "gateway_webhook_events_total",
                "Events found in accepted webhooks, by provider and kind.",
            ),
            &["provider", "kind"],
        )?;
        let ack_seconds = Histogram::with_opts(
            HistogramOpts::new(
                "gateway_webhook_ack_seconds",
                "Time from a complete request to its durable answer.",
            )
            .buckets(ACK_SECONDS.to_vec()),
        )?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(events.clone()))?;
        registry.register(Box::new(ack_seconds.clone()))?;
        build_info(&registry)?;
        let outcomes = WebhookOutcomes::of(&requests, "whatsapp");
        let kinds = Accepted::default().by_kind();
        let events = kinds.map(|(kind, _)| events.with_label_values(&["whatsapp", kind])).to_vec();
        Ok(Self { registry, whatsapp: WebhookMetrics { outcomes, ack_seconds, events } })
    }
}

impl WebhookOutcomes {
    fn of(requests: &IntCounterVec, provider: &str) -> Self {
        let child = |outcome| requests.with_label_values(&[provider, outcome]);
        Self {
            accepted: child("accepted"),
            unsigned: child("bad_signature"),
            malformed: child("malformed"),
            too_large: child("too_large"),
            unavailable: child("unavailable"),
            shed: child("shed"),
            handshake: child("handshake"),
            handshake_refused: child("handshake_refused"),
        }
    }
}

fn build_info(registry: &Registry) -> Result<(), prometheus::Error> {
    let info =
        IntGaugeVec::new(Opts::new("gateway_build_info", "Always 1; the version is a label."), &["version"])?;
    info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    registry.register(Box::new(info))
}
