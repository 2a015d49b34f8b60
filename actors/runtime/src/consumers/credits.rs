//! Low credits: the tenant is told, and a payment is asked for, once for each crossing. Both are events of the tenant, so
//! the feed has them and its endpoints hear them signed.

use domain::credits::{judge, month};
use domain::metering::time_zone;

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
    let directory = shared.options.directory.load_full();
    let records = &shared.options.records;
    let mut done = 0;
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
