//! Ranges and relations between settings. All of them are checked; nothing stops at the first.

use std::ops::RangeInclusive;

use runtime::consumers::{MailError, PushError};
use store::records::PostgresRecords;

use super::{Settings, mail_settings, push_settings};

/// A batch has as many conversations, each of which is in memory until it is committed.
const FEWEST_LIVE: u64 = runtime::limits::BATCH_EVENTS as u64;

/// Every key whose value cannot be used, with what would be right.
pub(super) fn contradictions(settings: &Settings) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    ranges(settings, &mut found);
    stores(settings, &mut found);
    files(settings, &mut found);
    addresses(settings, &mut found);
    mail(settings, &mut found);
    push(settings, &mut found);
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
    range("store.shards", settings.store.shards.into(), 0..=4_096);
    range("store.replicas", settings.store.replicas.into(), 0..=16);
    range("store.backlog_max_bytes", settings.store.backlog_max_bytes, 1 << 20..=1 << 40);
    range("store.disk_free_min_bytes", settings.store.disk_free_min_bytes, 0..=1 << 50);
    range("webhooks.max_body_bytes", settings.webhooks.max_body_bytes as u64, 1_024..=64 << 20);
    range("webhooks.retry_after_seconds", settings.webhooks.retry_after_seconds.into(), 1..=3_600);
    range("conversations.idle_seconds", settings.conversations.idle_seconds, 1..=86_400);
    range("conversations.max_live", settings.conversations.max_live as u64, FEWEST_LIVE..=10_000_000);
    range("outbound.connect_timeout_ms", settings.outbound.connect_timeout_ms, 100..=60_000);
    range("outbound.request_timeout_ms", settings.outbound.request_timeout_ms, 500..=50_000);
    range("files.max_bytes", settings.files.max_bytes, 1 << 10..=domain::file::MAX_BYTES);
    range("files.scan_timeout_ms", settings.files.scan_timeout_ms, 500..=300_000);
    range("endpoints.timeout_ms", settings.endpoints.timeout_ms, 500..=60_000);
    range("mail.after_seconds", settings.mail.after_seconds.into(), 0..=86_400);
    range("mail.max_per_minute", settings.mail.max_per_minute.get().into(), 1..=10_000);
    range("push.after_seconds", settings.push.after_seconds.into(), 0..=86_400);
    range("shutdown.drain_seconds", settings.shutdown.drain_seconds, 0..=600);
}

fn stores(settings: &Settings, found: &mut Vec<(&'static str, String)>) {
    let store = &settings.store;
    let is_redis = |url: &str| ["redis://", "rediss://"].iter().any(|scheme| url.trim().starts_with(scheme));
    if store.url.split(',').any(|url| !url.is_empty() && !is_redis(url)) {
        let detail =
            "every address must begin with redis:// or, for TLS, rediss://; empty for the embedded store";
        found.push(("store.url", detail.to_owned()));
    }
    if !store.url.is_empty() && settings.records.url.is_empty() {
        let detail = "must name a PostgreSQL database when store.url is set: a file under `data` is seen by one node only";
        found.push(("records.url", detail.to_owned()));
    }
    if store.url.is_empty() && store.replicas > 0 {
        found.push(("store.replicas", "must be 0 without store.url: the embedded store has none".to_owned()));
    }
    if store.url.is_empty() && !settings.node.owns_shards {
        let detail = "must be true without store.url: nobody else could apply what this node takes in";
        found.push(("node.owns_shards", detail.to_owned()));
    }
    if !settings.records.url.is_empty()
        && let Err(error) = PostgresRecords::check_url(&settings.records.url)
    {
        found.push(("records.url", error.to_string()));
    }
    if (settings.webhooks.max_body_bytes as u64) > store.backlog_max_bytes {
        let detail = "must not be larger than store.backlog_max_bytes: such a body could never be taken";
        found.push(("webhooks.max_body_bytes", detail.to_owned()));
    }
}

fn files(settings: &Settings, found: &mut Vec<(&'static str, String)>) {
    let files = &settings.files;
    let folder = files.url.strip_prefix("file://").is_some_and(|path| path.starts_with('/'));
    let bucket =
        files.url.strip_prefix("s3://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    if !(files.url.is_empty() || folder || bucket) {
        let detail =
            "must be file:///path/of/a/folder or s3://bucket/prefix; empty for a folder under `data`";
        found.push(("files.url", detail.to_owned()));
    }
    let names_server = !(files.s3_endpoint.is_empty() && files.s3_access_key_id.is_empty());
    if names_server && !bucket {
        let detail = "must be s3://bucket/prefix, since other keys of `files` name its server or its key";
        found.push(("files.url", detail.to_owned()));
    }
    if files.s3_access_key_id.is_empty() != files.s3_secret_access_key.is_empty() {
        let detail = "must be given together with files.s3_access_key_id, or neither of them";
        found.push(("files.s3_secret_access_key", detail.to_owned()));
    }
}

fn addresses(settings: &Settings, found: &mut Vec<(&'static str, String)>) {
    if settings.public.listen == settings.operator.listen && settings.public.listen.port() != 0 {
        found.push(("operator.listen", "must differ from public.listen".to_owned()));
    }
    for (key, url) in [
        ("public.url", &settings.public.url),
        ("tracing.otlp_endpoint", &settings.tracing.otlp_endpoint),
        ("mail.link", &settings.mail.link),
        ("files.scan_url", &settings.files.scan_url),
        ("files.s3_endpoint", &settings.files.s3_endpoint),
    ] {
        if url.is_empty() {
            continue;
        }
        let known = reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !known {
            found.push((key, "must be a URL that begins with http:// or https://".to_owned()));
        }
    }
}

fn mail(settings: &Settings, found: &mut Vec<(&'static str, String)>) {
    let Some(mail) = mail_settings(settings) else { return };
    match mail.check() {
        Ok(()) => {}
        Err(error @ MailError::Url(_)) => found.push(("mail.url", error.to_string())),
        Err(error @ MailError::From(_)) => found.push(("mail.from", error.to_string())),
    }
    let url = reqwest::Url::parse(&mail.url).ok();
    let open = url.as_ref().is_some_and(|url| url.scheme() == "smtp" && url.query().is_none());
    if open && url.as_ref().is_some_and(|url| url.password().is_some()) {
        let detail = "would send the password without encryption; use smtps:// or end it with ?tls=required";
        found.push(("mail.url", detail.to_owned()));
    }
}

fn push(settings: &Settings, found: &mut Vec<(&'static str, String)>) {
    match push_settings(settings).map(|push| push.check()) {
        None | Some(Ok(_)) => {}
        Some(Err(error @ PushError::PrivateKey)) => found.push(("push.private_key", error.to_string())),
        Some(Err(error @ PushError::Subject)) => found.push(("push.subject", error.to_string())),
    }
}
