//! Two tenants with a number each, a memory engine, and parts of webhooks.

use protocol::content::{Channel, Content};
use protocol::directory::{Contract, Number, NumberSecrets, Tenant, TenantSettings, UnknownSender};
use protocol::entry::{
    AccountNotice, Identity, IdentityChange, InboundMessage, ProviderStatus, StatusUpdate,
};
use protocol::id::{Bsuid, ConversationId, PhoneNumberId, ProviderId};
use protocol::outbound::OpaqueKey;
use protocol::phone::E164;
use protocol::shard::{HASH_VERSION, ShardCount};
use protocol::time::SpanMs;
use protocol::whatsapp::webhook::{Part, Payload};
use store::engine::{Commit, ConversationWrite, ManualClock, MemoryEngine, Position, StoreIdentity};

use super::super::*;

pub(super) const NOW: TimestampMs = TimestampMs(1_790_000_000_000);
pub(super) const TENANT_A: TenantId = TenantId(0xa);
pub(super) const TENANT_B: TenantId = TenantId(0xb);
pub(super) const NUMBER_A: NumberId = NumberId(0xaa);
/// Another one of the first tenant.
pub(super) const SECOND_A: NumberId = NumberId(0xaaa);
pub(super) const NUMBER_B: NumberId = NumberId(0xbb);
const SHARDS: u16 = 8;

