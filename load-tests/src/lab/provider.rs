//! What the provider says about the limits that it has.

use std::collections::HashMap;

use serde::Serialize;

use crate::simulator::{Handle, LedgerEntry};

/// Limits of the provider.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ProviderLimits {
    /// POSTs that it refused because of the throughput of a number (130429).
    pub over_number_limit: u64,
    /// POSTs that it refused because of a pair (131056).
    pub over_pair_limit: u64,
    /// POSTs that it refused for other reasons, by code.
    pub refused_otherwise: u64,
    /// The most of one number that arrived within any second. What left a few milliseconds apart may arrive together, so
    /// that one or two more than the limit are no breach: the provider's own count decides.
    pub busiest_second: usize,
    /// What a number may send in a second.
    pub throughput_per_second: u32,
    /// POSTs that it accepted.
    pub accepted: u64,
}

impl ProviderLimits {
    /// The provider had to refuse nothing because of them.
    #[must_use]
    pub fn held(&self) -> bool {
        self.over_number_limit + self.over_pair_limit == 0
    }
}

/// Asks the provider and looks through its ledger.
pub(super) fn limits(
    provider: &Handle,
    ledger: &[LedgerEntry],
    throughput_per_second: u32,
) -> ProviderLimits {
    let stats = provider.stats();
    let refused = |code: i64| stats.refused.get(&code).copied().unwrap_or(0);
    let (over_number_limit, over_pair_limit) = (refused(130_429), refused(131_056));
    ProviderLimits {
        over_number_limit,
        over_pair_limit,
        refused_otherwise: stats.refused.values().sum::<u64>() - over_number_limit - over_pair_limit,
        busiest_second: busiest_second(ledger),
        throughput_per_second,
        accepted: stats.accepted,
    }
}

fn busiest_second(ledger: &[LedgerEntry]) -> usize {
    let mut of_number: HashMap<&str, Vec<i64>> = HashMap::new();
    for entry in ledger {
        of_number.entry(&entry.phone_number_id).or_default().push(entry.at_ms);
    }
    let busiest = |mut times: Vec<i64>| {
        times.sort_unstable();
        let mut first = 0;
        let within = |(last, at_ms): (usize, &i64)| {
            while times[first] <= at_ms - 1_000 {
                first += 1;
            }
            last - first + 1
        };
        times.iter().enumerate().map(within).max().unwrap_or(0)
    };
    of_number.into_values().map(busiest).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_second_may_begin_anywhere() {
        let entry = |at_ms: i64, number: &str| LedgerEntry {
            position: 0,
            at_ms,
            phone_number_id: number.into(),
            to: String::new(),
            message_type: String::new(),
            opaque_id: None,
            wamid: String::new(),
            body_sha256: String::new(),
            body: serde_json::Value::Null,
        };
        let times = [0, 900, 950, 1_800, 1_899, 1_900, 5_000];
        let mut ledger: Vec<_> = times.map(|at_ms| entry(at_ms, "1")).into();
        ledger.push(entry(950, "2"));
        assert_eq!(busiest_second(&ledger), 4);
    }
}
