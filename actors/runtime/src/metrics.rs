//! Every metric of the runtime, declared once. The doc comment of a field is its help text; label children are
//! built up front, so that counting allocates nothing and a label set cannot grow.

use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

/// A closed set of label values.
pub trait Label: Copy + 'static {
    /// Label names, in order.
    const NAMES: &'static [&'static str];
    /// Every member, in the order of [`Label::index`].
    const ALL: &'static [Self];
    /// Place in [`Label::ALL`].
    fn index(self) -> usize;
    /// One value for each name.
    fn values(self) -> Vec<&'static str>;
}

/// One child for each member of a label set.
#[derive(Clone, Debug)]
pub struct Family<L, M> {
    children: Vec<M>,
    label: std::marker::PhantomData<fn(L)>,
}

impl<L: Label, M> Family<L, M> {
    /// The child of a member.
    pub fn of(&self, label: L) -> &M {
        &self.children[label.index()]
    }
}

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident [$($label:literal),+] { $($(#[$member_doc:meta])* $member:ident = [$($value:literal),+],)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the label value is the meaning")]
        pub enum $name { $($(#[$member_doc])* $member,)+ }

        impl Label for $name {
            const NAMES: &'static [&'static str] = &[$($label),+];
            const ALL: &'static [Self] = &[$(Self::$member,)+];
            fn index(self) -> usize {
                self as usize
            }
            fn values(self) -> Vec<&'static str> {
                match self { $(Self::$member => vec![$($value),+],)+ }
            }
        }
    )+};
}

labels! {
    /// Kinds of actors.
    ActorKind ["kind"] {
        Arbiter = ["arbiter"],
        Conversation = ["conversation"],
        Outbound = ["outbound"],
        Consumer = ["consumer"],
    }
    /// Consumers that follow the events of the records, by the names of their cursors.
    FollowerKind ["consumer"] {
        Meter = ["meter"],
        Notifier = ["notifier"],
        Templates = ["templates"],
        Cards = ["cards"],
        Endpoints = ["endpoints"],
    }
    /// How a POST to a provider ended.
    OutboundRequest ["provider", "outcome"] {
        Accepted = ["whatsapp", "accepted"],
        Rejected = ["whatsapp", "rejected"],
        NotSent = ["whatsapp", "not_sent"],
        InDoubt = ["whatsapp", "in_doubt"],
    }
    /// What a charge was made for.
    BillingConversation ["category", "origin", "policy"] {
        MarketingByConversation = ["marketing", "business", "conversation"],
        UtilityByConversation = ["utility", "business", "conversation"],
        AuthenticationByConversation = ["authentication", "business", "conversation"],
        ServiceByConversation = ["service", "user", "conversation"],
        ReferralByConversation = ["service", "referral", "conversation"],
        MarketingByMessage = ["marketing", "business", "per_message"],
        UtilityByMessage = ["utility", "business", "per_message"],
        AuthenticationByMessage = ["authentication", "business", "per_message"],
        ServiceByMessage = ["service", "user", "per_message"],
        ReferralByMessage = ["service", "referral", "per_message"],
    }
    /// What became of a file of a message.
    FileOutcome ["task", "outcome"] {
        Fetched = ["fetch", "stored"],
        FetchRetried = ["fetch", "retried"],
        FetchGivenUp = ["fetch", "given_up"],
        Clean = ["scan", "clean"],
        Infected = ["scan", "infected"],
        ScanRetried = ["scan", "retried"],
        ScanGivenUp = ["scan", "given_up"],
    }
    /// What became of a notification or a pushed event.
    NotificationOutcome ["channel", "outcome"] {
        StreamStored = ["sse", "stored"],
        WebhookDelivered = ["webhook", "delivered"],
        WebhookRetried = ["webhook", "retried"],
        WebhookGivenUp = ["webhook", "given_up"],
        MailTaken = ["email", "delivered"],
        MailRetried = ["email", "retried"],
        MailGivenUp = ["email", "given_up"],
        PushTaken = ["push", "delivered"],
        PushRetried = ["push", "retried"],
        PushGivenUp = ["push", "given_up"],
    }
}

/// From a tenth of a millisecond to half a minute: an fsync, a commit, a provider call.
const SECONDS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0, 30.0,
];
/// Up to the bound of a batch.
const EVENTS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

/// How a metric is made and registered.
trait Declare: Sized {
    fn declare(registry: &Registry, name: &str, help: &str) -> prometheus::Result<Self>;
}

fn register<M: prometheus::core::Collector + Clone + 'static>(
    registry: &Registry,
    metric: M,
) -> prometheus::Result<M> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

impl Declare for IntCounter {
    fn declare(registry: &Registry, name: &str, help: &str) -> prometheus::Result<Self> {
        register(registry, Self::new(name, help)?)
    }
}

impl Declare for IntGauge {
    fn declare(registry: &Registry, name: &str, help: &str) -> prometheus::Result<Self> {
        register(registry, Self::new(name, help)?)
    }
}

impl Declare for Gauge {
    fn declare(registry: &Registry, name: &str, help: &str) -> prometheus::Result<Self> {
        register(registry, Self::new(name, help)?)
    }
}

impl Declare for Histogram {
    fn declare(registry: &Registry, name: &str, help: &str) -> prometheus::Result<Self> {
        let buckets = if name.ends_with("_events") { EVENTS } else { SECONDS };
        register(registry, Self::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))?)
    }
}

