//! Requests under way, so that a stop waits for them and not for connections that are merely kept open.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Counts requests from their head to their answer.
#[derive(Clone, Default)]
pub(super) struct InFlight {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    count: AtomicUsize,
    none_left: Notify,
}

/// One request; it is over when this is dropped, however it ends.
pub(super) struct Guard<'a>(&'a Shared);

impl InFlight {
    /// A request begins.
    pub(super) fn enter(&self) -> Guard<'_> {
        self.shared.count.fetch_add(1, Ordering::SeqCst);
        Guard(&self.shared)
    }

    /// Ends when no request is under way.
    pub(super) async fn none(&self) {
        loop {
            let told = self.shared.none_left.notified();
            tokio::pin!(told);
            // Listening begins before the look: an end in between is not missed.
            told.as_mut().enable();
            if self.shared.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            told.await;
        }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.none_left.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_ends_with_the_last_request() {
        let in_flight = InFlight::default();
        in_flight.none().await;
        let (first, second) = (in_flight.enter(), in_flight.enter());
        drop(first);
        let waiting = tokio::spawn({
            let in_flight = in_flight.clone();
            async move { in_flight.none().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(second);
        waiting.await.unwrap();
    }
}
