//! Webhook bodies in, conversations and POSTs out.

use protocol::fact::{Fact, MessageStatus};
use protocol::id::{Bsuid, ConversationId};
use protocol::outbound::OpaqueId;
use protocol::phone::{ContactKey, E164};
use protocol::shard::conversation_id;
use protocol::whatsapp::webhook::{Names, decode};
use runtime::NodeHandle;
use runtime::ingress::Arrival;

use crate::world::{NUMBER, TENANT, World, memory, run};

const PHONE: &str = "393331234567";
const BSUID: &str = "IT.13491208655302741918";

/// A webhook for the test number with one element of a list.
fn webhook(list: &str, element: &str) -> String {
    format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"700","changes":[{{"field":"messages","value":{{
            "messaging_product":"whatsapp","metadata":{{"display_phone_number":"15550783881","phone_number_id":"100010"}},
            "{list}":[{element}]}}}}]}}]}}"#
    )
}

fn message(world_now: i64, id: &str, names: &str) -> String {
    let seconds = world_now / 1_000;
    let element =
        format!(r#"{{"id":"{id}",{names},"timestamp":"{seconds}","type":"text","text":{{"body":"hello"}}}}"#);
    webhook("messages", &element)
}

async fn comes(world: &World, node: &NodeHandle, body: &str) {
    let arrival = Arrival { received_at: world.now().await, traceparent: None };
    let accepted = node.ingress().accept(decode(body.as_bytes()).unwrap(), &[TENANT], arrival).await.unwrap();
    assert_eq!((accepted.total(), accepted.unknown), (1, 0));
    world.rest(1).await;
}

async fn received(world: &World, conversation: ConversationId) -> usize {
    let facts = world.facts(conversation).await;
    facts.iter().filter(|fact| matches!(fact, Fact::MessageReceived { .. })).count()
}

#[test]
fn p5_a_status_finds_its_message_by_the_opaque_id_alone() {
    run(async {
        let world = World::new(memory());
        let node = world.start();
        let now = world.now().await.0;
        comes(&world, &node, &message(now, "wamid.1", &format!(r#""from":"{PHONE}""#))).await;
        let posted = world.provider.ledger().remove(0);
        let id = OpaqueId { conversation: posted.conversation, message: posted.message };
        let opaque = id.seal(NUMBER, &world.engine.identity().opaque_key);
        let (wamid, seconds) = (posted.provider_id.as_str(), now / 1_000);
        let status = format!(
            r#"{{"id":"{wamid}","status":"read","timestamp":"{seconds}","biz_opaque_callback_data":"{opaque}"}}"#
        );
        comes(&world, &node, &webhook("statuses", &status)).await;
        let read = |fact: &Fact| matches!(fact, Fact::StatusChanged { status: MessageStatus::Read, .. });
        assert!(world.facts(posted.conversation).await.iter().any(read));
    });
}

#[test]
fn f6_one_person_stays_one_conversation_whatever_name_comes_and_wherever() {
    run(async {
        let world = World::new(memory());
        let names = [
            format!(r#""from_user_id":"{BSUID}""#),
            format!(r#""from":"{PHONE}","from_user_id":"{BSUID}""#),
            format!(r#""from":"{PHONE}""#),
        ];
        for (turn, names) in names.iter().enumerate() {
            // Another node each time: what the one before learned is known from its commits alone.
            let node = world.start();
            world.rest(1).await;
            let now = world.now().await;
            comes(&world, &node, &message(now.0, &format!("wamid.{turn}"), names)).await;
            node.shutdown().await;
        }
        let contact = ContactKey::Bsuid(Bsuid::new(BSUID));
        assert_eq!(received(&world, conversation_id(NUMBER, &contact)).await, 3);
        let node = world.start();
        let phone = Names { phone: E164::parse(PHONE).ok(), bsuid: None };
        let address = node.ingress().address((TENANT, NUMBER), &phone, world.now().await).await.unwrap();
        assert_eq!(address.unwrap().contact, contact, "commands by phone number go there as well");
    });
}

#[test]
fn f6_a_node_learns_names_from_its_own_commits() {
    run(async {
        let world = World::new(memory());
        let node = world.start();
        let now = world.now().await;
        let by_phone = Names { phone: E164::parse("393339999999").ok(), bsuid: None };
        let own = node.ingress().address((TENANT, NUMBER), &by_phone, now).await.unwrap().unwrap();
        assert_eq!(own.contact, ContactKey::Phone(by_phone.phone.unwrap()), "nobody goes by this name yet");
        comes(&world, &node, &message(now.0, "wamid.1", &format!(r#""from":"{PHONE}""#))).await;
        let system = format!(
            r#"{{"id":"wamid.2","from":"{PHONE}","timestamp":"{}","type":"system",
                "system":{{"type":"user_changed_number","body":"changed","wa_id":"393339999999"}}}}"#,
            now.0 / 1_000
        );
        comes(&world, &node, &webhook("messages", &system)).await;
        let now = world.now().await;
        let moved = node.ingress().address((TENANT, NUMBER), &by_phone, now).await.unwrap().unwrap();
        assert_eq!(moved.contact, ContactKey::Phone(E164::parse(PHONE).unwrap()));
    });
}
