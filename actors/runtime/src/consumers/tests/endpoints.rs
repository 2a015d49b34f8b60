use protocol::id::EndpointId;
use store::records::{Deliveries as _, Delivery, DeliveryQuery, DeliveryState};
use tokio::sync::watch;

use super::server::Server;
use super::*;
use crate::consumers::endpoints::attempt::Poster;
use crate::consumers::endpoints::queue::{Queue, Step};
use crate::consumers::endpoints::router::Router;
use crate::consumers::endpoints::sign::signatures;
use crate::consumers::follow::Follower;

const SECRETS: [&str; 2] =
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"];

fn endpoint(id: u128, url: String) -> WebhookEndpoint {
    let secrets = SECRETS.map(str::to_owned).to_vec();
    WebhookEndpoint { id: EndpointId(id), tenant: ACME, url, events: Vec::new(), secrets, enabled: true }
}

fn queue(world: &World, id: u128) -> Queue {
    queue_until(world, id, watch::channel(false).1)
}

fn queue_until(world: &World, id: u128, stop: watch::Receiver<bool>) -> Queue {
    let poster = Arc::new(Poster::new(&world.shared.options.endpoints).unwrap());
    Queue::new(world.shared.clone(), poster, (ACME, EndpointId(id)), stop)
}

/// Commits one fact and queues it for every endpoint.
async fn route(world: &mut World) {
    world.commit(CHAT, vec![started()]).await;
    world.project().await;
    let router = Router { shared: world.shared.clone(), routed: watch::Sender::new(0) };
    Follower::new(world.shared.clone(), router).await.unwrap().step().await.unwrap();
}

async fn deliveries(world: &World, id: u128, state: DeliveryState) -> Vec<Delivery> {
    let (tenant, endpoint, after, limit) = (ACME, EndpointId(id), EventSeq(0), 100);
    world.records.deliveries(DeliveryQuery { tenant, endpoint, state, after, limit }).await.unwrap()
}

