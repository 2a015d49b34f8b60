//! Facts as tests need them.

use protocol::command::{Owner, Party};
use protocol::content::{Category, Channel, Content};
use protocol::entry::Identity;
use protocol::fact::{Event, Fact, MessageStatus};
use protocol::id::{ConversationId, EventId, MessageId, NumberId, ProviderId, TenantId, UserId};
use protocol::phone::{ContactKey, E164};
use protocol::shard::conversation_id;
use protocol::time::{SpanMs, TimestampMs};
use store::engine::{FactLane, FactPosition};
use store::records::{FactBatch, LaneStep, Records};

pub(super) const ACME: TenantId = TenantId(1);
pub(super) const OTHER: TenantId = TenantId(2);
pub(super) const NUMBER: NumberId = NumberId(10);
pub(super) const ANNA: UserId = UserId(100);

/// A point in time some minutes after the beginning of the tests.
pub(super) fn minute(minutes: i64) -> TimestampMs {
    TimestampMs(1_790_000_000_000) + SpanMs::minutes(minutes)
}

pub(super) fn user(id: UserId) -> Party {
    Party::User(id)
}

pub(super) fn owned_by(id: UserId) -> Option<Owner> {
    Some(Owner::User(id))
}

/// A conversation of a tenant, and the facts about it.
#[derive(Clone, Copy)]
pub(super) struct Chat {
    pub(super) tenant: TenantId,
    pub(super) number: NumberId,
    pub(super) phone: E164,
}

impl Chat {
    /// The chat of a tenant with the n-th person.
    pub(super) fn with(tenant: TenantId, person: u64) -> Self {
        let phone = E164::parse(&(393_330_000_000 + person).to_string()).unwrap();
        Self { tenant, number: NUMBER, phone }
    }

    pub(super) fn key(&self) -> ContactKey {
        ContactKey::Phone(self.phone)
    }

    pub(super) fn id(&self) -> ConversationId {
        // The tests give every tenant the same number; conversations must differ all the same.
        conversation_id(NumberId(self.number.0 + (self.tenant.0 << 64)), &self.key())
    }

    pub(super) fn event(&self, at: TimestampMs, fact: Fact) -> Event {
        let cause = format!("{:?} {at} {fact:?}", self.id());
        Event {
            id: EventId::derive(&[cause.as_bytes()]),
            at,
            traceparent: None,
            tenant: Some(self.tenant),
            conversation: Some(self.id()),
            fact,
        }
    }

    pub(super) fn started(&self, at: TimestampMs) -> Event {
        let contact_id = self.key().contact_id(self.tenant);
        let fact = Fact::ConversationStarted {
            number: self.number,
            channel: Channel::Whatsapp,
            contact: self.key(),
            contact_id,
            by_contact: true,
        };
        self.event(at, fact)
    }

    pub(super) fn named(&self, at: TimestampMs, name: &str) -> Event {
        let identity =
            Identity { phone: Some(self.phone), profile_name: Some(name.into()), ..Identity::default() };
        self.event(at, Fact::ContactIdentified(identity))
    }

    pub(super) fn message(&self, n: u128) -> MessageId {
        MessageId(n + (self.id().0 >> 32 << 32))
    }

    pub(super) fn received(&self, at: TimestampMs, n: u128, text: &str) -> Event {
        self.received_as(at, n, Content::Text { body: text.into() }, false)
    }

    pub(super) fn received_as(&self, at: TimestampMs, n: u128, content: Content, blocked: bool) -> Event {
        let fact = Fact::MessageReceived {
            message: self.message(n),
            provider_id: ProviderId::new(format!("wamid.in{n}")),
            sent_at: at,
            content,
            reply_to: None,
            referral: None,
            window_expires_at: at + SpanMs::hours(24),
            blocked,
            for_inbox: true,
        };
        self.event(at, fact)
    }

    pub(super) fn queued(&self, at: TimestampMs, n: u128, by: Party, text: &str) -> Event {
        let fact = Fact::MessageQueued {
            message: self.message(n),
            by,
            content: Content::Text { body: text.into() },
            category: Category::Service,
            reply_to: None,
        };
        self.event(at, fact)
    }

    pub(super) fn status(&self, at: TimestampMs, n: u128, status: MessageStatus) -> Event {
        let fact = Fact::StatusChanged {
            message: self.message(n),
            status,
            at,
            provider_id: Some(ProviderId::new(format!("wamid.out{n}"))),
            category: Category::Service,
            template: false,
            pricing: None,
            errors: Vec::new(),
            queued_at: at,
        };
        self.event(at, fact)
    }
}

/// Facts of a lane behind a position.
pub(super) fn batch(lane: FactLane, after: u64, events: Vec<Event>) -> FactBatch {
    let through = FactPosition(after + events.len() as u64);
    let events = (after + 1..).zip(events).map(|(at, event)| (lane, FactPosition(at), event)).collect();
    FactBatch { lanes: vec![LaneStep { lane, after: FactPosition(after), through }], events }
}

/// Projects facts behind those that are there.
pub(super) async fn project(records: &impl Records, events: Vec<Event>) -> usize {
    let after = records.projected().await.unwrap().first().map_or(0, |(_, position)| position.0);
    records.project(batch(FactLane(0), after, events)).await.unwrap()
}
