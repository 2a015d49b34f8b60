//! One attempt to fetch what a contact sent.

use protocol::time::TimestampMs;
use store::records::{FetchTask, Fetched};

use super::pause;
use crate::consumers::Shared;
use crate::limits::{FETCH_GIVES_UP_AFTER, FETCH_RETRY_MAX, FETCH_RETRY_MIN};
use crate::provider::FetchError;

pub(super) async fn fetch(shared: &Shared, task: &FetchTask, now: TimestampMs) -> Fetched {
    let files = &shared.options.files;
    let directory = shared.options.directory.load_full();
    let Some((_, number)) = directory.number(task.tenant, task.number) else {
        return later(task, now, "the number is not configured any more".to_owned());
    };
    match files.provider.fetch(number, &task.media, files.shelf.max_bytes).await {
        Ok(content) => match files.shelf.shelve(task.tenant, content, now).await {
            Ok(file) => Fetched::Stored(file),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a fetched file is not stored yet");
                later(task, now, error.to_string())
            }
        },
        Err(FetchError::TooLarge { max_bytes }) => {
            Fetched::Lost { error: format!("it has more than {max_bytes} bytes, see `files.max_bytes`") }
        }
        Err(FetchError::Failed(error)) => later(task, now, error),
    }
}

/// The next attempt, unless the provider has forgotten the file by then.
fn later(task: &FetchTask, now: TimestampMs, error: String) -> Fetched {
    let at = now + pause(FETCH_RETRY_MIN, 4i64.saturating_pow(task.attempts), FETCH_RETRY_MAX);
    if at < task.at + FETCH_GIVES_UP_AFTER { Fetched::Again { at, error } } else { Fetched::Lost { error } }
}

#[cfg(test)]
mod tests {
    use protocol::id::{MediaId, MessageId, NumberId, TenantId};

    use super::*;

    #[test]
    fn d15_fetching_is_tried_for_as_long_as_the_provider_keeps_a_file() {
        let begin = TimestampMs(1_790_000_000_000);
        let mut task = FetchTask {
            message: MessageId(1),
            tenant: TenantId(1),
            number: NumberId(1),
            media: MediaId::new("1"),
            attempts: 0,
            at: begin,
        };
        let mut now = begin;
        let lost = loop {
            match later(&task, now, "away".into()) {
                Fetched::Again { at, .. } => (now, task.attempts) = (at, task.attempts + 1),
                end => break end,
            }
        };
        assert_eq!(lost, Fetched::Lost { error: "away".into() });
        assert!(now < begin + FETCH_GIVES_UP_AFTER, "never asked for what is forgotten");
        assert!((20..60).contains(&task.attempts), "{} attempts", task.attempts);
    }
}
