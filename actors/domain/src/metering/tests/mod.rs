//! The policies, each by the facts it is made of, and the laws of the [module](super).

mod conversation;
mod laws;
mod message;
mod preview;
mod words;

use jiff::civil::{Date, date};
use protocol::content::{Category, Channel, Content, Referral};
use protocol::directory::{Contract, Rate, RateCard};
use protocol::fact::{Event, Fact, MessageStatus};
use protocol::id::{ContactId, ConversationId, EventId, MessageId, NumberId, ProviderId, TenantId};
use protocol::phone::{ContactKey, E164};
use protocol::pricing::{Currency, ProviderPricing};
use protocol::time::{SpanMs, TimestampMs};
use rust_decimal::Decimal;

use super::*;

/// One conversation under a contract, from a day on.
struct Scene {
    contract: Contract,
    start: TimestampMs,
    cards: Vec<RateCard>,
    state: PairState,
    counters: Counters,
    conversation: ConversationId,
}

/// Noon of a day in UTC.
fn noon(day: Date) -> TimestampMs {
    let midnight = jiff::tz::TimeZone::UTC.to_timestamp(day.at(12, 0, 0, 0)).unwrap();
    TimestampMs(midnight.as_millisecond())
}

fn card(name: &str, from: Date, service: &str) -> RateCard {
    let price = |text: &str| text.parse::<Decimal>().unwrap();
    let row = |market: &str| Rate {
        market: market.into(),
        marketing: price("0.05"),
        utility: price("0.02"),
        authentication: price("0.03"),
        service: price(service),
    };
    RateCard {
        name: name.into(),
        currency: Currency("EUR".into()),
        effective_from: from,
        rows: vec![row("IT"), row("*")],
    }
}

fn status(message: u128, status: MessageStatus, at: TimestampMs, category: Option<Category>) -> Fact {
    Fact::StatusChanged {
        message: MessageId(message),
        status,
        at,
        provider_id: None,
        category: category.unwrap_or(Category::Service),
        template: category.is_some(),
        pricing: None,
        errors: Vec::new(),
        queued_at: at,
    }
}

fn word(kind: &str, category: &str) -> ProviderPricing {
    ProviderPricing {
        billable: Some(kind == "regular"),
        model: "PMP".into(),
        kind: Some(kind.into()),
        category: category.into(),
        conversation_id: None,
        conversation_expires_at: None,
        conversation_origin: None,
    }
}

fn book(contract: Contract, rate_cards: &[RateCard]) -> Book<'_> {
    Book {
        tenant: TenantId(1),
        contract,
        zone: time_zone("Europe/Rome"),
        currency: None,
        account: None,
        rate_cards,
    }
}

impl Scene {
    fn new(contract: Contract, day: Date) -> Self {
        let mut scene = Self {
            contract,
            start: noon(day),
            cards: vec![card("first", date(2020, 1, 1), "0.01")],
            state: PairState::default(),
            counters: Counters::new(),
            conversation: ConversationId(1),
        };
        scene.begin();
        scene
    }

    fn begin(&mut self) {
        let booked = self.fact(Fact::ConversationStarted {
            number: NumberId(7),
            channel: Channel::Whatsapp,
            contact: ContactKey::Phone(E164::parse("+393331234567").unwrap()),
            contact_id: ContactId(1),
            by_contact: true,
        });
        assert_eq!(booked, None);
    }

    /// Another conversation of the same number.
    fn next_conversation(&mut self) {
        self.conversation.0 += 1;
        self.state = PairState::default();
        self.begin();
    }

    fn at(&self, hours: i64) -> TimestampMs {
        self.start + SpanMs::hours(hours)
    }

    fn fact(&mut self, fact: Fact) -> Option<Booking> {
        let event = Event {
            id: EventId(0),
            at: self.start,
            traceparent: None,
            tenant: Some(TenantId(1)),
            conversation: Some(self.conversation),
            fact,
        };
        let book = book(self.contract, &self.cards);
        let wanted = counters(&self.state, &book, &event);
        let before = self.counters.clone();
        let booking = apply(&mut self.state, &book, &mut self.counters, &event);
        for (name, value) in &self.counters {
            let old = before.get(name).copied().unwrap_or_default();
            assert!(*value >= old, "counters never fall");
            assert!(*value == old || wanted.contains(name), "only announced counters are used");
        }
        booking
    }

    fn line(&mut self, fact: Fact) -> Line {
        match self.fact(fact) {
            Some(Booking::Line(line)) => *line,
            other => panic!("no line but {other:?}"),
        }
    }

    /// A delivered template.
    fn template(&mut self, message: u128, hours: i64, category: Category) -> Line {
        let at = self.at(hours);
        self.line(status(message, MessageStatus::Delivered, at, Some(category)))
    }

    /// A delivered answer.
    fn answer(&mut self, message: u128, hours: i64) -> Line {
        let at = self.at(hours);
        self.line(status(message, MessageStatus::Delivered, at, None))
    }

    fn inbound(&mut self, hours: i64, from_advertisement: bool) {
        let referral = Referral {
            source_type: "ad".into(),
            source_id: None,
            source_url: None,
            headline: None,
            ctwa_clid: None,
        };
        let sent_at = self.at(hours);
        let booked = self.fact(Fact::MessageReceived {
            message: MessageId(0),
            provider_id: ProviderId::new("w"),
            sent_at,
            content: Content::Text { body: String::new() },
            reply_to: None,
            referral: from_advertisement.then_some(referral),
            window_expires_at: sent_at + SpanMs::hours(24),
            blocked: false,
            for_inbox: true,
        });
        assert_eq!(booked, None);
    }
}

fn amount(charge: &Charge) -> &str {
    match &charge.amount {
        None => "free",
        Some(money) => match money.amount.to_string().as_str() {
            "0.05" => "0.05",
            "0.02" => "0.02",
            "0.03" => "0.03",
            "0.01" => "0.01",
            _ => "another",
        },
    }
}
