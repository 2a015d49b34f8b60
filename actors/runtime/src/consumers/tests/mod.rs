//! Consumers step by step, on real records and the memory engine; then all of them together.

mod credits;
mod endpoints;
mod files;
mod ledger;
mod mail;
mod notices;
mod push;
mod server;
mod templates;
mod together;

use std::sync::Arc;

use arc_swap::ArcSwap;
use domain::directory::{Directory, DirectoryDocuments};
use jiff::civil::date;
use protocol::codec;
use protocol::command::Owner;
use protocol::content::{Category, Channel};
use protocol::directory::{
    Contract, Group, Number, NumberSecrets, Rate, RateCard, Tenant, TenantSettings, UnknownSender, User,
    WebhookEndpoint,
};
use protocol::fact::{Event, Fact, MessageStatus, NotificationKind};
use protocol::id::{ContactId, ConversationId, EventId, GroupId, MessageId, NumberId, TenantId, UserId};
use protocol::outbound::OpaqueKey;
use protocol::phone::{ContactKey, E164};
use protocol::pricing::Currency;
use protocol::shard::{HASH_VERSION, ShardCount, ShardId};
use protocol::time::{SpanMs, TimestampMs};
use store::engine::memory::MemoryEngine;
use store::engine::{Commit, Engine, Lease, ManualClock, StoreIdentity};
use store::records::{DocumentKind, DocumentWrite, Documents as _, Expect, SqliteRecords};
use tempfile::TempDir;

use super::projector::Projector;
use super::*;
use crate::limits::PROJECT_FACTS;

const ACME: TenantId = TenantId(1);
const OTHER: TenantId = TenantId(2);
const MAIN: NumberId = NumberId(7);
const CHAT: ConversationId = ConversationId(1);
/// Noon of a day under the newest policy.
const NOON: TimestampMs = TimestampMs(1_794_398_400_000);

fn anna() -> UserId {
    UserId(1)
}

fn ivo() -> UserId {
    UserId(2)
}

/// A user of another tenant.
fn stranger() -> UserId {
    UserId(3)
}

/// Everything that consumers need, on a disk of its own.
struct World {
    clock: ManualClock,
    engine: Arc<MemoryEngine>,
    records: Arc<SqliteRecords>,
    shared: Shared,
    templates: Arc<templates::Scripted>,
    provider: Arc<files::Shelves>,
    lease: Lease,
    batches: u128,
    _folder: TempDir,
}

fn tenant(id: TenantId, name: &str) -> Tenant {
    Tenant {
        id,
        name: name.into(),
        language: "it".into(),
        time_zone: "Europe/Rome".into(),
        contract: Contract::Conversation,
        credits: None,
        settings: TenantSettings::default(),
    }
}

fn user(id: UserId, tenant: TenantId, role: &str) -> User {
    User { id, tenant, name: String::new(), email: format!("{id}@example.com"), role: role.into() }
}

fn number() -> Number {
    Number {
        id: MAIN,
        tenant: ACME,
        nickname: "main".into(),
        channel: Channel::Whatsapp,
        phone: E164::parse("+15550783881").unwrap(),
        enabled: true,
        phone_number_id: Some(protocol::id::PhoneNumberId::new("106540352242922")),
        waba_id: Some(protocol::id::WabaId::new("102290129340398")),
        account_sid: None,
        secrets: NumberSecrets::default(),
        base_url: None,
        api_version: "v24.0".into(),
        public_url: None,
        throughput_per_second: 80,
        unknown_sender: UnknownSender::default(),
        introduced: true,
    }
}

fn rate_card() -> RateCard {
    let price = |text: &str| text.parse().unwrap();
    let rate = Rate {
        market: "IT".into(),
        marketing: price("0.0572"),
        utility: price("0.0248"),
        authentication: price("0.0248"),
        service: price("0.0248"),
    };
    RateCard {
        name: "meta-2026-10".into(),
        currency: Currency("EUR".into()),
        effective_from: date(2026, 10, 1),
        rows: vec![rate],
    }
}

fn documents(endpoints: Vec<WebhookEndpoint>) -> DirectoryDocuments {
    let group =
        Group { id: GroupId(1), tenant: ACME, name: "all".into(), members: vec![anna(), ivo(), stranger()] };
    DirectoryDocuments {
        tenants: vec![tenant(ACME, "acme"), tenant(OTHER, "other")],
        numbers: vec![number()],
        users: vec![
            user(anna(), ACME, "recruiter"),
            user(ivo(), ACME, "admin"),
            user(stranger(), OTHER, "admin"),
        ],
        groups: vec![group],
        endpoints,
        rate_cards: vec![rate_card()],
        ..DirectoryDocuments::default()
    }
}

