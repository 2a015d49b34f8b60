//! Log lines and spans of the process.
//!
//! Nothing personal reaches a line by construction: phone numbers and secrets hide themselves in `Debug`, and message
//! bodies are never fields of a span or an event. Spans are made at level `debug` by our own crates only, so that
//! with traces off the check of a callsite is all that is left of them.

mod otlp;
mod seldom;

use std::io::IsTerminal as _;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry};

pub use self::seldom::Seldom;
use crate::config::{LogFormat, LogSettings, Settings};

/// Crates whose spans are part of traces.
const TRACED: &[&str] = &["gateway", "runtime", "store"];

/// Keeps the exporter of spans; what is still queued leaves when it is shut down.
#[derive(Default)]
pub struct Telemetry {
    spans: Option<SdkTracerProvider>,
}

/// Why log or traces could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The exporter was refused.
    #[error("spans cannot be exported")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// Somebody set a subscriber before.
    #[error("the log was set up twice")]
    Twice(#[from] tracing::subscriber::SetGlobalDefaultError),
    /// The filter cannot be read; the settings were not checked.
    #[error("`log.level` is not a filter")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
}

impl Telemetry {
    /// Sets up log and traces of this process, on stderr.
    ///
    /// # Errors
    /// See [`TelemetryError`].
    pub fn install(settings: &Settings) -> Result<Self, TelemetryError> {
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let (subscriber, telemetry) = Self::build(settings, std::io::stderr, colours)?;
        tracing::subscriber::set_global_default(subscriber)?;
        Ok(telemetry)
    }

    /// The subscriber that [`Telemetry::install`] sets, writing elsewhere.
    ///
    /// # Errors
    /// See [`TelemetryError`].
    pub fn build<W>(
        settings: &Settings,
        writer: W,
        colours: bool,
    ) -> Result<(impl Subscriber + Send + Sync + use<W>, Self), TelemetryError>
    where
        W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
    {
        let lines = lines(&settings.log, writer, colours)?;
        let spans = otlp::exporter(settings)?;
        let traced = TRACED.iter().map(|name| (*name, LevelFilter::DEBUG));
        let layer = spans.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("gateway"))
                .with_location(false)
                .with_threads(false)
                .with_filter(traced.collect::<Targets>())
        });
        Ok((tracing_subscriber::registry().with(lines).with(layer), Self { spans }))
    }

    /// Sends what is queued.
    pub fn flush(&self) {
        if let Some(Err(error)) = self.spans.as_ref().map(SdkTracerProvider::force_flush) {
            tracing::warn!(%error, "spans could not be sent");
        }
    }

    /// Sends what is queued and stops.
    pub fn shutdown(self) {
        if let Some(Err(error)) = self.spans.map(|spans| spans.shutdown()) {
            tracing::warn!(%error, "spans were lost at the end");
        }
    }
}

type Lines = Box<dyn Layer<Registry> + Send + Sync>;

fn lines<W>(log: &LogSettings, writer: W, colours: bool) -> Result<Lines, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
    Registry: for<'a> LookupSpan<'a>,
{
    let filter: EnvFilter = log.level.parse()?;
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(colours);
    Ok(match log.format {
        LogFormat::Pretty => lines.with_target(false).with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).with_filter(filter).boxed(),
    })
}
