//! Other names of contacts: small hashes that Redis keeps in one compact block each, spread over all lanes.

use protocol::phone::ContactKey;

use super::calls::Call;
use super::errors::{bytes, failed_read};
use super::server::Line;
use super::shared::Shared;
use crate::engine::{AliasKey, EngineResult};

/// Writes names; again is harmless.
pub(super) async fn write<'a>(
    shared: &Shared,
    names: impl Iterator<Item = &'a (AliasKey, ContactKey)>,
) -> EngineResult<()> {
    let mut calls = Vec::new();
    for (name, contact) in names {
        let (lane, key) = shared.keys().alias(*name);
        let mut command = redis::cmd("HSET");
        command
            .arg(key)
            .arg(&name.0.to_be_bytes()[..])
            .arg(postcard::to_stdvec(contact).map_err(failed_read)?);
        calls.push(Call { lane, bound: None, command });
    }
    if calls.is_empty() {
        return Ok(());
    }
    let answers = shared.topology.run(Line::Commit, calls, &shared.guarantee).await;
    answers.into_iter().try_for_each(|answer| answer.map(drop).map_err(super::errors::nothing_changed))
}

pub(super) async fn read(shared: &Shared, names: &[AliasKey]) -> EngineResult<Vec<Option<ContactKey>>> {
    let calls = names.iter().map(|name| {
        let (lane, key) = shared.keys().alias(*name);
        let mut command = redis::cmd("HGET");
        command.arg(key).arg(&name.0.to_be_bytes()[..]);
        (lane, command)
    });
    let answers = shared.topology.ask_all(calls.collect()).await?;
    let read = |answer| match bytes(answer, "HGET")? {
        Some(contact) => Ok(Some(postcard::from_bytes(&contact).map_err(failed_read)?)),
        None => Ok(None),
    };
    answers.into_iter().map(read).collect()
}