fn number(tenant: TenantId, id: NumberId, phone: &str) -> Number {
    Number {
        id,
        tenant,
        nickname: "main".into(),
        channel: Channel::Whatsapp,
        phone: E164::parse(phone).unwrap(),
        enabled: true,
        phone_number_id: Some(PhoneNumberId::new(format!("pn{:x}", id.0))),
        waba_id: Some(WabaId::new(format!("waba{:x}", tenant.0))),
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

pub(super) fn directory() -> Directory {
    let mut directory = Directory::default();
    for (id, number) in [
        (TENANT_A, number(TENANT_A, NUMBER_A, "390612345678")),
        (TENANT_B, number(TENANT_B, NUMBER_B, "4930123456")),
    ] {
        directory.phone_numbers.insert(number.phone_number_id.clone().unwrap(), (id, number.id));
        directory.wabas.insert(number.waba_id.clone().unwrap(), id);
        let tenant = Tenant {
            id,
            name: format!("{id}").into(),
            language: "it".into(),
            time_zone: "UTC".into(),
            contract: Contract::default(),
            credits: None,
            settings: TenantSettings::default(),
        };
        let second = (id == TENANT_A).then(|| self::number(id, SECOND_A, "390612345679"));
        let tenant = domain::directory::TenantDirectory {
            tenant,
            numbers: [number].into_iter().chain(second).map(|number| (number.id, number)).collect(),
            users: Default::default(),
            groups: Default::default(),
            templates: Default::default(),
            flows: Default::default(),
            endpoints: Vec::new(),
            pauses: domain::directory::Pauses::default(),
            credit_rules: None,
            notices: Default::default(),
        };
        directory.tenants.insert(id, Arc::new(tenant));
    }
    directory
}

pub(super) fn opaque_key() -> OpaqueKey {
    OpaqueKey([7; 32])
}

pub(super) fn engine() -> Arc<MemoryEngine> {
    let shards = ShardCount::new(SHARDS).unwrap();
    let identity = StoreIdentity { shards, hash_version: HASH_VERSION, opaque_key: opaque_key() };
    Arc::new(MemoryEngine::new(identity, Arc::new(ManualClock::at(NOW))))
}

pub(super) fn ingress(engine: &Arc<MemoryEngine>) -> Ingress {
    let metrics = Arc::new(Metrics::new(&prometheus::Registry::new()).unwrap());
    Ingress::new(engine.clone(), Arc::new(ArcSwap::from_pointee(directory())), metrics)
}

fn arrival() -> Arrival {
    Arrival { received_at: NOW, traceparent: Some("00-trace".into()) }
}

pub(super) fn names(phone: Option<u64>, bsuid: Option<&str>) -> Names {
    Names {
        phone: phone.map(|digits| E164::parse(&digits.to_string()).unwrap()),
        bsuid: bsuid.map(Bsuid::new),
    }
}

fn identity(names: &Names) -> Identity {
    Identity { phone: names.phone, bsuid: names.bsuid.clone(), ..Identity::default() }
}

fn part(names: &Names, opaque: Option<String>, happening: Happening) -> Part {
    Part {
        waba: WabaId::new("wabaa"),
        phone_number_id: Some(PhoneNumberId::new("pnaa")),
        display_phone: None,
        payload: Payload::Conversation { names: names.clone(), opaque, happening: Box::new(happening) },
    }
}

pub(super) fn message(names: &Names) -> Part {
    let received = InboundMessage {
        provider_id: ProviderId::new("wamid.1"),
        sent_at: NOW,
        identity: identity(names),
        content: Content::Text { body: "TEST0001".into() },
        reply_to: None,
        forwarded: false,
        referral: None,
    };
    part(names, None, Happening::Received(received))
}

pub(super) fn status(names: &Names, opaque: Option<String>) -> Part {
    let update = StatusUpdate {
        provider_id: ProviderId::new("wamid.2"),
        message: None,
        status: ProviderStatus::Sent,
        at: NOW,
        pricing: None,
        errors: Vec::new(),
        identity: identity(names),
    };
    part(names, opaque, Happening::Status(update))
}

pub(super) fn renamed(old: &Names, new: &Names) -> Part {
    let change =
        IdentityChange { provider_id: ProviderId::new("wamid.3"), at: NOW, now: identity(new), text: None };
    part(old, None, Happening::IdentityChanged(change))
}

/// Everything in the log, shard by shard.
pub(super) async fn log(engine: &MemoryEngine) -> Vec<Entry> {
    let mut entries = Vec::new();
    for shard in engine.identity().shards.all() {
        let limit = usize::try_from(engine.stats().backlog_entries).unwrap();
        let read = engine.read(shard, Position::default(), limit);
        // `read` waits where there is nothing: whoever is ready is all there is.
        if let Some(Ok(found)) = futures_util::FutureExt::now_or_never(read) {
            for entry in found {
                let entry: Entry = codec::decode(&entry.bytes).unwrap();
                let home = match &entry.body {
                    EntryBody::Conversation { address, .. } => {
                        engine.identity().shards.shard_of(address.conversation)
                    }
                    EntryBody::Account(notice) => {
                        engine.identity().shards.shard_of_hash(waba_hash(&notice.waba))
                    }
                };
                assert_eq!(home, shard, "each entry stands in the log of its shard");
                entries.push(entry);
            }
        }
    }
    entries
}

pub(super) async fn accept(ingress: &Ingress, parts: Vec<Part>, scope: &[TenantId]) -> Accepted {
    ingress.accept(Webhook { parts }, scope, arrival()).await.unwrap()
}

/// Where each part goes, in order; each is a webhook of its own and differs from the others.
pub(super) async fn conversations(
    ingress: &Ingress,
    engine: &MemoryEngine,
    parts: Vec<Part>,
) -> Vec<ConversationId> {
    let mut conversations = Vec::new();
    for part in parts {
        let before = log(engine).await;
        accept(ingress, vec![part], &[TENANT_A]).await;
        let mut after = log(engine).await;
        after.retain(|entry| !before.contains(entry));
        let entry = after.pop().unwrap();
        match entry.body {
            EntryBody::Conversation { address, .. } => conversations.push(address.conversation),
            EntryBody::Account(notice) => panic!("{notice:?}"),
        }
    }
    conversations
}

/// Commits aliases as the shard of a conversation does.
pub(super) async fn commit(engine: &MemoryEngine, aliases: Vec<(AliasKey, ContactKey)>) {
    commit_all(engine, ShardId(0), (Vec::new(), aliases)).await;
}

/// Commits something about a conversation, which begins by that.
pub(super) async fn begin(engine: &MemoryEngine, conversation: ConversationId) {
    let (snapshot, timer_before, timer_after) = (Bytes::from_static(b"begun"), None, None);
    let write = ConversationWrite { conversation, snapshot, timer_before, timer_after };
    let shard = engine.identity().shards.shard_of(conversation);
    commit_all(engine, shard, (vec![write], Vec::new())).await;
}

async fn commit_all(
    engine: &MemoryEngine,
    shard: ShardId,
    (conversations, aliases): (Vec<ConversationWrite>, Vec<(AliasKey, ContactKey)>),
) {
    let lease = engine.acquire(shard, 1, SpanMs::minutes(1)).await.unwrap().unwrap();
    let commit = Commit {
        shard,
        token: lease.token,
        batch_id: lease.token.epoch.into(),
        expected_position: lease.position,
        new_position: lease.position,
        now: NOW,
        conversations,
        facts: Vec::new(),
        results: Vec::new(),
        seen: Vec::new(),
        aliases,
        forwards: Vec::new(),
        dead_letters: Vec::new(),
    };
    engine.commit(commit).await.unwrap();
}

pub(super) fn aliases(names: &Names, contact: &ContactKey) -> Vec<(AliasKey, ContactKey)> {
    crate::alias::alias_keys(NUMBER_A, &identity(names)).map(|key| (key, contact.clone())).collect()
}

pub(super) fn notices(entries: &[Entry]) -> Vec<AccountNotice> {
    let notice = |entry: &Entry| match &entry.body {
        EntryBody::Account(notice) => Some(notice.clone()),
        EntryBody::Conversation { .. } => None,
    };
    entries.iter().filter_map(notice).collect()
}
