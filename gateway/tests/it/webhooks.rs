//! What providers get for what they send.

use std::io::Error;

use reqwest::StatusCode;

use crate::harness::{APP_SECRET, VERIFY_TOKEN, World, signature, text_webhook};

#[actix_web::test]
async fn the_handshake_is_answered_for_known_tokens_only() {
    let world = World::start().await;
    let ask = |mode: &str, token: &str| {
        let query = [("hub.mode", mode), ("hub.verify_token", token), ("hub.challenge", "1158201444")];
        reqwest::Client::new().get(world.public("/webhooks/whatsapp")).query(&query).send()
    };
    let good = ask("subscribe", VERIFY_TOKEN).await.unwrap();
    assert_eq!(good.status(), StatusCode::OK);
    assert_eq!(good.text().await.unwrap(), "1158201444");
    for (mode, token) in [("subscribe", "wrong"), ("unsubscribe", VERIFY_TOKEN), ("subscribe", "")] {
        assert_eq!(ask(mode, token).await.unwrap().status(), StatusCode::FORBIDDEN, "{mode} {token}");
    }
    let bare = reqwest::get(world.public("/webhooks/whatsapp")).await.unwrap();
    assert_eq!(bare.status(), StatusCode::FORBIDDEN);
    world.stop().await;
}

#[actix_web::test]
async fn signatures_decide_and_refusals_give_no_hint() {
    let world = World::start().await;
    let body = text_webhook("393331000001", "wamid.signed", "ciao");
    for secret in [APP_SECRET, "s3cr3t-before-rotation"] {
        let answer = world.webhook_signed(&body, Some(&signature(secret, body.as_bytes()))).await;
        assert_eq!(answer.status(), StatusCode::OK, "{secret}");
    }
    let wrong = signature("another", body.as_bytes());
    for refused in [None, Some("sha256=00"), Some(wrong.as_str())] {
        let answer = world.webhook_signed(&body, refused).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answer.text().await.unwrap(), "", "nothing about the expected value");
    }
    world.stop().await;
}

#[actix_web::test]
async fn only_webhooks_are_taken_but_unknown_parts_never_matter() {
    let world = World::start().await;
    for refused in [
        "",
        "{",
        "[]",
        "null",
        r#"{"object":"page","entry":[]}"#,
        r#"{"object":"whatsapp_business_account"}"#,
    ] {
        assert_eq!(world.webhook(refused).await.status(), StatusCode::BAD_REQUEST, "{refused}");
    }
    for taken in [
        r#"{"object":"whatsapp_business_account","entry":[]}"#,
        r#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"news","value":7}]}]}"#,
        r#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messages":[{}]}}]}]}"#,
    ] {
        assert_eq!(world.webhook(taken).await.status(), StatusCode::OK, "{taken}");
    }
    world.stop().await;
}

#[actix_web::test]
async fn bodies_over_the_limit_are_refused() {
    let world = World::start_with(|settings| settings.webhooks.max_body_bytes = 2_048).await;
    let small = text_webhook("393331000002", "wamid.small", "ciao");
    assert_eq!(world.webhook(&small).await.status(), StatusCode::OK);
    let large = text_webhook("393331000002", "wamid.large", &"x".repeat(2_048));
    assert_eq!(world.webhook(&large).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let (_, metrics) = world.operator("/metrics").await;
    for outcome in ["accepted", "too_large"] {
        let counted =
            format!("gateway_webhook_requests_total{{outcome=\"{outcome}\",provider=\"whatsapp\"}} 1");
        assert!(metrics.contains(&counted), "{outcome}: {metrics}");
    }
    world.stop().await;
}

#[actix_web::test]
async fn bodies_may_come_in_pieces_and_too_large_ones_are_refused_before_their_end() {
    let world = World::start_with(|settings| settings.webhooks.max_body_bytes = 2_048).await;
    let body = text_webhook("393331000002", "wamid.pieces", "ciao");
    let pieces = |body: &str, size| {
        let pieces: Vec<_> =
            body.as_bytes().chunks(size).map(|piece| Ok::<_, Error>(piece.to_vec())).collect();
        reqwest::Body::wrap_stream(futures_util::stream::iter(pieces))
    };
    let send = |body: &str, size| {
        let signed = signature(APP_SECRET, body.as_bytes());
        let call = reqwest::Client::new().post(world.public("/webhooks/whatsapp"));
        call.header("X-Hub-Signature-256", signed).body(pieces(body, size)).send()
    };
    for size in [1, 7, 100, body.len()] {
        assert_eq!(send(&body, size).await.unwrap().status(), StatusCode::OK, "{size}");
    }
    let large = format!("{body}{}", " ".repeat(2_049 - body.len()));
    assert_eq!(send(&large, 1_024).await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
    world.stop().await;
}

#[actix_web::test]
async fn p1_what_cannot_be_made_durable_is_answered_503_with_a_time() {
    let world = World::start_with(|settings| settings.store.disk_free_min_bytes = 1 << 50).await;
    let body = text_webhook("393331000003", "wamid.full", "ciao");
    let answer = world.webhook(&body).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "2");
    let (_, metrics) = world.operator("/metrics").await;
    let counted = r#"gateway_webhook_requests_total{outcome="unavailable",provider="whatsapp"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
    world.stop().await;
}
