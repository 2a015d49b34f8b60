use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use load_tests::client::inbound::Receiver;
use load_tests::load::{Corpus, Numbers, Pace, Recipe, Target, drive_plain};

use crate::harness::{NUMBER, WABA, World};

const REQUESTS: usize = 100;

/// The generator has a runtime and a thread of its own.
async fn send(address: std::net::SocketAddr, pace: Pace) -> Numbers {
    let load = move || {
        let recipe = Recipe {
            receiver: Receiver {
                waba_id: WABA.into(),
                phone_number_id: NUMBER.into(),
                display_phone_number: "15550783881".into(),
            },
            app_secret: "simulator-app-secret".into(),
            path: "/webhooks/whatsapp".into(),
            conversations: 7,
            zipf: false,
            text: "ciao".into(),
            run: 1,
            unix_seconds: 1_795_176_000,
        };
        let corpus = Rc::new(Corpus::build(&recipe, REQUESTS));
        let target = Target { addresses: vec![address], connections: 4 };
        drive_plain(&target, &corpus, 0..REQUESTS, pace, Duration::from_secs(3_600)).unwrap().numbers()
    };
    actix_web::web::block(load).await.unwrap()
}

#[actix_web::test]
async fn every_request_arrives_once_whatever_the_pace() {
    for pace in [Pace::Closed, Pace::Open { per_second: 50_000.0 }] {
        let mut world = World::start();
        world.answer_with(&[503]);
        let numbers = send(world.callback, pace).await;
        assert_eq!((numbers.ok, numbers.not_ok), (99, 1));
        let mut ids = BTreeSet::new();
        for _ in 0..REQUESTS {
            ids.insert(world.value().await["messages"][0]["id"].as_str().unwrap().to_owned());
        }
        assert_eq!(ids.len(), REQUESTS);
    }
}
