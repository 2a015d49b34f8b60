//! How users want to be told what happens while they are away.

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use crate::id::{TenantId, UserId};

/// What a user wishes, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeSettings {
    /// Whose user.
    pub tenant: TenantId,
    /// Whose wishes.
    pub user: UserId,
    /// The wishes.
    pub wishes: NoticeWishes,
}

/// How a user wants to be told what happens while they are away. The bell shows everything at once, whatever this says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoticeWishes {
    /// Be told by e-mail what stays unread.
    pub email: bool,
    /// IANA name of the zone that the times below are in; the tenant's when absent.
    #[schema(value_type = Option<String>, example = "Europe/Rome")]
    pub time_zone: Option<CompactString>,
    /// Nothing is sent then; one message follows.
    pub quiet_hours: Option<QuietHours>,
    /// Whether e-mails are gathered. Push messages never are.
    pub digest: Digest,
    /// When the daily one comes.
    pub digest_at: Option<TimeOfDay>,
}

/// A span of every day, over midnight when it ends before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// First minute.
    pub from: TimeOfDay,
    /// First minute after it.
    pub to: TimeOfDay,
}

impl QuietHours {
    /// Whether a time of day lies within.
    #[must_use]
    pub fn contains(&self, time: TimeOfDay) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

/// Whether e-mails are gathered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Digest {
    /// Each as soon as something stays unread.
    #[default]
    Off,
    /// One at each full hour.
    Hourly,
    /// One a day.
    Daily,
}

/// A time of day to the minute, such as `08:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay {
    /// 0 to 23.
    hour: u8,
    /// 0 to 59.
    minute: u8,
}

/// Text that is no time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a time of day from 00:00 to 23:59, such as 08:30")]
pub struct InvalidTimeOfDay;

impl TimeOfDay {
    /// 00:00.
    pub const MIDNIGHT: Self = Self { hour: 0, minute: 0 };

    /// A time of day; `None` when there is none such.
    #[must_use]
    pub const fn new(hour: u8, minute: u8) -> Option<Self> {
        if hour < 24 && minute < 60 { Some(Self { hour, minute }) } else { None }
    }

    /// 0 to 23.
    #[must_use]
    pub const fn hour(self) -> u8 {
        self.hour
    }

    /// 0 to 59.
    #[must_use]
    pub const fn minute(self) -> u8 {
        self.minute
    }
}

impl FromStr for TimeOfDay {
    type Err = InvalidTimeOfDay;

    fn from_str(text: &str) -> Result<Self, InvalidTimeOfDay> {
        let number = |digits: &str| match digits.as_bytes() {
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + ones - b'0'),
            _ => None,
        };
        let (hour, minute) = text.split_once(':').ok_or(InvalidTimeOfDay)?;
        let (hour, minute) = (number(hour).ok_or(InvalidTimeOfDay)?, number(minute).ok_or(InvalidTimeOfDay)?);
        Self::new(hour, minute).ok_or(InvalidTimeOfDay)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CompactString::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl utoipa::PartialSchema for TimeOfDay {
    fn schema() -> RefOr<Schema> {
        let pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$";
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).into()
    }
}

impl ToSchema for TimeOfDay {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d12_times_of_day_are_read_strictly() {
        for text in ["00:00", "08:30", "23:59"] {
            assert_eq!(text.parse::<TimeOfDay>().unwrap().to_string(), text);
        }
        for wrong in ["", "8:30", "24:00", "08:60", "08:30:00", "0830", "+8:30", "08:3 ", "aa:bb"] {
            assert_eq!(wrong.parse::<TimeOfDay>(), Err(InvalidTimeOfDay), "{wrong}");
        }
    }

    #[test]
    fn d12_quiet_hours_may_go_over_midnight() {
        let at = |text: &str| text.parse::<TimeOfDay>().unwrap();
        let quiet = |from, to| QuietHours { from: at(from), to: at(to) };
        for (hours, time, within) in [
            (quiet("12:00", "13:00"), "12:00", true),
            (quiet("12:00", "13:00"), "13:00", false),
            (quiet("22:00", "07:00"), "23:59", true),
            (quiet("22:00", "07:00"), "06:59", true),
            (quiet("22:00", "07:00"), "07:00", false),
            (quiet("22:00", "07:00"), "21:59", false),
        ] {
            assert_eq!(hours.contains(at(time)), within, "{hours:?} {time}");
        }
    }
}
