//! One fact in, at most one booking out.

use std::collections::BTreeMap;

use compact_str::CompactString;
use protocol::content::{Category, Channel};
use protocol::entry::ProviderStatus;
use protocol::fact::{Event, Fact, MessageStatus};
use protocol::id::{MessageId, NumberId};
use protocol::pricing::ProviderPricing;
use protocol::time::{SpanMs, TimestampMs};

use super::bill::{Delivery, bill, reprice};
use super::book::Book;
use super::charge::{Charge, Line};
use super::policy::provider_on;
use super::report;
use super::state::PairState;
use crate::market;

/// Values of the counters behind free tiers, by name.
pub type Counters = BTreeMap<CompactString, i64>;

/// What follows from a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Booking {
    /// A new line of the ledger.
    Line(Box<Line>),
    /// The provider's word on a line that was booked before.
    Word {
        /// The message.
        message: MessageId,
        /// What the provider says.
        report: ProviderPricing,
        /// What the provider charges by its word, when that is not what we estimated. What the tenant was billed
        /// stays: nothing is refunded, the difference is listed.
        cost: Option<Box<Charge>>,
    },
}

/// The counters that [`apply`] wants to find for this fact, absent ones count as zero.
#[must_use]
pub fn counters(state: &PairState, book: &Book<'_>, event: &Event) -> Vec<CompactString> {
    let (Some(number), Some(delivery)) = (state.number, Delivery::of(&event.fact)) else { return Vec::new() };
    tiers(book, number, (delivery.at, delivery.queued_at))
}

/// The counters of the free tiers that a delivery may use.
pub(super) fn tiers(
    book: &Book<'_>,
    number: NumberId,
    (at, queued_at): (TimestampMs, TimestampMs),
) -> Vec<CompactString> {
    let (day, rules_day) = (book.day(at), book.day(queued_at));
    let policies = [book.contract_on(rules_day), provider_on(rules_day)];
    policies.into_iter().filter_map(|terms| book.counter(terms, number, day)).collect()
}

/// Whether a fact can change anything here; most cannot.
#[must_use]
pub fn concerns(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::ConversationStarted { .. }
            | Fact::ContactIdentified(_)
            | Fact::MessageReceived { .. }
            | Fact::Call(_)
            | Fact::StatusChanged { .. }
            | Fact::StatusUnmatched { message: Some(_), .. }
    )
}

/// Applies one fact of a conversation. Total, and idempotent by message.
pub fn apply(
    state: &mut PairState,
    book: &Book<'_>,
    counters: &mut Counters,
    event: &Event,
) -> Option<Booking> {
    match &event.fact {
        Fact::ConversationStarted { number, channel, contact, .. } => {
            state.identify(*number, *channel, contact);
        }
        Fact::ContactIdentified(identity) => {
            if let Some(country) = identity.phone.and_then(market::country) {
                state.market = Some(CompactString::const_new(country));
            }
        }
        Fact::MessageReceived { sent_at, referral, window_expires_at, .. } => {
            if referral.is_some() {
                state.referral_at = state.referral_at.max(Some(*sent_at));
            }
            state.keep_window(book, *sent_at, *window_expires_at);
        }
        Fact::Call(call) if call.by_contact => state.keep_window(book, call.at, call.at + SpanMs::hours(24)),
        Fact::StatusChanged { message, status: MessageStatus::Sent, pricing: Some(pricing), .. }
        | Fact::StatusUnmatched {
            message: Some(message),
            status: ProviderStatus::Sent,
            pricing: Some(pricing),
            ..
        } => state.keep_report(*message, pricing.clone()),
        fact => {
            let mut delivery = Delivery::of(fact)?;
            let kept = state.take_report(delivery.message);
            delivery.report = delivery.report.or(kept);
            if matches!(fact, Fact::StatusUnmatched { .. }) {
                let word = delivery.report.as_ref()?;
                delivery.category = report::category(word).unwrap_or(Category::Service);
                delivery.template = delivery.category != Category::Service;
            }
            return deliver(state, book, counters, event, delivery);
        }
    }
    None
}

fn deliver(
    state: &mut PairState,
    book: &Book<'_>,
    counters: &mut Counters,
    event: &Event,
    delivery: Delivery,
) -> Option<Booking> {
    if !state.was_billed(delivery.message, delivery.queued_at) {
        // Other channels have prices of their own.
        let whatsapp = state.channel == Some(Channel::Whatsapp);
        let line = if whatsapp { bill(state, book, counters, event.conversation?, delivery) } else { None };
        return line.map(|line| Booking::Line(Box::new(line)));
    }
    let report = delivery.report?;
    let billed = state.billed.iter_mut().find(|billed| billed.message == delivery.message)?;
    if std::mem::replace(&mut billed.reported, true) {
        return None;
    }
    let cost = reprice(book, state.market.as_deref(), *billed, &report).map(Box::new);
    Some(Booking::Word { message: delivery.message, report, cost })
}

impl Delivery {
    /// The delivery that a fact reports, if it does.
    fn of(fact: &Fact) -> Option<Self> {
        match fact {
            Fact::StatusChanged {
                message,
                status: MessageStatus::Delivered | MessageStatus::Read,
                at,
                category,
                template,
                pricing,
                queued_at,
                ..
            } => Some(Self {
                message: *message,
                at: *at,
                queued_at: *queued_at,
                category: if *template { *category } else { Category::Service },
                template: *template,
                report: pricing.clone(),
            }),
            // The conversation no longer knows the message, but the opaque id proves that it was ours. What it was
            // sent as is known by the provider's word alone.
            Fact::StatusUnmatched {
                message: Some(message),
                status: ProviderStatus::Delivered | ProviderStatus::Read,
                at,
                pricing,
                ..
            } => Some(Self {
                message: *message,
                at: *at,
                queued_at: *at,
                category: Category::Service,
                template: false,
                report: pricing.clone(),
            }),
            _ => None,
        }
    }
}

impl PairState {
    /// Remembers the contact's window where the rules of the day ask for it; otherwise the state stays unchanged,
    /// so that most inbound messages cost the meter no write.
    fn keep_window(&mut self, book: &Book<'_>, opened_at: TimestampMs, expires_at: TimestampMs) {
        if !provider_on(book.day(opened_at)).utility_free_in_window {
            return;
        }
        self.window = Some(match self.window {
            Some((from, until)) if opened_at < until => (from.min(opened_at), until.max(expires_at)),
            _ => (opened_at, expires_at),
        });
    }
}
