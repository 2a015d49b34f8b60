//! Days of a query, in the tenant's time zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::Deserialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

use crate::api::auth::Caller;
use crate::state::AppState;

/// A day, or an instant that falls on one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Day {
    /// As people and bills name it.
    Date(Date),
    /// As programs do.
    Instant(Timestamp),
}

impl utoipa::PartialSchema for Day {
    fn schema() -> RefOr<Schema> {
        let text = |format, example: &str| {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::KnownFormat(format)))
                .examples([example])
        };
        AnyOfBuilder::new()
            .item(text(KnownFormat::Date, "2026-11-01"))
            .item(text(KnownFormat::DateTime, "2026-11-01T00:00:00Z"))
            .into()
    }
}

impl utoipa::ToSchema for Day {}

impl TryFrom<String> for Day {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        // The instant first: `jiff` refuses to forget the offset of one, but takes the date of a local time.
        let instant = text.parse().map(Self::Instant);
        instant
            .or_else(|_| text.parse().map(Self::Date))
            .map_err(|_| "must be a day such as 2026-11-01 or a time such as 2026-11-01T00:00:00Z")
    }
}

impl Day {
    /// The day that begins a span.
    pub(crate) fn first(self, zone: &TimeZone) -> Date {
        match self {
            Self::Date(date) => date,
            Self::Instant(at) => at.to_zoned(zone.clone()).date(),
        }
    }

    /// The day that ends a span. A day belongs to it; an instant does not, as everywhere in the API.
    pub(crate) fn last(self, zone: &TimeZone) -> Date {
        match self {
            Self::Date(date) => date,
            Self::Instant(at) => {
                let before = at.checked_sub(Span::new().milliseconds(1)).unwrap_or(at);
                before.to_zoned(zone.clone()).date()
            }
        }
    }
}

/// The zone in which the tenant's days begin.
pub(crate) fn zone(state: &AppState, caller: &Caller) -> TimeZone {
    let directory = state.directory.load();
    let name = directory.tenants.get(&caller.tenant).map_or("UTC", |tenant| tenant.tenant.time_zone.as_str());
    domain::metering::time_zone(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn days_and_instants_name_days_of_the_tenant() {
        let rome = TimeZone::get("Europe/Rome").unwrap();
        let shown = |day: Day| (day.first(&rome).to_string(), day.last(&rome).to_string());
        assert_eq!(shown(day("2026-11-30")), ("2026-11-30".into(), "2026-11-30".into()));
        assert_eq!(shown(day("2026-11-30T23:00:00Z")), ("2026-12-01".into(), "2026-11-30".into()));
        assert_eq!(shown(day("2026-11-30T23:00:00.001Z")), ("2026-12-01".into(), "2026-12-01".into()));
        for wrong in ["", "November", "2026-13-01", "1793000000"] {
            assert!(Day::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
