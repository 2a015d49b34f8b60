//! `gateway demo`: a provider, a gateway and a few candidates in one process.

mod story;

use std::path::Path;

use load_tests::simulator::{self, Account, Number, Options, Secret, Template};
use protocol::id::NumberId;

use crate::apply::{self, ApplyError};
use crate::server::{Server, ServerOptions, StartError};

pub use self::story::Story;

/// Key of the sample tenant. Fixed, so that what the README shows can be pasted; the demo listens on the loopback.
pub const KEY: &str = "key_demo_0123456789abcdef0123456789abcdef";
const TENANT: &str = include_str!("tenant.yaml");
const NUMBERS: [(&str, &str); 2] = [("106540352242922", "15550783881"), ("106540352242923", "15550783882")];

/// Why the demo did not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The simulated provider did not start.
    #[error("the provider simulator cannot start")]
    Simulator(#[from] simulator::Error),
    /// The gateway did not start.
    #[error(transparent)]
    Server(#[from] StartError),
    /// The sample tenant has mistakes, which a test excludes.
    #[error(transparent)]
    Tenant(#[from] ApplyError),
}

/// A running demo.
pub struct Demo {
    /// The gateway.
    pub server: Server,
    /// Its provider.
    pub provider: simulator::Handle,
    /// The tenant's numbers; the first one talks with the candidates.
    pub numbers: Vec<NumberId>,
}

impl Demo {
    /// Starts provider and gateway; an apply file in the options is replaced by the sample tenant.
    ///
    /// # Errors
    /// See [`DemoError`].
    pub async fn start(mut options: ServerOptions) -> Result<Self, DemoError> {
        let provider = simulator::start(provider_options())?;
        let (public, _) = options.listeners.addresses().map_err(StartError::Serve)?;
        provider.set_callback(&format!("http://{public}/webhooks/whatsapp"));
        let text = TENANT.replace("{provider}", &provider.base_url).replace("{key}", KEY);
        let tenant = apply::parse(Path::new("tenant.yaml"), &text)?;
        let numbers = tenant.numbers.iter().map(|number| number.id).collect();
        options.apply = Some(tenant);
        Ok(Self { server: Server::start(options).await?, provider, numbers })
    }
}

/// The provider that the sample tenant expects.
fn provider_options() -> Options {
    let number = |(id, digits): (&str, &str)| Number {
        phone_number_id: id.to_owned(),
        display_phone_number: digits.to_owned(),
        ..Number::default()
    };
    let marketing = Template {
        category: "MARKETING".to_owned(),
        ..Template::approved("new_jobs", "it", "Ciao {{1}}, abbiamo nuove offerte per te.")
    };
    let invite =
        Template::approved("interview_invite", "it", "Ciao {{1}}, ti aspettiamo per un colloquio il {{2}}.");
    let account = Account {
        app_secret: Secret("demo-app-secret".to_owned()),
        access_token: Secret("demo-access-token".to_owned()),
        numbers: NUMBERS.map(number).to_vec(),
        templates: vec![invite, marketing],
        ..Account::default()
    };
    Options { accounts: vec![account], ..Options::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_tenant_is_sound() {
        let text = TENANT.replace("{provider}", "http://127.0.0.1:1").replace("{key}", KEY);
        let resolved = apply::parse(Path::new("tenant.yaml"), &text).unwrap();
        assert_eq!(resolved.flows.len(), 2);
    }
}
