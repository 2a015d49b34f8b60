//! Low credits: who is told, and which payments were asked for.

use async_trait::async_trait;
use domain::credits::{Recharge, Standing, Step};
use protocol::directory::CreditRules;
use protocol::id::{RechargeId, TenantId};
use protocol::time::TimestampMs;

use super::{Page, PageRequest, RecordsResult};

/// The rules of low credits at work. What they lead to is told by events of the tenant, stored with it.
#[async_trait]
pub trait Recharges: Send + Sync + 'static {
    /// How a tenant stands in the month that began at a time, if it has credits.
    async fn credit_standing(
        &self,
        tenant: TenantId,
        month_from: TimestampMs,
    ) -> RecordsResult<Option<Standing>>;

    /// Applies a tenant's rules (see [`domain::credits::judge`]) while nobody else changes its credits, durably.
    /// Answers what was done.
    async fn follow_credits(
        &self,
        rules: CreditRules,
        month_from: TimestampMs,
        now: TimestampMs,
    ) -> RecordsResult<Vec<Step>>;

    /// Payments that were asked for, newest first.
    async fn recharges(&self, tenant: TenantId, page: PageRequest) -> RecordsResult<Page<Recharge>>;

    /// Whoever pays said no, durably. Answers the payment as it is now: one that has ended stays as it is.
    async fn decline_recharge(
        &self,
        tenant: TenantId,
        id: RechargeId,
        reason: String,
        at: TimestampMs,
    ) -> RecordsResult<Option<Recharge>>;
}
