//! Send slots of numbers, by the server's clock.

use super::commits::write;
use super::errors::{garbled, numbers};
use super::library::Function;
use super::server::Line;
use super::shared::Shared;
use crate::engine::limits::SLOTS_AHEAD_MAX;
use crate::engine::{EngineResult, SlotRequest, Slots};

/// Not durable and not waited for: after a fail-over some slots may be given twice.
pub(super) async fn reserve(shared: &Shared, request: &SlotRequest) -> EngineResult<Slots> {
    shared.check_open()?;
    let (lane, key) = shared.keys().slots(request.number);
    let mut command = shared.topology.functions().call(Function::Reserve, &[key]);
    command.arg(shared.handed_in_clock()).arg(request.spacing_us()).arg(SLOTS_AHEAD_MAX.as_micros() as u64);
    command.arg(request.limit()).arg(request.count()).arg(request.received);
    let calls = vec![write(lane, command)];
    let answer = shared.topology.run(Line::Ask, calls, &shared.topology.reading()).await.pop();
    let answer = answer.unwrap_or_else(|| Err(garbled("reserve")))?;
    match numbers(&answer.value, "reserve")?.as_slice() {
        &[now_us, first_us] => Ok(request.granted(now_us, first_us)),
        _ => Err(garbled("reserve")),
    }
}
