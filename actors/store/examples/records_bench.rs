//! How fast facts are projected into the records, and how fast the inbox answers afterwards.
//!
//! `cargo run --release -p store --example records_bench -- [EVENTS] [CONVERSATIONS] [BATCH] [POSTGRES_URL]`
//!
//! Without an address it measures SQLite in a temporary folder; with one, the empty database that it names.

use std::time::Instant;

use protocol::command::Party;
use protocol::content::{Category, Channel, Content};
use protocol::entry::Identity;
use protocol::fact::{Event, Fact, MessageStatus, NotificationKind};
use protocol::id::{ConversationId, EventId, MessageId, NumberId, ProviderId, TenantId, UserId, derive};
use protocol::phone::{ContactKey, E164};
use protocol::shard::conversation_id;
use protocol::time::{SpanMs, TimestampMs};
use store::engine::{FactLane, FactPosition};
use store::records::*;

type Failure = Box<dyn std::error::Error>;

const TENANT: TenantId = TenantId(1);
const NUMBER: NumberId = NumberId(1);
const FIRST: [&str; 5] = ["Anna", "Bruno", "Фёдор", "José", "Łukasz"];
const LAST: [&str; 5] = ["Rossi", "Núñez", "Иванов", "Kowalski", "Verdi"];

/// The life of one inbound message and its answer: eight facts.
struct Life {
    person: u64,
    round: u64,
    at: TimestampMs,
}

impl Life {
    fn key(&self) -> Result<ContactKey, Failure> {
        Ok(ContactKey::Phone(E164::parse(&(393_000_000_000 + self.person).to_string())?))
    }

    fn event(&self, conversation: ConversationId, step: u64, fact: Fact) -> Event {
        let cause = [self.person, self.round, step].map(u64::to_le_bytes).concat();
        Event {
            id: EventId::derive(&[&cause]),
            at: self.at + SpanMs(step as i64),
            traceparent: None,
            tenant: Some(TENANT),
            conversation: Some(conversation),
            fact,
        }
    }

    fn message(&self, direction: &str) -> MessageId {
        MessageId(derive(direction, &[&self.person.to_le_bytes(), &self.round.to_le_bytes()]))
    }

    fn facts(&self) -> Result<Vec<Event>, Failure> {
        let key = self.key()?;
        let mut facts = Vec::with_capacity(10);
        if self.round == 0 {
            facts.push(Fact::ConversationStarted {
                number: NUMBER,
                channel: Channel::Whatsapp,
                contact: key.clone(),
                contact_id: key.contact_id(TENANT),
                by_contact: true,
            });
            let (first, last) = (self.person as usize % 5, self.person as usize / 5 % 5);
            let profile_name = Some(format!("{} {} {}", FIRST[first], LAST[last], self.person));
            facts.push(Fact::ContactIdentified(Identity { profile_name, ..Identity::default() }));
        }
        facts.push(self.received());
        facts.push(Fact::Notify {
            owner: None,
            about: NotificationKind::NewMessage,
            message: Some(self.message("in")),
        });
        facts.push(Fact::MessageQueued {
            message: self.message("out"),
            by: Party::User(UserId(u128::from(self.person % 20))),
            content: Content::Text { body: "Buongiorno, quando possiamo sentirci?".into() },
            category: Category::Service,
            reply_to: None,
        });
        for status in
            [MessageStatus::Claimed, MessageStatus::Sent, MessageStatus::Delivered, MessageStatus::Read]
        {
            facts.push(self.status(status));
        }
        let conversation = conversation_id(NUMBER, &key);
        Ok((0..).zip(facts).map(|(step, fact)| self.event(conversation, step, fact)).collect())
    }

    fn received(&self) -> Fact {
        Fact::MessageReceived {
            message: self.message("in"),
            provider_id: ProviderId::new(format!("wamid.HBgMMzkzMzMx{:x}", self.message("in").0)),
            sent_at: self.at,
            content: Content::Text {
                body: "Buongiorno, vorrei candidarmi per il posto di magazziniere.".into(),
            },
            reply_to: None,
            referral: None,
            window_expires_at: self.at + SpanMs::hours(24),
            blocked: false,
            for_inbox: true,
        }
    }

    fn status(&self, status: MessageStatus) -> Fact {
        Fact::StatusChanged {
            message: self.message("out"),
            status,
            at: self.at,
            provider_id: Some(ProviderId::new(format!("wamid.HBgMMzkzMzMx{:x}", self.message("out").0))),
            category: Category::Service,
            template: false,
            pricing: None,
            errors: Vec::new(),
            queued_at: self.at,
        }
    }
}

