//! Of all nodes one runs the consumers. Two that do so for a moment, while the turn passes, harm nobody: each step is
//! stored together with a cursor that only one of them can move.

use store::records::EventSeq;
use tokio::sync::watch;

use super::{ConsumerError, Shared, Told, notifier};
use crate::limits::FOLLOW_POLL;

/// Whose turn it is to run the consumers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// They run here.
    Ours,
    /// They run on another node.
    Theirs,
    /// This process ends.
    Over,
}

impl Shared {
    /// Ends when consumers must not run here (any more).
    pub(crate) async fn stopped(&self) {
        // The sender lives in `self`, so the wait cannot fail.
        let _ = self.turn.subscribe().wait_for(|turn| *turn != Turn::Ours).await;
    }

    /// Waits until consumers run here; `false` when they never will again.
    pub(super) async fn our_turn(&self) -> bool {
        let mut turn = self.turn.subscribe();
        turn.wait_for(|turn| *turn != Turn::Theirs).await.is_ok_and(|turn| *turn == Turn::Ours)
    }
}

/// Takes turns with the other nodes until the process ends.
pub(super) async fn take_turns(shared: Shared) {
    let mut leads = shared.options.leads.clone();
    let mut turn = shared.turn.subscribe();
    let mut heard = None;
    loop {
        let next = if *leads.borrow_and_update() { Turn::Ours } else { Turn::Theirs };
        let now = pass(&shared.turn, next);
        if now == Turn::Over {
            return;
        }
        if now == Turn::Theirs
            && let Err(error) = listen(&shared, &mut heard).await
        {
            tracing::warn!(%error, "notifications of the node that makes them were not heard of");
        }
        tokio::select! {
            _ = turn.wait_for(|turn| *turn == Turn::Over) => return,
            () = changed(&mut leads) => {}
            () = tokio::time::sleep(FOLLOW_POLL), if now == Turn::Theirs => {}
        }
    }
}

/// What is over stays over.
fn pass(turn: &watch::Sender<Turn>, next: Turn) -> Turn {
    turn.send_if_modified(|turn| *turn != Turn::Over && std::mem::replace(turn, next) != next);
    *turn.borrow()
}

/// Whoever decides may be gone: then nothing changes any more.
async fn changed(leads: &mut watch::Receiver<bool>) {
    if leads.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Streams of this process learn that another one has stored notifications; each reads its own.
async fn listen(shared: &Shared, heard: &mut Option<EventSeq>) -> Result<(), ConsumerError> {
    if shared.told.receiver_count() == 0 {
        return Ok(());
    }
    let stands = shared.options.records.cursor(notifier::NAME).await?;
    if heard.replace(stands) != Some(stands) {
        // Fails when the last stream has just ended.
        let _ = shared.told.send(Told::Missed);
    }
    Ok(())
}
