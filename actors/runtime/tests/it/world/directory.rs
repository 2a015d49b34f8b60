//! One tenant with two numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::directory::{Directory, TenantDirectory};
use protocol::content::Channel;
use protocol::directory::{Contract, Number, NumberSecrets, Tenant, TenantSettings, UnknownSender};
use protocol::id::{NumberId, PhoneNumberId, TenantId};
use protocol::phone::E164;

/// The tenant.
pub(crate) const TENANT: TenantId = TenantId(1);
/// Its number.
pub(crate) const NUMBER: NumberId = NumberId(10);
/// Its other number.
pub(crate) const SIBLING: NumberId = NumberId(11);

fn number(id: NumberId, phone: &str) -> Number {
    Number {
        id,
        tenant: TENANT,
        nickname: format!("number {}", id.0).into(),
        channel: Channel::Whatsapp,
        phone: E164::parse(phone).unwrap(),
        enabled: true,
        phone_number_id: Some(PhoneNumberId::new(format!("1000{}", id.0))),
        waba_id: None,
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

/// What the tenant configured.
pub(crate) fn directory() -> Directory {
    let tenant = Tenant {
        id: TENANT,
        name: "acme".into(),
        language: "en".into(),
        time_zone: "Europe/Rome".into(),
        contract: Contract::PerMessage,
        credits: None,
        settings: TenantSettings::default(),
    };
    let numbers = [number(NUMBER, "+15550783881"), number(SIBLING, "+15550783882")];
    let phone_numbers =
        numbers.iter().map(|number| (number.phone_number_id.clone().unwrap(), (TENANT, number.id))).collect();
    let tenant = TenantDirectory {
        tenant,
        numbers: numbers.into_iter().map(|number| (number.id, number)).collect(),
        users: BTreeMap::new(),
        groups: BTreeMap::new(),
        templates: BTreeMap::new(),
        flows: BTreeMap::new(),
        endpoints: Vec::new(),
        pauses: domain::directory::Pauses::default(),
        credit_rules: None,
        notices: BTreeMap::new(),
    };
    Directory { tenants: BTreeMap::from([(TENANT, Arc::new(tenant))]), phone_numbers, ..Directory::default() }
}
