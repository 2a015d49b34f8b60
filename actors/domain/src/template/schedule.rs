//! When the provider's list of templates is compared with ours.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use protocol::id::{WabaId, derive};
use protocol::time::TimestampMs;

/// Nobody edits templates then.
const FROM_HOUR: i8 = 2;
/// Accounts are spread over so many minutes, so that not all of them ask at once.
const OVER_MINUTES: u64 = 180;

/// The first night hour of an account after a time, in the tenant's own zone.
#[must_use]
pub fn next_comparison(after: TimestampMs, zone: &TimeZone, account: &WabaId) -> TimestampMs {
    let minute = (derive("sync1", &[account.as_str().as_bytes()]) % u128::from(OVER_MINUTES)) as i64;
    let Ok(instant) = Timestamp::from_millisecond(after.0) else { return after };
    let mut day = instant.to_zoned(zone.clone()).date();
    // Two days ahead there is one in any case, even where a clock change leaves an hour out.
    for _ in 0..3 {
        let at = day.at(FROM_HOUR, 0, 0, 0).saturating_add(minute.minutes()).to_zoned(zone.clone());
        match at.map(|at| TimestampMs(at.timestamp().as_millisecond())) {
            Ok(at) if at > after => return at,
            _ => day = day.saturating_add(1.day()),
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metering::time_zone;

    const HOUR_MS: i64 = 3_600_000;

    proptest! {
        #[test]
        fn e4_every_account_is_compared_once_a_night(
            after in 1_700_000_000_000..1_900_000_000_000i64,
            zone in prop::sample::select(vec!["UTC", "Europe/Rome", "America/Sao_Paulo", "Asia/Kolkata"]),
            account in "[0-9]{5}",
        ) {
            let (zone, account) = (time_zone(zone), WabaId::new(account));
            let at = next_comparison(TimestampMs(after), &zone, &account);
            prop_assert!(at.0 > after && at.0 - after <= 26 * HOUR_MS);
            let local = Timestamp::from_millisecond(at.0).unwrap().to_zoned(zone.clone());
            prop_assert!((2..6).contains(&local.hour()), "{local}");
            let next = next_comparison(at, &zone, &account);
            prop_assert!(next.0 - at.0 >= 22 * HOUR_MS, "once");
        }
    }
}
