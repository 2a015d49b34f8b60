//! Carries a trace across the log: W3C `traceparent` out of, and into, spans.

use compact_str::{CompactString, format_compact};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The `traceparent` of the current span; `None` when traces are off.
#[must_use]
pub fn current_traceparent() -> Option<CompactString> {
    let span = Span::current();
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let span = context.span();
    let context = span.span_context();
    context.is_valid().then(|| {
        let flags = context.trace_flags().to_u8();
        format_compact!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id())
    })
}

/// Makes a span part of the trace that a `traceparent` names; a malformed one is ignored.
pub fn join(span: &Span, traceparent: Option<&str>) {
    if span.is_disabled() {
        return;
    }
    if let Some(parent) = traceparent.and_then(parse) {
        let context = opentelemetry::Context::new().with_remote_span_context(parent);
        // Fails only when traces are off, which is no fault.
        let _ = span.set_parent(context);
    }
}

/// One span in each of several traces, for work that is done for all of them together.
pub(crate) fn spans_of(traceparents: &[CompactString], make: fn() -> Span) -> Vec<Span> {
    let joined = |traceparent: &CompactString| {
        let span = make();
        join(&span, Some(traceparent));
        span
    };
    traceparents.iter().map(joined).collect()
}

fn parse(text: &str) -> Option<SpanContext> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if version.len() != 2 || version == "ff" {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::default(),
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_well_formed_parents() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(parse(good).is_some_and(|context| context.is_sampled()));
        for wrong in ["", "00", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0-0-00"] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
