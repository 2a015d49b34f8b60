use protocol::id::EndpointId;

use super::server::Server;
use super::*;
use crate::consumers::cards::Cards;
use crate::consumers::endpoints::router::Router;
use crate::consumers::follow::Handler;
use crate::consumers::meter::Meter;
use crate::consumers::notifier::Notifier;
use crate::consumers::templates::notices::Templates;
use crate::metrics::Label as _;

#[actix::test]
async fn committed_facts_reach_streams_ledger_and_endpoints_by_themselves() {
    let mut server = Server::start(Some("200 OK")).await;
    let endpoint = WebhookEndpoint {
        id: EndpointId(1),
        tenant: ACME,
        url: server.url(),
        events: vec!["message.*".into()],
        secrets: Vec::new(),
        enabled: true,
    };
    let mut world = World::with(vec![endpoint]).await;
    let consumers = Consumers::start(world.shared.options.clone());
    let mut stream = consumers.notifications(ACME, anna());
    let facts = vec![started(), status(1, MessageStatus::Delivered), notify(Some(Owner::User(anna())))];
    world.commit(CHAT, facts).await;
    assert!(matches!(stream.next().await, Some(Told::New(_))));
    let request = server.received.recv().await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["type"], "message.status_changed");

    consumers.shutdown().await;
    let views = consumers.views();
    assert_eq!(views.len(), 12);
    for view in views {
        assert_eq!((view.restarts, view.last_exit), (0, Some(Exit::Stopped)), "{}", view.name);
    }
}

#[test]
fn followers_are_labelled_with_the_names_of_their_cursors() {
    fn label<H: Handler>() {
        assert_eq!(H::KIND.values(), [H::NAME]);
    }
    label::<Meter>();
    label::<Notifier>();
    label::<Templates>();
    label::<Cards>();
    label::<Router>();
}

#[actix::test]
async fn a_consumer_that_fails_starts_again_and_says_why() {
    let mut world = World::new().await;
    let consumers = Consumers::start(world.shared.options.clone());
    let mut stream = consumers.notifications(ACME, anna());
    world.commit(CHAT, vec![started(), notify(Some(Owner::User(anna())))]).await;
    stream.next().await.unwrap();
    // Somebody else moves the cursor: the notifier's next step is refused, and it reads the cursor again.
    let to = EventSeq(1);
    let back = store::records::Advance { consumer: "notifier", from: EventSeq(2), to };
    store::records::Events::advance(&*world.records, back).await.unwrap();
    world.commit(CHAT, vec![notify(Some(Owner::User(anna())))]).await;
    let mut newest = EventSeq(0);
    while newest < EventSeq(3) {
        if let Some(Told::New(record)) = stream.next().await {
            newest = newest.max(record.seq);
        }
    }
    let view = consumers.views().into_iter().find(|view| view.name == "notifier").unwrap();
    assert_eq!(view.restarts, 1);
    assert!(matches!(view.last_exit, Some(Exit::Failed(_))));
    consumers.shutdown().await;
}

#[actix::test]
async fn consumers_run_where_the_turn_is_and_streams_hear_everywhere() {
    let mut world = World::new().await;
    let leads = [true, false].map(watch::Sender::new);
    let nodes = leads.each_ref().map(|leads| {
        Consumers::start(ConsumersOptions { leads: leads.subscribe(), ..world.shared.options.clone() })
    });
    let mut streams = nodes.each_ref().map(|node| node.notifications(ACME, anna()));
    let handled = |node: &ConsumersHandle| node.views().iter().map(|view| view.handled).sum::<u64>();
    world.commit(CHAT, vec![started(), notify(Some(Owner::User(anna())))]).await;
    assert!(matches!(streams[0].next().await, Some(Told::New(_))));
    assert_eq!(streams[1].next().await, Some(Told::Missed), "another node made it");
    assert_eq!(handled(&nodes[1]), 0);

    leads[0].send_replace(false);
    let has_stopped = |view: ConsumerView| view.last_exit == Some(Exit::Stopped);
    while !nodes[0].views().into_iter().all(has_stopped) {
        tokio::task::yield_now().await;
    }
    leads[1].send_replace(true);
    world.commit(CHAT, vec![notify(Some(Owner::User(anna())))]).await;
    while !matches!(streams[1].next().await, Some(Told::New(_))) {}
    assert!(handled(&nodes[1]) > 0);
    for node in nodes {
        assert!(node.views().iter().all(|view| view.restarts == 0), "a turn that passes is no failure");
        node.shutdown().await;
    }
}

#[test]
fn handles_may_be_shared_between_threads() {
    fn shareable<T: Clone + Send + Sync>() {}
    shareable::<ConsumersHandle>();
}