/// A family is declared by the vector that its children belong to.
macro_rules! families {
    ($($child:ty = $vector:ty;)+) => {$(
        impl<L: Label> Declare for Family<L, $child> {
            fn declare(registry: &Registry, name: &str, help: &str) -> prometheus::Result<Self> {
                let vector = register(registry, <$vector>::new(Opts::new(name, help), L::NAMES)?)?;
                let children = L::ALL.iter().map(|label| vector.get_metric_with_label_values(&label.values()));
                Ok(Self { children: children.collect::<Result<_, _>>()?, label: std::marker::PhantomData })
            }
        }
    )+};
}

families! {
    IntCounter = IntCounterVec;
    IntGauge = IntGaugeVec;
    Gauge = GaugeVec;
}

macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $field:ident: $kind:ty = $name:literal,)+) => {
        /// The metrics of one node.
        #[derive(Clone, Debug)]
        pub struct Metrics {
            $($(#[doc = $help])+ pub $field: $kind,)+
        }

        impl Metrics {
            /// Declares everything in a registry.
            ///
            /// # Errors
            /// When the registry already has a metric of one of these names.
            pub fn new(registry: &Registry) -> prometheus::Result<Self> {
                Ok(Self { $($field: <$kind>::declare(registry, $name, concat!($($help),+).trim())?,)+ })
            }

            /// The name of every metric.
            pub const NAMES: &'static [&'static str] = &[$($name),+];
        }
    };
}

metrics! {
    /// Time to make log entries durable.
    log_append: Histogram = "gateway_log_append_seconds",
    /// Age of log entries when they are applied.
    shard_lag: Histogram = "gateway_shard_lag_seconds",
    /// Time of one fenced commit, retries included.
    commit: Histogram = "gateway_commit_seconds",
    /// Inputs in one commit.
    commit_events: Histogram = "gateway_commit_events",
    /// Actors that live in this process.
    actors_live: Family<ActorKind, IntGauge> = "gateway_actors_live",
    /// Conversation actors that were started.
    actors_spawned: IntCounter = "gateway_actors_spawned_total",
    /// Conversation actors that gave their memory back because they were silent or too many.
    actors_passivated: IntCounter = "gateway_actors_passivated_total",
    /// Panics that were caught while an input was applied, and actors that died of one.
    actor_panics: IntCounter = "gateway_actor_panics_total",
    /// Shards that this node owns.
    shards_owned: IntGauge = "gateway_shards_owned",
    /// Shards that fall to this node.
    shards_wanted: IntGauge = "gateway_shards_wanted",
    /// Shards that this node gave to another one while both were there.
    shard_moves: IntCounter = "gateway_shard_moves_total",
    /// Nodes that are there, as this one hears.
    nodes_alive: IntGauge = "gateway_nodes_alive",
    /// Shards that were lost to another owner or loaded anew after a failed commit.
    lease_lost: IntCounter = "gateway_lease_lost_total",
    /// POSTs to providers by how they ended.
    outbound_requests: Family<OutboundRequest, IntCounter> = "gateway_outbound_requests_total",
    /// Time of one POST to a provider.
    outbound: Histogram = "gateway_outbound_seconds",
    /// Age of the oldest message that waits for a send slot.
    outbound_queue_oldest: Gauge = "gateway_outbound_queue_oldest_seconds",
    /// Messages of which this node does not know whether the provider took them.
    outbound_in_doubt: IntGauge = "gateway_outbound_in_doubt",
    /// Time that a claimed message waited for its number's limiter.
    limiter_wait: Histogram = "gateway_limiter_wait_seconds",
    /// Time from the due time of a timer to its tick.
    timer_lateness: Histogram = "gateway_timer_lateness_seconds",
    /// Timers that have not fired.
    timers_pending: IntGauge = "gateway_timers_pending",
    /// Charged conversations and messages.
    billing_conversations: Family<BillingConversation, IntCounter> = "gateway_billing_conversations_total",
    /// Lines of the ledger where the provider's own word on what it charges is not our estimate.
    billing_differences: IntCounter = "gateway_billing_differences_total",
    /// What messages on their way may cost and tenants have paid for, in whole units of their currencies; as of the
    /// newest one that ended, on the node that leads.
    credits_reserved: Gauge = "gateway_credits_reserved",
    /// Notifications and pushed events by what became of them.
    notifications: Family<NotificationOutcome, IntCounter> = "gateway_notifications_total",
    /// Files that were fetched from providers and scanned, by how that ended.
    files: Family<FileOutcome, IntCounter> = "gateway_files_total",
    /// Age of the newest fact that the records have stored while more are waiting; grows while they fail.
    projection_lag: Gauge = "gateway_projection_lag_seconds",
    /// Age of the newest event that a consumer has dealt with, while more are waiting; grows while it fails. Bills,
    /// notifications and pushed events are as late.
    consumer_lag: Family<FollowerKind, Gauge> = "gateway_consumer_lag_seconds",
    /// Inputs that were set aside because they could not be applied.
    dead_letters: IntCounter = "gateway_dead_letters_total",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declared_metric_is_registered_under_its_name() {
        let registry = Registry::new();
        Metrics::new(&registry).unwrap();
        let families = registry.gather();
        let registered: std::collections::BTreeSet<_> = families.iter().map(|family| family.name()).collect();
        assert_eq!(registered, Metrics::NAMES.iter().copied().collect());
        let outcomes =
            families.iter().find(|family| family.name() == "gateway_outbound_requests_total").unwrap();
        assert_eq!(
            outcomes.get_metric().len(),
            OutboundRequest::ALL.len(),
            "children exist before the first POST"
        );
    }
}
