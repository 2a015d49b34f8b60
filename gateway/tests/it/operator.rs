//! The operator's listener.

use reqwest::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

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

#[actix_web::test]
async fn a_node_that_stops_says_that_connections_end() {
    let world = World::start().await;
    let operator = world.server.operator;
    let mut connection = TcpStream::connect(world.server.public).await.unwrap();
    let head = "POST /webhooks/whatsapp HTTP/1.1\r\nHost: gateway\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut begun = [0; 25];
    connection.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 100 Continue\r\n\r\n");
    let stopped = actix_web::rt::spawn(world.server.stop());
    let readyz = format!("http://{operator}/readyz");
    while !reqwest::get(&readyz).await.unwrap().text().await.unwrap().contains("\"stopping\":true") {}
    connection.write_all(b"{}").await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("connection: close"), "{answer}");
    stopped.await.unwrap();
}
