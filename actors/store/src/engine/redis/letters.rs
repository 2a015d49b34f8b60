//! Dead letters: a stream per lane, in the order in which they were set aside, and an index by id.

use std::collections::BTreeMap;

use protocol::id::DeadLetterId;
use redis::Value;

use super::append::append_group;
use super::calls::Call;
use super::errors::{bytes, elements, failed_read, garbled, number};
use super::keys::{Lane, letter_field};
use super::library::Function;
use super::pack;
use super::reading::{StreamId, stream_entries};
use super::server::Line;
use super::shared::Shared;
use crate::engine::{DeadLetter, EngineResult};

/// Where a letter is: the two numbers of its stream id, and the lane.
type Place = (StreamId, Lane);

async fn find(shared: &Shared, letter: DeadLetterId) -> EngineResult<Option<Place>> {
    let lanes = 0..shared.keys().lanes();
    let calls = lanes.clone().map(|lane| {
        let mut ask = redis::cmd("HGET");
        ask.arg(shared.keys().letter_index(lane)).arg(&letter_field(letter)[..]);
        (lane, ask)
    });
    let answers = shared.topology.ask_all(calls.collect()).await?;
    for (lane, answer) in lanes.zip(answers) {
        if answer != Value::Nil {
            let id = super::reading::stream_id(&answer).ok_or_else(|| garbled("HGET"))?;
            return Ok(Some((id, lane)));
        }
    }
    Ok(None)
}

/// By time over all lanes.
pub(super) async fn list(
    shared: &Shared,
    after: Option<DeadLetterId>,
    limit: usize,
) -> EngineResult<Vec<DeadLetter>> {
    let after = match after {
        Some(letter) => find(shared, letter).await?,
        None => None,
    };
    let lanes = 0..shared.keys().lanes();
    let calls = lanes.clone().map(|lane| {
        let mut range = redis::cmd("XRANGE");
        let from = after.map_or_else(|| "-".to_owned(), |((ms, sequence), _)| format!("{ms}-{sequence}"));
        range.arg(shared.keys().letters(lane)).arg(from).arg("+").arg("COUNT").arg(limit.saturating_add(1));
        (lane, range)
    });
    let answers = shared.topology.ask_all(calls.collect()).await?;
    let mut found = Vec::new();
    for (lane, answer) in lanes.zip(answers) {
        found.extend(stream_entries(answer)?.into_iter().map(|(id, letter)| ((id, lane), letter)));
    }
    found.retain(|&(place, _)| after.is_none_or(|after| place > after));
    found.sort_unstable_by_key(|&(place, _)| place);
    let letters = found.into_iter().take(limit);
    letters.map(|(_, letter)| postcard::from_bytes(&letter).map_err(failed_read)).collect()
}

pub(super) async fn read(shared: &Shared, letter: DeadLetterId) -> EngineResult<Option<DeadLetter>> {
    let Some(((ms, sequence), lane)) = find(shared, letter).await? else { return Ok(None) };
    let (mut range, id) = (redis::cmd("XRANGE"), format!("{ms}-{sequence}"));
    range.arg(shared.keys().letters(lane)).arg(&id).arg(&id);
    let found = stream_entries(shared.topology.ask(lane, range).await?)?;
    found.first().map(|(_, letter)| postcard::from_bytes(letter).map_err(failed_read)).transpose()
}

/// Together, unless the letter came from a shard in another slot: then its entry is appended first.
pub(super) async fn replay(shared: &Shared, id: DeadLetterId) -> EngineResult<bool> {
    shared.check_open()?;
    let (Some((_, lane)), Some(letter)) = (find(shared, id).await?, read(shared, id).await?) else {
        return Ok(false);
    };
    shared.shard(letter.shard)?;
    let keys = shared.keys();
    let mut touched = vec![keys.letters(lane), keys.letter_index(lane)];
    if !shared.topology.in_cluster() || keys.lane(letter.shard) == lane {
        touched.extend([keys.head(letter.shard), keys.log(letter.shard)]);
    } else {
        let entries = BTreeMap::from([(letter.shard, vec![letter.entry.clone()])]);
        append_group(shared, entries).await.into_values().try_for_each(|appended| appended.map(drop))?;
    }
    let mut command = shared.topology.functions().call(Function::Replay, &touched);
    command.arg(shared.channel()).arg(&shared.instance).arg(&letter_field(id)[..]);
    command.arg(letter.shard.0).arg(pack::encode(std::iter::once(&letter.entry)));
    let calls = vec![Call { lane, bound: None, command }];
    let answer = shared.topology.run(Line::Commit, calls, &shared.guarantee).await.pop();
    let answer = elements(answer.unwrap_or_else(|| Err(garbled("replay")))?.value, "replay")?;
    let Some(last) = answer.into_iter().next() else { return Ok(false) };
    if let Some(last) = number(&last) {
        shared.heard(letter.shard, last);
    } else {
        bytes(last, "replay")?;
    }
    Ok(true)
}

/// A replay to nowhere.
pub(super) async fn discard(shared: &Shared, id: DeadLetterId) -> EngineResult<bool> {
    shared.check_open()?;
    let Some((_, lane)) = find(shared, id).await? else { return Ok(false) };
    let touched = [shared.keys().letters(lane), shared.keys().letter_index(lane)];
    let mut command = shared.topology.functions().call(Function::Replay, &touched);
    command.arg(shared.channel()).arg(&shared.instance).arg(&letter_field(id)[..]).arg("").arg("");
    let calls = vec![Call { lane, bound: None, command }];
    let answer = shared.topology.run(Line::Commit, calls, &shared.guarantee).await.pop();
    let answer = elements(answer.unwrap_or_else(|| Err(garbled("discard")))?.value, "discard")?;
    Ok(!answer.is_empty())
}
