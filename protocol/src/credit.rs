//! Payments that are asked for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a payment stands that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RechargeState {
    /// It is under way.
    Asked,
    /// It was counted.
    Paid,
    /// Whoever pays said no.
    Declined,
    /// Nobody said anything in time. A payment that names it still counts.
    GivenUp,
}
