//! When a user who is away is told what happened.
//!
//! The laws, each a property test:
//!
//! * **Never early.** Not before it stayed unread for a while, not while the user is there, not in quiet hours.
//! * **Not for ever.** At most a day and two hours after that: a day may have 25 hours.
//! * **In order.** What came later is never due earlier: when to look is known from the oldest one alone.

mod text;

use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned, civil};
use protocol::directory::{Digest, NoticeWishes, TimeOfDay};
use protocol::time::{SpanMs, TimestampMs};

pub use self::text::{Letter, letter};
use crate::metering::time_zone;

#[cfg(test)]
mod tests;

/// The ways to reach somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// E-mail: gathered when the user wants a digest.
    Mail,
    /// A push message to a browser.
    Push,
}

/// What has to be known of unread notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unread {
    /// When the oldest one came.
    pub oldest: TimestampMs,
    /// How long it has to stay unread.
    pub after: SpanMs,
    /// Until when the user counts as being there.
    pub present_until: Option<TimestampMs>,
}

/// Something that is wrong with wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: a JSON pointer.
    pub pointer: &'static str,
    /// What would be right.
    pub detail: &'static str,
}

/// What is wrong with wishes.
#[must_use]
pub fn check(wishes: &NoticeWishes) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut problem = |pointer, detail| found.push(Problem { pointer, detail });
    if wishes.time_zone.as_ref().is_some_and(|name| TimeZone::get(name).is_err()) {
        problem("/time_zone", "must be an IANA time zone such as Europe/Rome");
    }
    if wishes.quiet_hours.is_some_and(|quiet| quiet.from == quiet.to) {
        problem("/quiet_hours/to", "must differ from `from`; leave `quiet_hours` out to have none");
    }
    let within = |at| wishes.quiet_hours.is_some_and(|quiet| quiet.contains(at));
    match (wishes.digest, wishes.digest_at) {
        (Digest::Daily, None) => problem("/digest_at", "must say when the daily digest comes, such as 08:00"),
        (Digest::Daily, Some(at)) if within(at) => {
            problem("/digest_at", "must not lie within `quiet_hours`: nothing is sent then");
        }
        (Digest::Off | Digest::Hourly, Some(_)) => {
            problem("/digest_at", "must be left out unless `digest` is `daily`");
        }
        _ => {}
    }
    found
}

/// When somebody is told what they have not read.
#[must_use]
pub fn due(wishes: &NoticeWishes, tenant_zone: &str, way: Way, unread: Unread) -> TimestampMs {
    let zone = time_zone(wishes.time_zone.as_deref().unwrap_or(tenant_zone));
    let earliest = unread.oldest + unread.after;
    let earliest = unread.present_until.map_or(earliest, |until| earliest.max(until));
    let at = earliest.to_jiff().to_zoned(zone);
    let gathered = match (way, wishes.digest, wishes.digest_at) {
        (Way::Mail, Digest::Hourly, _) => full_hour(at),
        (Way::Mail, Digest::Daily, Some(time)) => next(at, time, false),
        _ => at,
    };
    let sent = match wishes.quiet_hours {
        Some(quiet) if quiet.contains(time_of(&gathered)) => next(gathered, quiet.to, true),
        _ => gathered,
    };
    TimestampMs(sent.timestamp().as_millisecond()).max(earliest)
}

fn time_of(at: &Zoned) -> TimeOfDay {
    let digit = |value: i8| u8::try_from(value).unwrap_or(0);
    // A civil time always is a time of day.
    TimeOfDay::new(digit(at.hour()), digit(at.minute())).unwrap_or(TimeOfDay::MIDNIGHT)
}

/// The next full hour, or now if it is one.
fn full_hour(at: Zoned) -> Zoned {
    let past = i64::from(at.minute()) * 60_000 + i64::from(at.second()) * 1_000 + i64::from(at.millisecond());
    if past == 0 { at } else { at.checked_add((3_600_000 - past).milliseconds()).unwrap_or(at) }
}

/// The next time that the clocks show a time of day, or now if they do. Where a clock is turned back they show it twice: with
/// `either`, the second one counts as well.
fn next(at: Zoned, time: TimeOfDay, either: bool) -> Zoned {
    let civil = civil::time(civil_part(time.hour()), civil_part(time.minute()), 0, 0);
    let on = |date: civil::Date| date.to_datetime(civil).to_zoned(at.time_zone().clone()).ok();
    let (today, tomorrow) = (at.date(), at.date().tomorrow().unwrap_or(civil::Date::MAX));
    let by_date = [today, tomorrow].into_iter().filter_map(on).find(|found| *found >= at);
    let minutes = |time: TimeOfDay| i64::from(time.hour()) * 60 + i64::from(time.minute());
    let ahead = (minutes(time) - minutes(time_of(&at))).rem_euclid(24 * 60);
    let by_clock = at.checked_add(ahead.minutes()).ok().filter(|found| either && time_of(found) == time);
    let by_clock = by_clock.and_then(|found| found.with().second(0).subsec_nanosecond(0).build().ok());
    by_date.into_iter().chain(by_clock.filter(|found| *found >= at)).min().unwrap_or(at)
}

fn civil_part(part: u8) -> i8 {
    i8::try_from(part).unwrap_or(0)
}