impl World {
    async fn new() -> Self {
        Self::with(Vec::new()).await
    }

    async fn with(endpoints: Vec<WebhookEndpoint>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(NOON);
        let identity = StoreIdentity {
            shards: ShardCount::new(1).unwrap(),
            hash_version: HASH_VERSION,
            opaque_key: OpaqueKey([7; 32]),
        };
        let engine = Arc::new(MemoryEngine::new(identity, Arc::new(clock.clone())));
        let records = Arc::new(SqliteRecords::open(folder.path()).unwrap());
        for endpoint in &endpoints {
            let body = Some(serde_json::to_value(endpoint).unwrap());
            let (kind, id) = (DocumentKind::Endpoint, endpoint.id.to_string().into());
            let write = DocumentWrite { kind, tenant: Some(endpoint.tenant), id, expect: Expect::Any, body };
            let change = store::records::Change { by: protocol::command::Party::Gateway, at: NOON };
            records.write_documents(change, vec![write]).await.unwrap();
        }
        let templates = Arc::new(templates::Scripted::default());
        let provider = Arc::new(files::Shelves::default());
        let shared = Shared::new(ConsumersOptions {
            engine: engine.clone(),
            records: records.clone(),
            directory: Arc::new(ArcSwap::from_pointee(Directory::build(documents(endpoints)))),
            templates: templates.clone(),
            files: files::work(folder.path(), &records, &provider),
            endpoints: EndpointSettings { allow_private_addresses: true, ..EndpointSettings::default() },
            away: AwaySettings::default(),
            leads: tokio::sync::watch::channel(true).1,
            metrics: Arc::new(Metrics::new(&prometheus::Registry::new()).unwrap()),
        });
        let lease = engine.acquire(ShardId(0), 1, SpanMs::hours(1)).await.unwrap().unwrap();
        Self { clock, engine, records, shared, templates, provider, lease, batches: 0, _folder: folder }
    }

    /// Commits facts of one conversation, as its shard would.
    async fn commit(&mut self, conversation: ConversationId, facts: Vec<Fact>) {
        self.batches += 1;
        let event = |(index, fact): (usize, Fact)| Event {
            id: EventId(self.batches << 64 | index as u128),
            at: NOON,
            traceparent: None,
            tenant: Some(ACME),
            conversation: Some(conversation),
            fact,
        };
        let facts =
            facts.into_iter().enumerate().map(event).map(|event| codec::encode(&event).unwrap()).collect();
        self.commit_bytes(facts).await;
    }

    async fn commit_bytes(&mut self, facts: Vec<bytes::Bytes>) {
        self.batches += 1;
        let commit = Commit {
            shard: ShardId(0),
            token: self.lease.token,
            batch_id: self.batches,
            expected_position: self.lease.position,
            new_position: self.lease.position,
            now: NOON,
            conversations: Vec::new(),
            facts,
            results: Vec::new(),
            seen: Vec::new(),
            aliases: Vec::new(),
            forwards: Vec::new(),
            dead_letters: Vec::new(),
        };
        self.engine.commit(commit).await.unwrap();
    }

    /// Projects everything that was committed.
    async fn project(&self) -> usize {
        let mut projector = Projector::new(self.shared.clone()).await.unwrap();
        let facts = self.engine.facts_any(&projector.reached(), PROJECT_FACTS).await.unwrap();
        projector.project(facts).await.unwrap()
    }
}

fn started() -> Fact {
    Fact::ConversationStarted {
        number: MAIN,
        channel: Channel::Whatsapp,
        contact: ContactKey::Phone(E164::parse("+393331234567").unwrap()),
        contact_id: ContactId(1),
        by_contact: true,
    }
}

fn status(message: u128, status: MessageStatus) -> Fact {
    Fact::StatusChanged {
        message: MessageId(message),
        status,
        at: NOON,
        provider_id: None,
        category: Category::Utility,
        template: true,
        pricing: None,
        errors: Vec::new(),
        queued_at: NOON,
    }
}

fn notify(owner: Option<Owner>) -> Fact {
    Fact::Notify { owner, about: NotificationKind::NewMessage, message: Some(MessageId(1)) }
}
