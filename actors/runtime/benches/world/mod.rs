//! One tenant with one number, and people who write to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::directory::{Directory, TenantDirectory};
use protocol::codec;
use protocol::content::{Channel, Content};
use protocol::directory::{Contract, Number, NumberSecrets, Tenant, TenantSettings, UnknownSender};
use protocol::entry::{Address, Entry, EntryBody, Happening, Identity, InboundMessage};
use protocol::id::{NumberId, PhoneNumberId, ProviderId, TenantId};
use protocol::outbound::Outcome;
use protocol::phone::{ContactKey, E164};
use protocol::shard::conversation_id;
use protocol::time::TimestampMs;
use runtime::{OutboundMessage, Provider};

pub(crate) const TENANT: TenantId = TenantId(1);
pub(crate) const NUMBER: NumberId = NumberId(10);

pub(crate) fn directory(throughput_per_second: u32) -> Directory {
    let tenant = Tenant {
        id: TENANT,
        name: "bench".into(),
        language: "en".into(),
        time_zone: "UTC".into(),
        contract: Contract::PerMessage,
        credits: None,
        settings: TenantSettings::default(),
    };
    let number = Number {
        id: NUMBER,
        tenant: TENANT,
        nickname: "bench".into(),
        channel: Channel::Whatsapp,
        phone: E164::parse("+15550783881").unwrap(),
        enabled: true,
        phone_number_id: Some(PhoneNumberId::new("1")),
        waba_id: None,
        account_sid: None,
        secrets: NumberSecrets::default(),
        base_url: None,
        api_version: "v24.0".into(),
        public_url: None,
        throughput_per_second,
        unknown_sender: UnknownSender::default(),
        introduced: true,
    };
    let tenant = TenantDirectory {
        tenant,
        numbers: BTreeMap::from([(NUMBER, number)]),
        users: BTreeMap::new(),
        groups: BTreeMap::new(),
        templates: BTreeMap::new(),
        flows: BTreeMap::new(),
        endpoints: Vec::new(),
        pauses: domain::directory::Pauses::default(),
        credit_rules: None,
        notices: BTreeMap::new(),
    };
    Directory { tenants: BTreeMap::from([(TENANT, Arc::new(tenant))]), ..Directory::default() }
}

pub(crate) fn address(contact: u64) -> Address {
    let contact = ContactKey::Phone(E164::parse(&format!("+39{:010}", 3_330_000_000 + contact)).unwrap());
    Address { tenant: TENANT, number: NUMBER, conversation: conversation_id(NUMBER, &contact), contact }
}

/// The log entry of a message.
pub(crate) fn received(address: Address, now: TimestampMs, id: &str, words: &str) -> Bytes {
    let input = Happening::Received(InboundMessage {
        provider_id: ProviderId::new(id),
        sent_at: now,
        identity: Identity { phone: address.contact.phone(), ..Identity::default() },
        content: Content::Text { body: words.to_owned() },
        reply_to: None,
        forwarded: false,
        referral: None,
    });
    let body = EntryBody::Conversation { address, input: Box::new(input) };
    codec::encode(&Entry { received_at: now, traceparent: None, body }).unwrap()
}

/// A provider that takes everything at once.
pub(crate) struct Nowhere;

#[async_trait]
impl Provider for Nowhere {
    async fn send(&self, _: &Number, message: OutboundMessage) -> Outcome {
        Outcome::Accepted { provider_id: ProviderId::new(&message.opaque[..40]), recipient: None }
    }

    async fn show_typing(&self, _: &Number, _: &ProviderId) {}
}
