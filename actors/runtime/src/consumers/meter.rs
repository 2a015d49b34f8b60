//! Delivered messages become lines of the ledger.

use std::collections::BTreeMap;

use domain::directory::TenantDirectory;
use domain::metering::{Book, Booking, Counters, PairState, apply, concerns, counters, time_zone};
use jiff::tz::TimeZone;
use protocol::directory::{Contract, RateCard};
use protocol::entry::ProviderStatus;
use protocol::fact::{Event, Fact, MessageStatus};
use protocol::id::{ConversationId, MessageId, TenantId};
use protocol::pricing::Money;
use store::records::{Advance, CreditUse, MeterCommit, StoredEvent};

use super::Shared;
use super::follow::{Follower, Handler};
use super::supervised::{ConsumerError, ViewCell};
use crate::metrics::{FollowerKind, Metrics};

mod row;

/// Its name.
pub(super) const NAME: &str = "meter";

/// Meters until told to stop.
pub(super) async fn run(shared: Shared, view: ViewCell) -> Result<(), ConsumerError> {
    Follower::new(shared.clone(), Meter::new(shared)).await?.run(&view).await
}

/// What the meter keeps between batches.
pub(super) struct Meter {
    shared: Shared,
    /// Every counter it has met. It is the only one who moves them, and begins anew when that proves wrong.
    counters: Counters,
    zones: BTreeMap<TenantId, (compact_str::CompactString, TimeZone)>,
}

/// One batch under way.
struct Batch {
    states: BTreeMap<ConversationId, PairState>,
    before: BTreeMap<ConversationId, PairState>,
    commit: MeterCommit,
}

impl Meter {
    pub(super) fn new(shared: Shared) -> Self {
        Self { shared, counters: Counters::new(), zones: BTreeMap::new() }
    }

    async fn begin(&self, events: &[&StoredEvent], advance: Advance) -> Result<Batch, ConsumerError> {
        let mut wanted: Vec<_> = events.iter().filter_map(|stored| stored.event.conversation).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let loaded = self.shared.options.records.meter_load(wanted.clone(), Vec::new()).await?;
        let before: BTreeMap<_, _> =
            wanted.into_iter().zip(loaded.states).map(|(id, bytes)| (id, decode(id, bytes))).collect();
        Ok(Batch { states: before.clone(), before, commit: MeterCommit::of(advance) })
    }

    async fn load_counters(
        &mut self,
        state: &PairState,
        book: &Book<'_>,
        event: &StoredEvent,
    ) -> Result<(), ConsumerError> {
        let mut missing = counters(state, book, &event.event);
        missing.retain(|name| !self.counters.contains_key(name));
        if !missing.is_empty() {
            let loaded = self.shared.options.records.meter_load(Vec::new(), missing.clone()).await?;
            self.counters.extend(missing.into_iter().zip(loaded.counters));
        }
        Ok(())
    }

    fn zone(&mut self, tenant: TenantId, directory: Option<&TenantDirectory>) -> TimeZone {
        let Some(directory) = directory else { return TimeZone::UTC };
        let name = &directory.tenant.time_zone;
        match self.zones.get(&tenant) {
            Some((known, zone)) if known == name => zone.clone(),
            _ => {
                let zone = time_zone(name);
                self.zones.insert(tenant, (name.clone(), zone.clone()));
                zone
            }
        }
    }
}

impl Handler for Meter {
    const NAME: &'static str = NAME;
    const KIND: FollowerKind = FollowerKind::Meter;

