//! What a conversation says, and what it costs: both machines together.

use domain::conversation::Effects;
use domain::limits::RECENT;
use domain::metering::{Book, Booking, Counters, Line, Origin, PairState, Rule, apply, time_zone};
use protocol::content::Category;
use protocol::directory::{Rate, RateCard};
use protocol::entry::{Happening, ProviderStatus};
use protocol::fact::Event;
use protocol::id::{EventId, MessageId};
use protocol::pricing::{Currency, ProviderPricing};
use protocol::time::SpanMs;

use crate::conversation::world::{World, queued_id};

/// A conversation with the meter that hears its facts.
struct Billed {
    world: World,
    state: PairState,
    counters: Counters,
    cards: Vec<RateCard>,
}

fn card() -> RateCard {
    let price = |text: &str| text.parse().unwrap();
    let rate = Rate {
        market: "IT".into(),
        marketing: price("0.05"),
        utility: price("0.02"),
        authentication: price("0.03"),
        service: price("0.01"),
    };
    RateCard {
        name: "card".into(),
        currency: Currency("EUR".into()),
        effective_from: "2026-01-01".parse().unwrap(),
        rows: vec![rate],
    }
}

fn pricing(kind: &str, category: &str) -> ProviderPricing {
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

impl Billed {
    fn new() -> Self {
        let (state, counters) = (PairState::default(), Counters::new());
        let mut billed = Self { world: World::new(), state, counters, cards: vec![card()] };
        let effects = billed.world.says("/chat");
        assert!(billed.hear(effects).is_empty());
        billed.world.deliver_all();
        billed
    }

    /// Meters the facts of a step.
    fn hear(&mut self, effects: Effects) -> Vec<Line> {
        let tenant = &self.world.tenant.tenant;
        let book = Book {
            tenant: tenant.id,
            contract: tenant.contract,
            zone: time_zone(&tenant.time_zone),
            currency: None,
            account: None,
            rate_cards: &self.cards,
        };
        let mut lines = Vec::new();
        for fact in effects.facts {
            let event = Event {
                id: EventId(0),
                at: self.world.now,
                traceparent: None,
                tenant: Some(tenant.id),
                conversation: Some(self.world.state.address.conversation),
                fact,
            };
            if let Some(Booking::Line(line)) = apply(&mut self.state, &book, &mut self.counters, &event) {
                lines.push(*line);
            }
        }
        lines
    }

    /// Sends what a command queued; the provider takes it.
    fn sent(&mut self, effects: Effects) -> MessageId {
        let id = queued_id(&effects);
        assert!(self.hear(effects).is_empty(), "nothing costs before it is delivered");
        let claimed = self.world.claim(id);
        let accepted = self.world.accepted(id, &format!("wamid.{id}"));
        assert!(self.hear(claimed).is_empty() && self.hear(accepted).is_empty());
        id
    }

    fn status(&mut self, id: MessageId, status: ProviderStatus, word: Option<ProviderPricing>) -> Vec<Line> {
        let mut update = self.world.status_update(&format!("wamid.{id}"), Some(id), status);
        update.pricing = word;
        let effects = self.world.happens(Happening::Status(update));
        self.hear(effects)
    }
}

#[test]
fn d8_an_answer_is_user_initiated_and_a_template_beside_it_business_initiated() {
    let mut billed = Billed::new();
    let effects = billed.world.send("hello");
    let answer = billed.sent(effects);
    let lines = billed.status(answer, ProviderStatus::Delivered, None);
    assert_eq!((lines[0].origin, lines[0].charge.rule), (Origin::UserInitiated, Rule::FreeTier));
    assert!(billed.status(answer, ProviderStatus::Read, None).is_empty(), "once");

    let effects = billed.world.send_template("interview_invite", "it", &["Anna", "lunedì"]);
    let template = billed.sent(effects);
    let lines = billed.status(template, ProviderStatus::Read, None);
    assert_eq!(lines.len(), 1, "read without delivered");
    assert_eq!((lines[0].origin, lines[0].category), (Origin::BusinessInitiated, Category::Utility));
    assert_eq!(lines[0].charge.amount.as_ref().unwrap().amount.to_string(), "0.02");
    assert!(billed.status(template, ProviderStatus::Delivered, None).is_empty());
}

#[test]
fn d8_a_failed_message_costs_nothing() {
    let mut billed = Billed::new();
    let effects = billed.world.send("hello");
    let id = billed.sent(effects);
    assert!(billed.status(id, ProviderStatus::Failed, Some(pricing("regular", "service"))).is_empty());
}

#[test]
fn f5_the_word_that_comes_with_sent_is_not_lost() {
    let mut billed = Billed::new();
    let effects = billed.world.send_template("hello", "en", &[]);
    let id = billed.sent(effects);
    assert!(billed.status(id, ProviderStatus::Sent, Some(pricing("regular", "utility"))).is_empty());
    let lines = billed.status(id, ProviderStatus::Delivered, None);
    // In September 2026 utility within an open window was free, and the provider says otherwise.
    assert_eq!(lines[0].cost.rule, Rule::ReportedCharged);
    assert!(lines[0].reported.is_some() && lines[0].estimate.is_some());
}

#[test]
fn p9_messages_that_arrive_after_the_conversation_forgot_them_are_billed_all_the_same() {
    let mut billed = Billed::new();
    let many = 3 * RECENT;
    let ids: Vec<_> = (0..many)
        .map(|_| {
            // The pair limit lets ten a minute through.
            billed.world.later(SpanMs::seconds(10));
            let effects = billed.world.send("are you there?");
            billed.sent(effects)
        })
        .collect();
    let word = Some(pricing("free_customer_service", "service"));
    let mut lines = Vec::new();
    for round in [ProviderStatus::Delivered, ProviderStatus::Read] {
        for id in &ids {
            lines.extend(billed.status(*id, round, word.clone()));
        }
    }
    assert_eq!(lines.len(), many);
    let opened = lines.iter().filter(|line| line.charge.rule == Rule::FreeTier).count();
    assert_eq!(opened, 1, "one conversation of 24 hours");
}
