//! The operator's listener.

use reqwest::StatusCode;

use crate::harness::World;

#[actix_web::test]
async fn probes_metrics_and_shards_answer() {
    let world = World::start().await;
    assert_eq!(world.operator("/livez").await.0, StatusCode::OK);
    while world.operator("/readyz").await.0 != StatusCode::OK {}
    let (status, metrics) = world.operator("/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for name in [
        "gateway_build_info",
        "gateway_webhook_requests_total",
        "gateway_webhook_ack_seconds",
        "gateway_shards_owned",
    ] {
        assert!(metrics.contains(name), "{name} not in:\n{metrics}");
    }
    let (_, shards) = world.operator("/debug/shards").await;
    let shards: serde_json::Value = serde_json::from_str(&shards).unwrap();
    assert_eq!(shards.as_array().map(Vec::len), Some(256));
    world.stop().await;
}
