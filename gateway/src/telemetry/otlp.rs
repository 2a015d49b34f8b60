//! Spans out, over OTLP/HTTP with protobuf.

use opentelemetry::KeyValue;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

use crate::config::Settings;

/// The exporter that the settings ask for; `None` when traces are off.
pub(super) fn exporter(settings: &Settings) -> Result<Option<SdkTracerProvider>, ExporterBuildError> {
    let tracing = &settings.tracing;
    if tracing.otlp_endpoint.is_empty() {
        return Ok(None);
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&tracing.otlp_endpoint)
        .build()?;
    let resource = Resource::builder()
        .with_service_name("gateway")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", settings.node.id.clone()))
        .build();
    // The queue of the batch holds 2,048 spans and drops beyond: a slow collector never slows a message.
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(tracing.sample_ratio))))
        .with_resource(resource)
        .build();
    Ok(Some(provider))
}
