//! What a charge depends on besides the conversation: contract, time zone, rate cards.

use compact_str::{CompactString, format_compact};
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use protocol::content::Category;
use protocol::directory::{Contract, Rate, RateCard};
use protocol::id::{NumberId, TenantId, WabaId};
use protocol::phone::ContactKey;
use protocol::pricing::{Currency, Money};
use protocol::time::TimestampMs;
use rust_decimal::Decimal;

use super::charge::RateCardRef;
use super::policy::{CONTRACT, Scope, Service, Terms, provider_on};
use crate::directory::TenantDirectory;
use crate::market;

/// Currency of what is free, where neither the tenant nor a rate card has one.
const CURRENCY: CompactString = CompactString::const_new("EUR");

/// Configuration of one tenant and number as the meter needs it.
#[derive(Clone, Debug)]
pub struct Book<'a> {
    /// Who is billed.
    pub tenant: TenantId,
    /// By what.
    pub contract: Contract,
    /// Billing months and rate cards follow the tenant's calendar.
    pub zone: TimeZone,
    /// The currency that the tenant pays in, if it is fixed.
    pub currency: Option<&'a Currency>,
    /// The provider account of the number.
    pub account: Option<&'a WabaId>,
    /// Prices, in any order.
    pub rate_cards: &'a [RateCard],
}

/// What a message may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Its price, unless it is within the free tier.
    pub price: Money,
    /// The counter of the free tier, and how many a month are free.
    pub free_tier: Option<(CompactString, i64)>,
}

/// A time zone by its IANA name, from data that is part of the program; UTC if there is none of that name.
#[must_use]
pub fn time_zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap_or(TimeZone::UTC)
}

impl<'a> Book<'a> {
    /// The book of a tenant as it is configured, for one of its numbers.
    #[must_use]
    pub fn of(
        held: &'a TenantDirectory,
        number: Option<NumberId>,
        rate_cards: &'a [RateCard],
        zone: TimeZone,
    ) -> Self {
        let number = number.and_then(|number| held.numbers.get(&number));
        Self {
            tenant: held.tenant.id,
            contract: held.tenant.contract,
            zone,
            currency: held.tenant.credits.as_ref().map(|credits| &credits.currency),
            account: number.and_then(|number| number.waba_id.as_ref()),
            rate_cards,
        }
    }
}

impl Book<'_> {
    /// The day of an instant in the tenant's time zone.
    #[must_use]
    pub fn day(&self, at: TimestampMs) -> Date {
        self.zone.to_datetime(at.to_jiff()).date()
    }

    /// What the tenant is billed by, on a day.
    pub(super) fn contract_on(&self, day: Date) -> &'static Terms {
        match self.contract {
            Contract::Conversation => &CONTRACT,
            Contract::PerMessage => provider_on(day),
        }
    }

    /// The counter that a policy's free tier uses in the month of a day.
    pub(super) fn counter(&self, terms: &Terms, number: NumberId, day: Date) -> Option<CompactString> {
        let Service::Charged { shared_by, .. } = terms.service else { return None };
        let month = day.strftime("%Y-%m");
        let policy = terms.policy.name();
        Some(match (shared_by, self.account) {
            (Scope::Tenant, _) => format_compact!("{policy}/{}/{month}", self.tenant),
            (Scope::Account, Some(account)) => format_compact!("{policy}/{}/{account}/{month}", self.tenant),
            (Scope::Number, _) | (Scope::Account, None) => format_compact!("{policy}/{number}/{month}"),
        })
    }

    /// The most that a message from a number to a contact may be charged, as if no conversation were open. `None` when
    /// it is free for certain, or when no rate card prices it.
    #[must_use]
    pub fn most(
        &self,
        number: NumberId,
        contact: &ContactKey,
        sent: (Category, TimestampMs),
    ) -> Option<Quote> {
        let (category, day) = (sent.0, self.day(sent.1));
        let terms = self.contract_on(day);
        let free_tier = match (category, terms.service) {
            (Category::Service, Service::Free) => return None,
            (Category::Service, Service::Charged { free_a_month, .. }) => {
                self.counter(terms, number, day).map(|counter| (counter, free_a_month))
            }
            _ => None,
        };
        let market = market::of_contact(contact).unwrap_or(CompactString::const_new("*"));
        let (price, _) = self.price(day, &market, category)?;
        (!price.amount.is_zero()).then_some(Quote { price, free_tier })
    }

    /// The currency of what is free: the tenant's own, or that of the newest rate card.
    #[must_use]
    pub fn home_currency(&self) -> Currency {
        let card = self.rate_cards.iter().max_by_key(|card| card.effective_from).map(|card| &card.currency);
        self.currency.or(card).cloned().unwrap_or(Currency(CURRENCY))
    }

    /// The price of a category in a market on a day, with its rate card. The newest card that has begun and names
    /// the market (or `*`) decides; cards in the tenant's own currency go first.
    pub(super) fn price(&self, day: Date, market: &str, category: Category) -> Option<(Money, RateCardRef)> {
        let own = |card: &RateCard| self.currency.is_some_and(|currency| *currency == card.currency);
        let cards = self.rate_cards.iter().enumerate().filter(|(_, card)| card.effective_from <= day);
        let (_, card, rate) = cards
            .filter_map(|(place, card)| Some((place, card, row(card, market)?)))
            .max_by_key(|(place, card, _)| (own(card), card.effective_from, *place))?;
        let money = Money { amount: amount(rate, category), currency: card.currency.clone() };
        Some((money, RateCardRef { name: card.name.clone(), effective_from: card.effective_from }))
    }
}

fn row<'a>(card: &'a RateCard, market: &str) -> Option<&'a Rate> {
    let named = |name: &str| card.rows.iter().find(|rate| rate.market.eq_ignore_ascii_case(name));
    named(market).or_else(|| named("*"))
}

const fn amount(rate: &Rate, category: Category) -> Decimal {
    match category {
        Category::Marketing => rate.marketing,
        Category::Utility => rate.utility,
        Category::Authentication => rate.authentication,
        Category::Service => rate.service,
    }
}
