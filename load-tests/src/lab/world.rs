//! Tenants, numbers and contacts of a profile.

use crate::client::inbound::Receiver;
use crate::process::api_key;
use crate::simulator::{Account, Number, Options, Secret, WindowRule};

use super::profile::Profile;

/// The provider that a profile asks for: an account for each tenant. Load does not come through it, so it knows no
/// windows.
pub(super) fn provider(profile: &Profile) -> Options {
    let number = |tenant: usize, index: usize| {
        let nth = tenant * profile.people.numbers + index;
        Number {
            phone_number_id: format!("1065403522{nth:05}"),
            display_phone_number: format!("155507{nth:05}"),
            throughput_per_second: profile.provider.throughput_per_second,
        }
    };
    let account = |tenant: usize| Account {
        waba_id: format!("1022901293{tenant:05}"),
        app_secret: Secret(format!("app-secret-of-tenant-{tenant}")),
        access_token: Secret(format!("access-token-of-tenant-{tenant}")),
        numbers: (0..profile.people.numbers).map(|index| number(tenant, index)).collect(),
        ..Account::default()
    };
    let mut options =
        Options { accounts: (0..profile.people.tenants).map(account).collect(), ..Options::default() };
    let behaviour = &mut options.behaviour;
    behaviour.window = WindowRule::Ignored;
    behaviour.latency = profile.provider.latency.clone();
    behaviour.statuses.enabled = false;
    options
}

/// A business number as the load meets it.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) receiver: Receiver,
    pub(super) app_secret: String,
    pub(super) api_key: String,
    /// The gateway's own id of the number; calls name it.
    pub(super) number_id: String,
}

/// All numbers, those of one tenant beside each other.
pub(super) fn desks(options: &Options) -> Vec<Desk> {
    let of_account = |(tenant, account): (usize, &Account)| {
        let desk = |number: &Number| Desk {
            receiver: Receiver {
                waba_id: account.waba_id.clone(),
                phone_number_id: number.phone_number_id.clone(),
                display_phone_number: number.display_phone_number.clone(),
            },
            app_secret: account.app_secret.0.clone(),
            api_key: api_key(tenant),
            number_id: String::new(),
        };
        account.numbers.iter().map(desk).collect::<Vec<_>>()
    };
    options.accounts.iter().enumerate().flat_map(of_account).collect()
}

/// The digits of a contact: nobody writes to two numbers.
pub(super) fn phone(desk: usize, contact: u32) -> String {
    format!("39{desk:02}{contact:08}")
}
