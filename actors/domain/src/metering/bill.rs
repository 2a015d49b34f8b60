//! Billing one delivered message: by the tenant's contract, and by the provider's rules of its day.

use compact_str::CompactString;
use jiff::civil::Date;
use protocol::content::Category;
use protocol::id::{ConversationId, MessageId};
use protocol::pricing::ProviderPricing;
use protocol::time::TimestampMs;

use super::apply::Counters;
use super::book::Book;
use super::charge::{Charge, Line, Origin, Rule};
use super::policy::{CONVERSATION, FREE_ENTRY, FREE_ENTRY_ANSWER, Policy, Service, Terms, Unit, provider_on};
use super::report;
use super::state::{Billed, FreeEntry, OpenConversation, OpenSet, PairState};

/// The first report that a message has arrived.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) message: MessageId,
    pub(super) at: TimestampMs,
    pub(super) queued_at: TimestampMs,
    pub(super) category: Category,
    pub(super) template: bool,
    pub(super) report: Option<ProviderPricing>,
}

/// What a set of rules says about a delivery.
#[derive(Clone, Copy, Debug)]
struct Verdict {
    rule: Rule,
    origin: Origin,
    opened_by: Option<MessageId>,
    place: Option<i64>,
}

/// A delivery with what all policies see alike.
struct Case<'a> {
    delivery: &'a Delivery,
    free_entry: Option<Verdict>,
    in_window: bool,
}

/// A month's counter of a free tier.
struct Tier<'a> {
    counters: &'a mut Counters,
    key: Option<CompactString>,
}

pub(super) fn bill(
    state: &mut PairState,
    book: &Book<'_>,
    counters: &mut Counters,
    conversation: ConversationId,
    delivery: Delivery,
) -> Option<Line> {
    let number = state.number?;
    let (day, rules_day) = (book.day(delivery.at), book.day(delivery.queued_at));
    let (contract, provider) = (book.contract_on(rules_day), provider_on(rules_day));
    let market = state.market.clone().unwrap_or(CompactString::const_new("*"));
    let till = Till { book, day: rules_day, market: &market };
    let case = Case {
        free_entry: free_entry(state, &delivery),
        in_window: state.window.is_some_and(|(from, until)| from <= delivery.at && delivery.at < until),
        delivery: &delivery,
    };
    let mut tier = Tier { key: book.counter(provider, number, day), counters };
    let estimated = judge(provider, &case, &mut state.provider, &mut tier);
    let (cost, estimate) = till.cost(provider.policy, estimated, &delivery);
    let (charge, origin) = if contract.policy == provider.policy {
        (cost.clone(), estimated.origin)
    } else {
        tier.key = book.counter(contract, number, day);
        let verdict = judge(contract, &case, &mut state.contract, &mut tier);
        (till.charge(contract.policy, verdict, delivery.category), verdict.origin)
    };
    state.remember(Billed {
        message: delivery.message,
        queued_at: delivery.queued_at,
        category: delivery.category,
        rule: estimated.rule,
        reported: delivery.report.is_some(),
    });
    Some(Line {
        message: delivery.message,
        tenant: book.tenant,
        conversation,
        number,
        queued_at: delivery.queued_at,
        delivered_at: delivery.at,
        day,
        market,
        category: delivery.category,
        template: delivery.template,
        origin,
        charge,
        cost,
        reported: delivery.report,
        estimate,
    })
}

/// Turns verdicts into money.
struct Till<'a> {
    book: &'a Book<'a>,
    /// The rate cards of this day apply.
    day: Date,
    market: &'a str,
}

impl Till<'_> {
    fn charge(&self, policy: Policy, verdict: Verdict, category: Category) -> Charge {
        let charged = verdict.rule.is_charged();
        let price = if charged { self.book.price(self.day, self.market, category) } else { None };
        let (amount, rate_card) = price.unzip();
        Charge {
            policy,
            rule: verdict.rule,
            opened_by: verdict.opened_by,
            free_tier_place: verdict.place,
            amount,
            rate_card,
        }
    }

    /// What the provider charges, and our estimate where the provider's word is another.
    fn cost(&self, policy: Policy, estimated: Verdict, delivery: &Delivery) -> (Charge, Option<Charge>) {
        let estimate = self.charge(policy, estimated, delivery.category);
        let word = delivery.report.as_ref();
        match word.and_then(|word| self.reported(policy, estimated, (word, delivery.category))) {
            Some(reported) => (reported, Some(estimate)),
            None => (estimate, None),
        }
    }

    /// What the provider charges by its word, when that is not our estimate.
    fn reported(
        &self,
        policy: Policy,
        estimated: Verdict,
        (word, sent_as): (&ProviderPricing, Category),
    ) -> Option<Charge> {
        if !report::differs(word, estimated.rule, sent_as) {
            return None;
        }
        let charged = report::is_charged(word).unwrap_or(estimated.rule.is_charged());
        let rule = if charged { Rule::ReportedCharged } else { Rule::ReportedFree };
        let category = report::category(word).unwrap_or(sent_as);
        Some(self.charge(policy, Verdict { rule, ..estimated }, category))
    }
}

