//! Ranges and relations between settings. All of them are checked; nothing stops at the first.

use std::ops::RangeInclusive;

use super::{Durability, Settings};

/// Every key whose value cannot be used, with what would be right.
pub(super) fn contradictions(settings: &Settings) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    ranges(settings, &mut found);
    stores(settings, &mut found);
    addresses(settings, &mut found);
    if !(0.0..=1.0).contains(&settings.tracing.sample_ratio) {
        found.push(("tracing.sample_ratio", "must be between 0.0 and 1.0".to_owned()));
    }
    if settings.node.id.chars().count() > 64 {
        found.push(("node.id", "must have at most 64 characters".to_owned()));
    }
    if settings.log.level.parse::<tracing_subscriber::EnvFilter>().is_err() {
        found.push(("log.level", "must be a filter such as `info` or `info,gateway=debug`".to_owned()));
    }
    found
}

fn ranges(settings: &Settings, found: &mut Vec<(&'static str, String)>) {
    let mut range = |key: &'static str, value: u64, allowed: RangeInclusive<u64>| {
        if !allowed.contains(&value) {
            found.push((
                key,
                format!("must be between {} and {}, not {value}", allowed.start(), allowed.end()),
            ));
        }
    };
    range("public.workers", settings.public.workers as u64, 0..=256);
    range("store.shards", settings.store.shards.into(), 1..=4_096);
    range("store.cache_bytes", settings.store.cache_bytes, 8 << 20..=1 << 40);
    range("store.max_backlog_bytes", settings.store.max_backlog_bytes, 1 << 20..=1 << 40);
    range("webhooks.max_body_bytes", settings.webhooks.max_body_bytes as u64, 1_024..=64 << 20);
    range("webhooks.retry_after_seconds", settings.webhooks.retry_after_seconds.into(), 1..=3_600);
    range("conversations.idle_seconds", settings.conversations.idle_seconds, 1..=86_400);
    range("conversations.max_live", settings.conversations.max_live as u64, 100..=10_000_000);
    range("outbound.connect_timeout_ms", settings.outbound.connect_timeout_ms, 100..=60_000);
    range("outbound.request_timeout_ms", settings.outbound.request_timeout_ms, 500..=120_000);
    range("outbound.in_doubt_seconds", settings.outbound.in_doubt_seconds.into(), 5..=3_600);
    range("shutdown.drain_seconds", settings.shutdown.drain_seconds, 0..=600);
}

fn stores(settings: &Settings, found: &mut Vec<(&'static str, String)>) {
    let store = &settings.store;
    if !store.url.is_empty() {
        let detail = "only the embedded store exists in this version; leave it empty (redis:// arrives with a later one)";
        found.push(("store.url", detail.to_owned()));
    }
    if !settings.records.url.is_empty() {
        let detail =
            "only SQLite exists in this version; leave it empty (postgres:// arrives with a later one)";
        found.push(("records.url", detail.to_owned()));
    }
    if store.durability == Durability::Everysec {
        let detail = "the embedded store always syncs before it answers; set \"fsync\"";
        found.push(("store.durability", detail.to_owned()));
    }
    if (settings.webhooks.max_body_bytes as u64) > store.max_backlog_bytes {
        let detail = "must not be larger than store.max_backlog_bytes: such a body could never be taken";
        found.push(("webhooks.max_body_bytes", detail.to_owned()));
    }
    if settings.outbound.request_timeout_ms >= u64::from(settings.outbound.in_doubt_seconds) * 1_000 {
        let detail =
            "must be longer than outbound.request_timeout_ms: the doubt would end before the request";
        found.push(("outbound.in_doubt_seconds", detail.to_owned()));
    }
}

fn addresses(settings: &Settings, found: &mut Vec<(&'static str, String)>) {
    if settings.public.listen == settings.operator.listen && settings.public.listen.port() != 0 {
        found.push(("operator.listen", "must differ from public.listen".to_owned()));
    }
    for (key, url) in
        [("public.url", &settings.public.url), ("tracing.otlp_endpoint", &settings.tracing.otlp_endpoint)]
    {
        if url.is_empty() {
            continue;
        }
        let known = reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !known {
            found.push((key, "must be a URL that begins with http:// or https://".to_owned()));
        }
    }
}