#[tokio::test]
async fn events_arrive_signed_with_every_secret() {
    let mut server = Server::start(Some("204 No Content")).await;
    let mut world = World::with(vec![endpoint(1, server.url())]).await;
    route(&mut world).await;
    let mut queue = queue(&world, 1);
    assert_eq!(queue.step().await.unwrap(), Step::Tried(1));
    assert_eq!(queue.step().await.unwrap(), Step::Idle { until: None });
    let request = server.received.recv().await.unwrap();
    let (id, timestamp) = (&request.headers["webhook-id"], &request.headers["webhook-timestamp"]);
    assert_eq!(timestamp, &(NOON.0 / 1_000).to_string());
    let expected = signatures(&SECRETS.map(str::to_owned), id, NOON.0 / 1_000, &request.body);
    assert_eq!(request.headers["webhook-signature"], expected);
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!((&body["type"], &body["id"]), (&"conversation.started".into(), &id.as_str().into()));
    assert_eq!(body["data"]["contact"]["phone"], "+393331234567");
    assert!(body["timestamp"].is_string());
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_later_under_the_same_id() {
    let mut server = Server::start(Some("500 Internal Server Error")).await;
    let mut world = World::with(vec![endpoint(1, server.url())]).await;
    route(&mut world).await;
    let mut queue = queue(&world, 1);
    assert_eq!(queue.step().await.unwrap(), Step::Tried(1));
    let Step::Idle { until: Some(until) } = queue.step().await.unwrap() else { panic!("tried at once") };
    assert!(until > NOON && until <= NOON + SpanMs::seconds(6), "{until}");
    let first = server.received.recv().await.unwrap();
    world.clock.set(until);
    server.answer.send_replace(Some("200 OK"));
    assert_eq!(queue.step().await.unwrap(), Step::Tried(1));
    let second = server.received.recv().await.unwrap();
    assert_eq!(first.headers["webhook-id"], second.headers["webhook-id"]);
    assert!(deliveries(&world, 1, DeliveryState::Pending).await.is_empty());
}

#[tokio::test]
async fn retry_after_is_honoured_and_redirects_are_not_followed() {
    for (answer, least) in [
        ("503 Service Unavailable\r\nretry-after: 3600", SpanMs::hours(1)),
        ("302 Found\r\nlocation: http://127.0.0.1:1/", SpanMs::seconds(4)),
    ] {
        let server = Server::start(Some(answer)).await;
        let mut world = World::with(vec![endpoint(1, server.url())]).await;
        route(&mut world).await;
        queue(&world, 1).step().await.unwrap();
        let waiting = deliveries(&world, 1, DeliveryState::Pending).await;
        assert!(waiting[0].next_at >= NOON + least, "{answer}");
        assert!(waiting[0].last_error.as_deref().unwrap().starts_with("answered "));
    }
}

#[tokio::test]
async fn after_the_last_attempt_a_delivery_is_dead_and_can_be_replayed() {
    let mut server = Server::start(Some("500 Internal Server Error")).await;
    let mut world = World::with(vec![endpoint(1, server.url())]).await;
    route(&mut world).await;
    let mut queue = queue(&world, 1);
    let mut attempts = 0;
    loop {
        match queue.step().await.unwrap() {
            Step::Tried(tried) => attempts += tried,
            Step::Idle { until: Some(until) } => world.clock.set(until),
            Step::Idle { until: None } => break,
            Step::Ended => panic!("still configured"),
        }
    }
    assert_eq!(attempts, 10);
    let dead = deliveries(&world, 1, DeliveryState::Dead).await;
    assert_eq!((dead.len(), dead[0].attempts), (1, 10));
    server.answer.send_replace(Some("200 OK"));
    let now = world.engine.now().await.unwrap();
    assert!(world.records.revive_delivery(ACME, EndpointId(1), dead[0].event.seq, now).await.unwrap());
    world.clock.advance(SpanMs::minutes(10));
    assert_eq!(queue.step().await.unwrap(), Step::Tried(1));
    assert!(deliveries(&world, 1, DeliveryState::Dead).await.is_empty());
    assert!(server.received.recv().await.is_some());
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_switched_off() {
    let server = Server::start(Some("410 Gone")).await;
    let mut world = World::with(vec![endpoint(1, server.url())]).await;
    route(&mut world).await;
    assert_eq!(queue(&world, 1).step().await.unwrap(), Step::Ended);
    let id = EndpointId(1).to_string().into();
    let document = world.records.document(DocumentKind::Endpoint, Some(ACME), id).await.unwrap().unwrap();
    assert_eq!(document.body["enabled"], false);
    assert_eq!(deliveries(&world, 1, DeliveryState::Dead).await.len(), 1);
}

#[tokio::test]
async fn a_slow_endpoint_never_slows_another() {
    let mut silent = Server::start(None).await;
    let mut quick = Server::start(Some("200 OK")).await;
    let mut world = World::with(vec![endpoint(1, silent.url()), endpoint(2, quick.url())]).await;
    route(&mut world).await;
    let (mut slow, mut fast) = (queue(&world, 1), queue(&world, 2));
    tokio::select! {
        step = slow.step() => panic!("the silent server answered: {step:?}"),
        step = async {
            silent.received.recv().await.unwrap();
            fast.step().await
        } => assert_eq!(step.unwrap(), Step::Tried(1)),
    }
    assert!(quick.received.recv().await.is_some());
    assert!(deliveries(&world, 2, DeliveryState::Pending).await.is_empty());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_silent_endpoint() {
    let mut silent = Server::start(None).await;
    let mut world = World::with(vec![endpoint(1, silent.url())]).await;
    route(&mut world).await;
    let stop = watch::Sender::new(false);
    let mut queue = queue_until(&world, 1, stop.subscribe());
    let stopping = async {
        silent.received.recv().await.unwrap();
        stop.send_replace(true);
    };
    let (step, ()) = tokio::join!(queue.step(), stopping);
    assert_eq!(step.unwrap(), Step::Tried(0));
    assert_eq!(deliveries(&world, 1, DeliveryState::Pending).await[0].attempts, 0, "after the next start");
}

#[tokio::test]
async fn private_addresses_are_refused_unless_allowed() {
    let server = Server::start(Some("200 OK")).await;
    let local = format!("http://localhost:{}/events", server.address.port());
    for url in [server.url(), local] {
        let mut world = World::with(vec![endpoint(1, url)]).await;
        world.shared.options.endpoints.allow_private_addresses = false;
        route(&mut world).await;
        queue(&world, 1).step().await.unwrap();
        let waiting = deliveries(&world, 1, DeliveryState::Pending).await;
        let error = waiting[0].last_error.as_deref().unwrap();
        assert!(error.contains("private"), "{error}");
    }
    let mut server = server;
    assert!(server.received.try_recv().is_err(), "nothing arrived");
}

#[tokio::test]
async fn another_tenants_events_do_not_arrive() {
    let server = Server::start(Some("200 OK")).await;
    let mut world = World::with(vec![WebhookEndpoint { tenant: OTHER, ..endpoint(1, server.url()) }]).await;
    route(&mut world).await;
    assert!(world.records.pending_endpoints().await.unwrap().is_empty());
}