    async fn handle(&mut self, events: &[StoredEvent], advance: Advance) -> Result<(), ConsumerError> {
        let directory = self.shared.options.directory.load_full();
        let relevant: Vec<_> = events.iter().filter(|stored| concerns(&stored.event.fact)).collect();
        let mut batch = self.begin(&relevant, advance).await?;
        let counters_before = self.counters.clone();
        for stored in relevant {
            let (Some(tenant), Some(conversation)) = (stored.event.tenant, stored.event.conversation) else {
                continue;
            };
            let Some(mut state) = batch.states.remove(&conversation) else { continue };
            let found = directory.tenants.get(&tenant).map(AsRef::as_ref);
            let zone = self.zone(tenant, found);
            let book = book(tenant, zone, found, &state, &directory.rate_cards);
            self.load_counters(&state, &book, stored).await?;
            let booking = apply(&mut state, &book, &mut self.counters, &stored.event);
            let pays_in_advance = book.currency.is_some();
            if let Some((message, charge)) =
                credit_use(booking.as_ref(), &stored.event).filter(|_| pays_in_advance)
            {
                batch.commit.credits.push(CreditUse { tenant, message, charge, at: stored.event.at });
            }
            match booking {
                Some(Booking::Line(line)) => {
                    count(&self.shared.options.metrics, &line, book.contract);
                    batch.commit.entries.push(row::entry(*line, &book)?);
                }
                Some(Booking::Word { message, report, cost }) => {
                    batch.commit.provider_words.push(row::word(message, report, cost)?);
                }
                None => {}
            }
            batch.states.insert(conversation, state);
        }
        batch.close(&counters_before, &self.counters)?;
        let differences = batch.differences();
        let settles = !batch.commit.credits.is_empty();
        self.shared.options.records.meter_commit(batch.commit).await?;
        self.shared.options.metrics.billing_differences.inc_by(differences);
        if settles {
            self.shared.show_reserved().await?;
        }
        Ok(())
    }
}

impl Batch {
    /// Lines on which the provider says something else than we estimated, whenever it said so.
    fn differences(&self) -> u64 {
        let booked = self.commit.entries.iter().filter(|entry| entry.differs).count();
        let later = self.commit.provider_words.iter().filter(|word| word.cost.is_some()).count();
        (booked + later) as u64
    }

    /// Puts what changed into the commit.
    fn close(&mut self, counters_before: &Counters, counters: &Counters) -> Result<(), ConsumerError> {
        for (conversation, state) in &self.states {
            if self.before.get(conversation) != Some(state) {
                let bytes = state.encode().map_err(|error| ConsumerError::Encode(error.into()))?;
                self.commit.states.push((*conversation, Some(bytes.into())));
            }
        }
        let changed = counters.iter().filter(|(name, value)| counters_before.get(*name) != Some(value));
        self.commit.counters = changed.map(|(name, value)| (name.clone(), *value)).collect();
        Ok(())
    }
}

fn decode(conversation: ConversationId, bytes: Option<bytes::Bytes>) -> PairState {
    let Some(bytes) = bytes else { return PairState::default() };
    PairState::decode(&bytes).unwrap_or_else(|| {
        tracing::error!(%conversation, "the meter's state cannot be read: what it delivers is not billed");
        PairState::default()
    })
}

/// What the charges of a conversation depend on. A tenant that is gone keeps the default contract.
fn book<'a>(
    tenant: TenantId,
    zone: TimeZone,
    directory: Option<&'a TenantDirectory>,
    state: &PairState,
    rate_cards: &'a [RateCard],
) -> Book<'a> {
    match directory {
        Some(held) => Book::of(held, state.number, rate_cards, zone),
        None => {
            Book { tenant, contract: Contract::default(), zone, currency: None, account: None, rate_cards }
        }
    }
}

/// The end of a message's reservation: it was booked, or will never be delivered as far as anybody knows.
fn credit_use(booking: Option<&Booking>, event: &Event) -> Option<(MessageId, Option<Money>)> {
    match (booking, &event.fact) {
        (Some(Booking::Line(line)), _) => Some((line.message, line.charge.amount.clone())),
        (_, Fact::StatusChanged { message, status, .. }) => {
            use MessageStatus::{Failed, Refused, Unknown};
            matches!(status, Failed | Refused | Unknown).then_some((*message, None))
        }
        // One that was held back may fail when its conversation has long forgotten it.
        (_, Fact::StatusUnmatched { message: Some(message), status: ProviderStatus::Failed, .. }) => {
            Some((*message, None))
        }
        _ => None,
    }
}

fn count(metrics: &Metrics, line: &domain::metering::Line, contract: Contract) {
    let rule = line.charge.rule;
    if rule.opens() || rule.is_charged() || line.charge.free_tier_place.is_some() {
        metrics.billing_conversations.of(row::label(line, contract)).inc();
    }
}
