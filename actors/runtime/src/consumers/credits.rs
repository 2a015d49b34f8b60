//! Low credits: the tenant is told, and a payment is asked for, once for each crossing. Both are events of the tenant, so
//! the feed has them and its endpoints hear them signed.
//!
//! And credits that stay reserved since nobody ever says what became of a message: they are released.

use domain::credits::{judge, month};
use domain::limits::RESERVED_FOR;
use domain::metering::time_zone;
use rust_decimal::prelude::ToPrimitive as _;

use super::Shared;
use super::supervised::{ConsumerError, ViewCell};
use super::turn::Turn;
use crate::limits::CREDITS_POLL;

/// Its name.
pub(super) const NAME: &str = "credits";

/// Looks at every tenant with rules until told to stop.
pub(super) async fn run(shared: Shared, view: ViewCell) -> Result<(), ConsumerError> {
    let mut turn = shared.turn.subscribe();
    let mut done = 0;
    while *turn.borrow() == Turn::Ours {
        let taken = step(&shared).await?;
        done += taken as u64;
        view.moved(done, taken);
        tokio::select! {
            () = tokio::time::sleep(CREDITS_POLL) => {}
            _ = turn.changed() => {}
        }
    }
    Ok(())
}

/// Looks once; answers how much was done.
pub(super) async fn step(shared: &Shared) -> Result<usize, ConsumerError> {
    let mut done = release(shared).await?;
    let directory = shared.options.directory.load_full();
    let records = &shared.options.records;
    for tenant in directory.tenants.values() {
        let Some(rules) = &tenant.credit_rules else { continue };
        let now = shared.options.engine.now().await?;
        let zone = time_zone(&tenant.tenant.time_zone);
        let (month_from, _) = month(now.to_jiff().to_zoned(zone.clone()).date(), &zone);
        let Some(standing) = records.credit_standing(rules.tenant, month_from).await? else { continue };
        // Looked at first without holding the account: nearly always there is nothing to do.
        let (memory, steps) = judge(rules, &standing, (month_from, now));
        if !steps.is_empty() || memory != standing.memory {
            done += records.follow_credits(rules.clone(), month_from, now).await?.len();
        }
    }
    if done > 0 {
        shared.projected.send_modify(|count| *count += 1);
    }
    Ok(done)
}

/// Ends reservations that are too old to be settled by anybody.
async fn release(shared: &Shared) -> Result<usize, ConsumerError> {
    let now = shared.options.engine.now().await?;
    let records = &shared.options.records;
    let released = records.release_credits(now - RESERVED_FOR, now).await?;
    if released > 0 {
        tracing::info!(released, "reservations of credits ended: nobody said what became of the messages");
        shared.show_reserved().await?;
    }
    Ok(released)
}

impl Shared {
    /// Shows in the metrics what messages on their way may cost.
    pub(super) async fn show_reserved(&self) -> Result<(), ConsumerError> {
        let reserved = self.options.records.credits_reserved().await?;
        self.options.metrics.credits_reserved.set(reserved.to_f64().unwrap_or(0.0));
        Ok(())
    }
}
