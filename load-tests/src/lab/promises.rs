//! What a played script was promised.

use std::collections::HashMap;

use crate::verify::{Promises, Span};

use super::play::Played;
use super::render::{Renderer, original, wamid};
use super::script::{Update, What};

/// Everything that was acknowledged. `base_us` orders scripts that were played one after the other.
pub(super) fn promises(played: &Played, renderer: &Renderer, base_us: u64) -> Promises {
    let mut promises = Promises { sends: played.sends.clone(), ..Promises::default() };
    for (index, outcome) in played.outcomes.iter().enumerate() {
        if !outcome.is_accepted() {
            continue;
        }
        let script = &played.script;
        let span = Span { sent: base_us + outcome.sent_us, acknowledged: base_us + outcome.ended_us };
        let (desk, first, count) = match script.events[original(script, index)].what {
            What::Messages { desk, first, count } | What::Statuses { desk, first, count } => {
                (desk, first, count)
            }
            What::NeedingReply { desk, first } => (desk, first, 1),
            What::Call { .. } | What::Again { .. } => continue,
        };
        for place in first..first + count {
            match script.updates[place as usize] {
                Update::Message { .. } => promise(&mut promises.inbound, wamid(script.run, place), span),
                Update::Status { ours, rank } => {
                    let id = renderer.ours[usize::from(desk)][ours as usize].wamid.clone();
                    let known = promises.statuses.entry(id).or_default();
                    *known = rank.max(*known);
                }
            }
        }
    }
    promises
}

/// Of a message that came twice: it may have been taken by either request, so it spans both.
fn promise(inbound: &mut HashMap<String, Span>, id: String, span: Span) {
    let known = inbound.entry(id).or_insert(span);
    known.sent = known.sent.min(span.sent);
    known.acknowledged = known.acknowledged.max(span.acknowledged);
}