/// The provider's cost of a billed message by a word that came later, when that is not our estimate.
pub(super) fn reprice(
    book: &Book<'_>,
    market: Option<&str>,
    billed: Billed,
    word: &ProviderPricing,
) -> Option<Charge> {
    let day = book.day(billed.queued_at);
    let till = Till { book, day, market: market.unwrap_or("*") };
    let origin = Origin::BusinessInitiated; // not part of a charge
    let estimated = Verdict { rule: billed.rule, origin, opened_by: None, place: None };
    till.reported(provider_on(day).policy, estimated, (word, billed.category))
}

/// Free entry points precede all other rules, under every policy.
fn free_entry(state: &mut PairState, delivery: &Delivery) -> Option<Verdict> {
    let verdict = |rule, opened_by| Verdict {
        rule,
        origin: Origin::FreeEntryPoint,
        opened_by: Some(opened_by),
        place: None,
    };
    let word = delivery.report.as_ref().filter(|word| report::is_free_entry(word));
    // The provider's own end of the free entry point is the true one.
    let told_end = word.and_then(|word| word.conversation_expires_at);
    if let Some(entry) = &mut state.free_entry
        && entry.from <= delivery.at
        && delivery.at < told_end.unwrap_or(entry.until)
    {
        entry.until = told_end.unwrap_or(entry.until);
        return Some(verdict(Rule::WithinFreeEntryPoint, entry.opened_by));
    }
    let answers = state
        .referral_at
        .is_some_and(|came| came <= delivery.queued_at && delivery.queued_at - came <= FREE_ENTRY_ANSWER);
    if !answers && word.is_none() {
        return None;
    }
    state.referral_at = None;
    state.free_entry = Some(FreeEntry {
        from: delivery.at,
        until: told_end.unwrap_or(delivery.at + FREE_ENTRY),
        opened_by: delivery.message,
    });
    state.contract.close_all();
    state.provider.close_all();
    Some(verdict(Rule::FreeEntryPointOpened, delivery.message))
}

fn judge(terms: &Terms, case: &Case<'_>, open: &mut OpenSet, tier: &mut Tier<'_>) -> Verdict {
    case.free_entry.unwrap_or_else(|| match terms.unit {
        Unit::Conversation => by_conversation(terms, case.delivery, open, tier),
        Unit::Message => by_message(terms, case, tier),
    })
}

fn by_conversation(terms: &Terms, delivery: &Delivery, open: &mut OpenSet, tier: &mut Tier<'_>) -> Verdict {
    // A template needs a conversation of its own category, an answer is content with any.
    let wanted = delivery.template.then_some(delivery.category);
    if let Some(within) = open.find(delivery.at, wanted) {
        return Verdict {
            rule: Rule::WithinConversation,
            origin: within.origin,
            opened_by: Some(within.opened_by),
            place: None,
        };
    }
    let (origin, rule, place) = if delivery.template {
        (Origin::BusinessInitiated, Rule::ConversationOpened, None)
    } else {
        let (rule, place) = service(terms, tier, Rule::FreeConversationOpened, Rule::ConversationOpened);
        (Origin::UserInitiated, rule, place)
    };
    open.open(OpenConversation {
        category: delivery.category,
        origin,
        opened_at: delivery.at,
        opened_by: delivery.message,
    });
    Verdict { rule, origin, opened_by: Some(delivery.message), place }
}

fn by_message(terms: &Terms, case: &Case<'_>, tier: &mut Tier<'_>) -> Verdict {
    let delivery = case.delivery;
    if !delivery.template {
        let (rule, place) = service(terms, tier, Rule::FreeForm, Rule::MessageDelivered);
        return Verdict { rule, origin: Origin::UserInitiated, opened_by: None, place };
    }
    let free = terms.utility_free_in_window && delivery.category == Category::Utility && case.in_window;
    let rule = if free { Rule::UtilityInWindow } else { Rule::MessageDelivered };
    Verdict { rule, origin: Origin::BusinessInitiated, opened_by: None, place: None }
}

/// What an answer costs: the rule when answers are free, within the free tier, or beyond it.
fn service(terms: &Terms, tier: &mut Tier<'_>, free: Rule, charged: Rule) -> (Rule, Option<i64>) {
    let Service::Charged { free_a_month, .. } = terms.service else { return (free, None) };
    let Some(key) = tier.key.clone() else { return (charged, None) };
    let place = tier.counters.entry(key).or_default();
    *place += 1;
    if *place <= free_a_month { (Rule::FreeTier, Some(*place)) } else { (charged, Some(*place)) }
}

const _: () = assert!(CONVERSATION.0 < FREE_ENTRY.0);