fn argument(place: usize, default: u64) -> Result<u64, Failure> {
    Ok(std::env::args().nth(place).map(|text| text.parse()).transpose()?.unwrap_or(default))
}

/// Facts as shards emit them: the lives of many people, in an order that jumps between them.
fn facts(events: u64, people: u64) -> Result<Vec<(FactLane, FactPosition, Event)>, Failure> {
    let mut facts = Vec::with_capacity(events as usize);
    for life in 0.. {
        let person = life * 7_919 % people;
        let at = TimestampMs(1_790_000_000_000 + life as i64);
        facts.extend(Life { person, round: life / people, at }.facts()?);
        if facts.len() as u64 >= events {
            break;
        }
    }
    // Statuses come later than their message: neighbours in time are mixed.
    let mut mixed: Vec<_> = facts
        .into_iter()
        .enumerate()
        .map(|(index, event)| (index / 9 * 9 + index % 9 * 2_000, index, event))
        .collect();
    mixed.sort_by_key(|(place, index, _)| (*place, *index));
    let events = mixed.into_iter().map(|(_, _, event)| event);
    Ok((1..).zip(events).map(|(at, event)| (FactLane(0), FactPosition(at), event)).collect())
}

async fn timed<T>(what: &str, call: impl Future<Output = RecordsResult<T>>) -> RecordsResult<T> {
    let begun = Instant::now();
    let answer = call.await?;
    println!("{what:<44} {:>9.2} ms", begun.elapsed().as_secs_f64() * 1_000.0);
    Ok(answer)
}

async fn queries(records: &impl Records) -> Result<(), Failure> {
    let page = || PageRequest::first(50);
    let inbox = timed("inbox, newest 50", records.conversations(TENANT, Filter::All(vec![]), page())).await?;
    let search = |text: &str| Filter::Search(text.into());
    timed("search `rossi ann`", records.conversations(TENANT, search("rossi ann"), page())).await?;
    timed("search `федор 1234`", records.conversations(TENANT, search("федор 1234"), page())).await?;
    timed("search by phone", records.conversations(TENANT, search("3930000"), page())).await?;
    timed(
        "unanswered and unread",
        records.conversations(TENANT, Filter::All(vec![Filter::Unanswered, Filter::Unread]), page()),
    )
    .await?;
    timed("unread counts", records.unread(TENANT, Filter::All(vec![]))).await?;
    if let Some(row) = inbox.data.first() {
        let order = Order::NewestFirst;
        let query = MessageQuery {
            tenant: TENANT,
            conversation: row.id,
            attachments_only: false,
            order,
            page: page(),
        };
        timed("messages of a conversation", records.messages(query)).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let (events, people, batch) = (argument(1, 500_000)?, argument(2, 50_000)?, argument(3, 512)?);
    let facts = facts(events, people)?;
    println!("{} facts of {people} conversations in batches of {batch}", facts.len());
    if let Some(url) = std::env::args().nth(4) {
        return measure(PostgresRecords::connect(&url).await?, facts, batch as usize).await;
    }
    let (folder, count) = (tempfile::tempdir()?, facts.len() as u64);
    measure(SqliteRecords::open(folder.path())?, facts, batch as usize).await?;
    let size: u64 = std::fs::read_dir(folder.path())?
        .map(|file| file.and_then(|file| file.metadata()).map_or(0, |data| data.len()))
        .sum();
    println!("{} bytes on disk per fact", size / count);
    Ok(())
}

async fn measure(
    records: impl Records,
    facts: Vec<(FactLane, FactPosition, Event)>,
    batch: usize,
) -> Result<(), Failure> {
    let (total, tenth) = (facts.len(), facts.len() / 10);
    let (begun, mut lap, mut done, mut reported) = (Instant::now(), Instant::now(), 0usize, 0usize);
    let mut facts = facts.into_iter();
    while done < total {
        let events: Vec<_> = facts.by_ref().take(batch).collect();
        let (after, through) = (FactPosition(done as u64), FactPosition((done + events.len()) as u64));
        let lanes = vec![LaneStep { lane: FactLane(0), after, through }];
        done += records.project(FactBatch { lanes, events }).await?;
        if done - reported >= tenth {
            let rate = (done - reported) as f64 / lap.elapsed().as_secs_f64();
            println!("{done:>10} projected, {rate:>8.0} per second");
            (lap, reported) = (Instant::now(), done);
        }
    }
    println!("all: {:.0} facts per second", total as f64 / begun.elapsed().as_secs_f64());
    timed("sync", records.sync()).await?;
    queries(&records).await?;
    timed("rebuild", records.rebuild()).await?;
    Ok(())
}
