//! What becomes of one POST: accepted, refused, provably not sent, or in doubt. Never two.

use std::path::Path;

use gateway::apply;
use gateway::provider::whatsapp::WhatsApp;
use load_tests::simulator::{self, Account, Fault, FaultKind, Options, Secret, WindowRule};
use protocol::content::Content;
use protocol::directory::Number;
use protocol::entry::Identity;
use protocol::outbound::Outcome;
use protocol::phone::E164;
use runtime::{OutboundMessage, Provider as _};

use crate::harness::{ACCESS_TOKEN, TENANT, settings};

fn number(base_url: &str) -> Number {
    let text = TENANT.replace("{provider}", base_url);
    apply::parse(Path::new("tenant.yaml"), &text).unwrap().numbers.remove(0)
}

fn message() -> OutboundMessage {
    let phone = Some(E164::parse("+393334000001").unwrap());
    OutboundMessage {
        to: Identity { phone, ..Identity::default() },
        content: Content::Text { body: "ciao".to_owned() },
        reply_to: None,
        opaque: "v1.test".to_owned(),
        traceparent: None,
    }
}

fn adapter() -> WhatsApp {
    let folder = tempfile::tempdir().unwrap();
    WhatsApp::new(&settings(folder.path()).outbound).unwrap()
}

fn provider() -> simulator::Handle {
    let account = Account { access_token: Secret(ACCESS_TOKEN.into()), ..Account::default() };
    let provider = simulator::start(Options { accounts: vec![account], ..Options::default() }).unwrap();
    provider.adjust(|behaviour| behaviour.window = WindowRule::Ignored);
    provider
}

#[actix_web::test]
async fn an_accepted_message_carries_our_opaque_id_and_gets_the_provider_s() {
    let provider = provider();
    let outcome = adapter().send(&number(&provider.base_url), message()).await;
    let ledger = provider.ledger();
    assert_eq!(ledger.len(), 1);
    assert_eq!(ledger[0].opaque_id.as_deref(), Some("v1.test"));
    assert!(
        matches!(&outcome, Outcome::Accepted { provider_id, .. } if provider_id.as_str() == ledger[0].wamid),
        "{outcome:?}"
    );
}

#[actix_web::test]
async fn p5_a_lost_answer_is_in_doubt_and_the_post_is_not_repeated() {
    let provider = provider();
    provider.set_faults(vec![Fault::always(FaultKind::AcceptThenReset)]);
    let adapter = adapter();
    // The second one goes out over a connection that was used before: the client must not repeat it either.
    for sent in 1..=2 {
        let outcome = adapter.send(&number(&provider.base_url), message()).await;
        assert!(matches!(outcome, Outcome::InDoubt { .. }), "{outcome:?}");
        assert_eq!(provider.ledger().len(), sent);
    }
}

#[actix_web::test]
async fn refusals_keep_the_provider_s_code() {
    let provider = provider();
    provider.set_faults(vec![Fault::always(FaultKind::Error(130_429))]);
    let outcome = adapter().send(&number(&provider.base_url), message()).await;
    assert!(matches!(&outcome, Outcome::Rejected { error, .. } if error.code == 130_429), "{outcome:?}");
    let mut stranger = number(&provider.base_url);
    stranger.secrets.access_token = Some("wrong".to_owned());
    let outcome = adapter().send(&stranger, message()).await;
    assert!(matches!(&outcome, Outcome::Rejected { error, .. } if error.code == 190), "{outcome:?}");
}

#[actix_web::test]
async fn what_never_left_is_said_to_be_not_sent() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let provider = provider();
    let no_tls = provider.base_url.replace("http:", "https:");
    for nowhere in [closed, no_tls] {
        let outcome = adapter().send(&number(&nowhere), message()).await;
        assert!(matches!(outcome, Outcome::NotSent { .. }), "{nowhere}: {outcome:?}");
    }
    assert!(provider.ledger().is_empty());
}

#[actix_web::test]
async fn what_has_no_form_at_the_provider_is_refused_without_a_request() {
    let provider = provider();
    let unsendable = OutboundMessage { content: Content::CallPermission { accepted: true }, ..message() };
    let outcome = adapter().send(&number(&provider.base_url), unsendable).await;
    assert!(matches!(outcome, Outcome::Rejected { .. }), "{outcome:?}");
    assert!(provider.ledger().is_empty() && provider.stats().refused.is_empty());
}
