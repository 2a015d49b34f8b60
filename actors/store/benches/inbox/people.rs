//! Who is in the inbox: what is common among them, what is rare, and what was common long ago.

use protocol::command::{Owner, Party, Vacancy};
use protocol::content::{Category, Channel, Content};
use protocol::entry::Identity;
use protocol::fact::{Event, Fact};
use protocol::id::{EventId, MessageId, NumberId, ProviderId, TenantId, UserId, derive};
use protocol::phone::{ContactKey, E164};
use protocol::shard::conversation_id;
use protocol::time::{SpanMs, TimestampMs};
use store::records::ContactCard;

use crate::Failure;

/// Whose inbox it is.
pub(crate) const TENANT: TenantId = TenantId(1);
/// Surnames; the given names turn eight times slower.
pub(crate) const LAST: [&str; 8] =
    ["Rossi", "Núñez", "Иванов", "Kowalski", "Verdi", "O'Neil", "Okafor", "Müller"];
/// Given names.
pub(crate) const FIRST: [&str; 8] = ["Anna", "Bruno", "Фёдор", "José", "Łukasz", "Chiara", "Ngozi", "Sinéad"];
/// Users who own and answer.
pub(crate) const USERS: u64 = 20;

const START: TimestampMs = TimestampMs(1_790_000_000_000);
/// Time between two conversations: a million of them are four months.
const STEP: SpanMs = SpanMs::seconds(10);
/// A prime: the times of people have nothing to do with the order in which they first wrote, as in an inbox where
/// people write again.
const SHUFFLE: u64 = 611_953;

/// One person's conversation, by its number among so many.
#[derive(Clone, Copy)]
pub(crate) struct Person {
    pub(crate) number: u64,
    pub(crate) of: u64,
}

impl Person {
    pub(crate) fn key(self) -> Result<ContactKey, Failure> {
        Ok(ContactKey::Phone(E164::parse(&(393_000_000_000 + self.number).to_string())?))
    }

    /// When the whole inbox has come.
    pub(crate) fn end(of: u64) -> TimestampMs {
        TimestampMs(START.0 + STEP.0 * of as i64)
    }

    fn place(self) -> u64 {
        self.number * SHUFFLE % self.of
    }

    fn at(self) -> TimestampMs {
        Self::end(self.place())
    }

    fn one_in(self, many: u64) -> bool {
        self.number % many == many / 2
    }

    fn user(self) -> UserId {
        UserId(u128::from(self.number % USERS))
    }

    pub(crate) fn events(self) -> Result<Vec<Event>, Failure> {
        let conversation = conversation_id(NumberId(1), &self.key()?);
        let event = |(step, fact): (u64, Fact)| Event {
            id: EventId(derive("bench", &[&self.number.to_le_bytes(), &step.to_le_bytes()])),
            at: self.at() + SpanMs(step as i64),
            traceparent: None,
            tenant: Some(TENANT),
            conversation: Some(conversation),
            fact,
        };
        let facts = self.begun()?.into_iter().chain(self.answered()).chain(self.about());
        Ok((0..).zip(facts).map(event).collect())
    }

    fn begun(self) -> Result<Vec<Fact>, Failure> {
        let key = self.key()?;
        let (first, last) = (FIRST[(self.number / 8 % 8) as usize], LAST[(self.number % 8) as usize]);
        let name = format!("{first} {last} {}", self.number / 64);
        Ok(vec![
            Fact::ConversationStarted {
                number: NumberId(if self.one_in(5_000) { 2 } else { 1 }),
                channel: Channel::Whatsapp,
                contact: key.clone(),
                contact_id: key.contact_id(TENANT),
                by_contact: true,
            },
            Fact::ContactIdentified(Identity { profile_name: Some(name), ..Identity::default() }),
            Fact::MessageReceived {
                message: self.message("in"),
                provider_id: ProviderId::new(format!("wamid.{}", self.number)),
                sent_at: self.at(),
                content: Content::Text { body: "Buongiorno, vorrei candidarmi.".into() },
                reply_to: None,
                referral: None,
                window_expires_at: self.at() + SpanMs::hours(24),
                blocked: false,
                for_inbox: true,
            },
        ])
    }

    /// Two of three are answered; one in ten thousand by somebody else.
    fn answered(self) -> Option<Fact> {
        (!self.number.is_multiple_of(3)).then(|| Fact::MessageQueued {
            message: self.message("out"),
            by: Party::User(if self.one_in(10_000) { UserId(99) } else { self.user() }),
            content: Content::Text { body: "Quando possiamo sentirci?".into() },
            category: Category::Service,
            reply_to: None,
        })
    }

    /// Half of them have an owner, every fifth is about a vacancy, and in the first tenth of the time most were about
    /// one that was filled since.
    fn about(self) -> Vec<Fact> {
        let by = Party::User(self.user());
        let old = self.place() < self.of / 10;
        let mut facts = Vec::new();
        if self.number.is_multiple_of(2) {
            facts.push(Fact::OwnerChanged { owner: Some(Owner::User(self.user())), by: Party::Gateway });
        }
        if self.number.is_multiple_of(5) || old {
            let id = match () {
                () if self.one_in(10_000) => "rare".to_owned(),
                () if old => "old".to_owned(),
                () => format!("vac-{}", self.number % 7),
            };
            let vacancy = Some(Vacancy { id: id.into(), title: "Magazziniere".into() });
            facts.push(Fact::VacancyChanged { vacancy, by });
        }
        if self.one_in(20_000) {
            facts.push(Fact::LeftChanged { left: true, by });
            facts.push(Fact::BlockChanged { blocked: self.one_in(40_000), by });
        }
        if self.one_in(3) && !self.number.is_multiple_of(2) {
            facts.push(Fact::ConversationRead { by });
        }
        facts
    }

    fn message(self, direction: &str) -> MessageId {
        MessageId::derive_at(self.at(), &[direction.as_bytes(), &self.number.to_le_bytes()])
    }

    /// Every fiftieth has a card: a common stage, or a rare one.
    pub(crate) fn card(self) -> Result<Option<ContactCard>, Failure> {
        let stage = if self.one_in(20_000) { "hired" } else { "screening" };
        Ok(match self.number % 50 {
            0 => Some(ContactCard {
                key: Some(self.key()?),
                stage: Some(stage.into()),
                ..ContactCard::default()
            }),
            _ => None,
        })
    }
}
