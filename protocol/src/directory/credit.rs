//! What a tenant wants to happen when its credits run low.

use serde::{Deserialize, Serialize};

use crate::id::TenantId;
use crate::pricing::Money;

/// What a tenant wants to happen when its credits run low.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditRules {
    /// Whose.
    pub tenant: TenantId,
    /// It is told when less is available; once until a payment lifts it again.
    #[serde(default)]
    pub notify_below: Option<Money>,
    /// A payment is asked for.
    #[serde(default)]
    pub recharge: Option<RechargeRule>,
}

/// When which payment is asked for. All amounts are in the currency of the credits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RechargeRule {
    /// When less than this is available.
    pub minimum_balance: Money,
    /// So much.
    pub amount: Money,
    /// Not more than this in a calendar month of the tenant's time zone.
    pub monthly_limit: Option<Money>,
}
