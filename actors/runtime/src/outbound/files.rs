//! Files of ours: the provider must have them before a message can name them.

use protocol::content::{Content, Media, MediaSource};
use protocol::directory::Number;
use protocol::id::{FileId, NumberId, TenantId};
use protocol::outbound::Outcome;

use crate::files::{Usable, no_files};
use crate::node::Shared;

/// The content as the provider understands it. An error: it must not be sent (now). This comes before a send slot is
/// taken and before the last look at the lease: it may last.
pub(super) async fn usable(
    shared: &Shared,
    (tenant, number): (TenantId, NumberId),
    content: Content,
) -> Result<Usable, Outcome> {
    if !matches!(&content, Content::Media(Media { source: MediaSource::File(_), .. })) {
        return Ok(Usable { content, reused: None });
    }
    let Some(files) = &shared.options.files else { return Err(no_files()) };
    let directory = shared.options.directory.load_full();
    let Some((_, number)) = directory.number(tenant, number) else {
        return Err(Outcome::NotSent { detail: "the number is not configured any more".to_owned() });
    };
    let now = shared.options.engine.now().await.map_err(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, "the age of a file cannot be told now");
        Outcome::NotSent { detail: "the store cannot answer now".to_owned() }
    })?;
    files.usable(number, content, now).await
}

/// A provider that has lost a file since says so when a message names it.
pub(super) async fn judge(
    shared: &Shared,
    number: &Number,
    reused: Option<FileId>,
    outcome: Outcome,
) -> Outcome {
    match (&shared.options.files, reused) {
        (Some(files), Some(file)) => files.judge(number, file, outcome).await,
        _ => outcome,
    }
}
