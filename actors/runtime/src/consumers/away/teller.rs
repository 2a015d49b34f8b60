//! Looking at what is due, and telling it.

use domain::directory::TenantDirectory;
use domain::notice::{Unread, due, letter};
use futures_util::stream::{self, StreamExt as _};
use protocol::time::{SpanMs, TimestampMs};
use store::records::{Reach, Settled, Untold};

use super::{Carried, Carrier, Notice};
use crate::consumers::Shared;
use crate::consumers::endpoints::Breaker;
use crate::consumers::supervised::{ConsumerError, ViewCell};
use crate::consumers::turn::Turn;
use crate::limits::{
    REACH_BATCH, REACH_CLAIM, REACH_POLL, REACHES_AT_ONCE, TELL_ATTEMPTS, TELL_RETRY_MAX, TELL_RETRY_MIN,
};

/// What came of looking at one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Settled without an attempt.
    Settled,
    /// Somebody else has it, or there is no room: another time.
    Left,
    /// Told.
    Told,
    /// An attempt failed.
    Failed {
        /// It would have for everybody.
        for_all: bool,
    },
}

/// Tells what is due, one way.
pub(in crate::consumers) struct Teller<C> {
    shared: Shared,
    carrier: C,
    breaker: Breaker,
}

impl<C: Carrier> Teller<C> {
    pub(super) fn new(shared: Shared, carrier: C) -> Self {
        Self { shared, carrier, breaker: Breaker::default() }
    }

    pub(super) async fn run(mut self, view: &ViewCell) -> Result<(), ConsumerError> {
        let mut turn = self.shared.turn.subscribe();
        let mut done = 0;
        while *turn.borrow() == Turn::Ours {
            let handled = self.step().await?;
            done += handled as u64;
            view.moved(done, handled);
            tokio::select! {
                () = tokio::time::sleep(REACH_POLL), if handled == 0 => {}
                () = tokio::task::yield_now(), if handled > 0 => {}
                _ = turn.changed() => {}
            }
        }
        Ok(())
    }

    /// Looks at what is due now, a bounded number at once; answers how much came to something.
    pub(in crate::consumers) async fn step(&mut self) -> Result<usize, ConsumerError> {
        let now = self.shared.options.engine.now().await?;
        let allowed = self.breaker.allows(now, REACH_BATCH);
        if allowed == 0 {
            return Ok(0);
        }
        let due = self.shared.options.records.reaches_due(C::WAY, now, allowed).await?;
        let turn = self.shared.turn.subscribe();
        let looks: Vec<_> = stream::iter(&due)
            // What has begun is finished, so that nobody is told twice because a node stops.
            .take_while(|_| std::future::ready(*turn.borrow() == Turn::Ours))
            .map(|reach| self.look(reach, now))
            .buffer_unordered(REACHES_AT_ONCE)
            .collect()
            .await;
        let mut handled = 0;
        for look in looks {
            let look = look?;
            handled += usize::from(look != Look::Left);
            match look {
                Look::Told => self.breaker.succeeded(),
                Look::Failed { for_all: true } => self.breaker.failed(now),
                Look::Settled | Look::Left | Look::Failed { for_all: false } => {}
            }
        }
        Ok(handled)
    }

    async fn look(&self, reach: &Reach, now: TimestampMs) -> Result<Look, ConsumerError> {
        let options = &self.shared.options;
        let directory = options.directory.load_full();
        let tenant = directory.tenants.get(&reach.tenant);
        let known = tenant.and_then(|tenant| Some((tenant, tenant.users.get(&reach.user)?)));
        let Some((tenant, user)) = known.filter(|(tenant, _)| self.carrier.serves(tenant, reach)) else {
            options.records.forget_reach(reach.id).await?;
            return Ok(Look::Settled);
        };
        let Some(untold) = options.records.untold(reach).await? else {
            return self.settle(reach, Settled::Nothing, Look::Settled).await;
        };
        let at = self.due(tenant, reach, &untold);
        if at > now {
            return self.settle(reach, Settled::Later(at), Look::Settled).await;
        }
        if reach.attempts >= TELL_ATTEMPTS {
            let error = reach.last_error.clone().unwrap_or_default();
            return self.give_up(reach, &untold, error, Look::Settled).await;
        }
        if !self.carrier.has_room(now) || !options.records.claim_reach(reach, now + REACH_CLAIM).await? {
            return Ok(Look::Left);
        }
        let letter = letter(&tenant.tenant.language, &untold.counts, untold.conversations);
        let notice = Notice { reach, user, letter, link: &options.away.link };
        let carried = self.carrier.carry(&notice, now).await;
        self.follow(reach, &untold, carried).await
    }

    fn due(&self, tenant: &TenantDirectory, reach: &Reach, untold: &Untold) -> TimestampMs {
        let wishes = tenant.notices.get(&reach.user).cloned().unwrap_or_default();
        let unread = Unread {
            oldest: untold.oldest,
            after: self.carrier.after(),
            present_until: untold.present_until,
        };
        due(&wishes, &tenant.tenant.time_zone, C::WAY, unread)
    }

    /// Stores how an attempt ended.
    async fn follow(&self, reach: &Reach, untold: &Untold, carried: Carried) -> Result<Look, ConsumerError> {
        let [told, retried, _] = C::COUNTED;
        let counted = &self.shared.options.metrics.notifications;
        match carried {
            Carried::Told => {
                counted.of(told).inc();
                self.settle(reach, Settled::Told(untold.newest), Look::Told).await
            }
            Carried::Gone => {
                self.shared.options.records.forget_reach(reach.id).await?;
                Ok(Look::Settled)
            }
            Carried::Refused(error) => {
                self.give_up(reach, untold, error, Look::Failed { for_all: false }).await
            }
            Carried::Failed { error, for_all, not_before } => {
                counted.of(retried).inc();
                tracing::warn!(way = ?C::WAY, user = %reach.user, %error, "a user who is away was not told yet");
                let at = self.shared.options.engine.now().await? + pause(reach.attempts).max(not_before);
                self.settle(reach, Settled::Failed { at, error }, Look::Failed { for_all }).await
            }
        }
    }

    async fn give_up(
        &self,
        reach: &Reach,
        untold: &Untold,
        error: String,
        look: Look,
    ) -> Result<Look, ConsumerError> {
        let [.., given_up] = C::COUNTED;
        self.shared.options.metrics.notifications.of(given_up).inc();
        tracing::warn!(way = ?C::WAY, user = %reach.user, %error, "a user who is away is not told");
        self.settle(reach, Settled::GivenUp { through: untold.newest, error }, look).await
    }

    async fn settle(&self, reach: &Reach, settled: Settled, look: Look) -> Result<Look, ConsumerError> {
        self.shared.options.records.settle_reach(reach.id, settled).await?;
        Ok(look)
    }
}

/// The pause after so many failed attempts before this one: doubles up to a bound.
fn pause(failed_before: u32) -> SpanMs {
    SpanMs(TELL_RETRY_MIN.0.saturating_mul(1 << failed_before.min(16)).min(TELL_RETRY_MAX.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d12_attempts_end_after_a_day_or_so() {
        let total: i64 = (0..TELL_ATTEMPTS).map(|failed| pause(failed).0).sum();
        assert!((SpanMs::hours(24).0..SpanMs::hours(36).0).contains(&total), "{total}");
        assert_eq!(
            (pause(0), pause(1), pause(99)),
            (TELL_RETRY_MIN, SpanMs(2 * TELL_RETRY_MIN.0), TELL_RETRY_MAX)
        );
    }
}
