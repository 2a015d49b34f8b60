//! What leaves the process besides messages: spans and log lines.

use std::io::Write;
use std::net::TcpListener;
use std::sync::{Arc, LazyLock, Mutex};

use actix_web::web::{Bytes, Data, post};
use actix_web::{App, HttpResponse, HttpServer};
use gateway::telemetry::Telemetry;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use crate::harness::{ACCESS_TOKEN, APP_SECRET, KEY, VERIFY_TOKEN, World, settings, signature, text_webhook};

/// Trace id in hex and name of each span.
type Spans = Arc<Mutex<Vec<(String, String)>>>;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Observed {
    telemetry: Telemetry,
    spans: Spans,
    log: Log,
}

/// The subscriber of the process can be set once: all tests of this file share it.
static OBSERVED: LazyLock<Observed> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let (spans, log) = (Spans::default(), Log::default());
    let mut settings = settings(folder.path());
    settings.tracing.otlp_endpoint = receiver(spans.clone());
    settings.log.level = "gateway=trace,runtime=trace,store=trace,domain=trace".to_owned();
    let writer = log.clone();
    let (subscriber, telemetry) = Telemetry::build(&settings, move || writer.clone(), false).unwrap();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    Observed { telemetry, spans, log }
});

/// A small OTLP/HTTP collector; answers its address.
fn receiver(spans: Spans) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let serve = || async move {
            let app =
                move || App::new().app_data(Data::new(spans.clone())).route("/v1/traces", post().to(collect));
            HttpServer::new(app).workers(1).listen(listener).unwrap().run().await.unwrap();
        };
        actix_rt::System::new().block_on(serve());
    });
    format!("http://{address}/v1/traces")
}

async fn collect(spans: Data<Spans>, body: Bytes) -> HttpResponse {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    for span in scopes.flat_map(|scope| scope.spans) {
        spans.lock().unwrap().push((data_encoding::HEXLOWER.encode(&span.trace_id), span.name));
    }
    HttpResponse::Ok().finish()
}

#[actix_web::test]
async fn one_trace_leads_from_the_webhook_over_append_and_commit_to_the_send() {
    let observed = &*OBSERVED;
    let world = World::start().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let body = text_webhook("393333000001", "wamid.traced", "TEST0001");
    let answer = reqwest::Client::new()
        .post(world.public("/webhooks/whatsapp"))
        .header("X-Hub-Signature-256", signature(APP_SECRET, body.as_bytes()))
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .body(body)
        .send();
    assert!(answer.await.unwrap().status().is_success());
    world.heard("393333000001", 1).await;
    let mut missing = vec!["webhook", "append", "apply", "commit", "send"];
    while !missing.is_empty() {
        observed.telemetry.flush();
        let spans = observed.spans.lock().unwrap();
        missing.retain(|name| !spans.iter().any(|span| span.0 == trace && span.1 == *name));
    }
    world.stop().await;
}

#[actix_web::test]
async fn nothing_personal_and_no_secret_reaches_the_log() {
    let observed = &*OBSERVED;
    let world = World::start().await;
    let body = text_webhook("393333000002", "wamid.private", "una frase molto privata");
    assert!(world.webhook(&body).await.status().is_success());
    assert_eq!(world.webhook_signed(&body, None).await.status().as_u16(), 401);
    world.heard("393333000002", 1).await;
    world.stop().await;
    let log = String::from_utf8(observed.log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("listening"), "the log is on");
    for private in ["393333000002", "molto privata", APP_SECRET, ACCESS_TOKEN, VERIFY_TOKEN, KEY] {
        assert!(!log.contains(private), "{private} in the log");
    }
}
