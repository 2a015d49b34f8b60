use proptest::prelude::*;
use protocol::directory::QuietHours;

use super::*;

const ROME: &str = "Europe/Rome";

fn time(text: &str) -> TimeOfDay {
    text.parse().unwrap()
}

fn at(text: &str) -> TimestampMs {
    let zoned: Zoned = text.parse().unwrap();
    TimestampMs(zoned.timestamp().as_millisecond())
}

fn quiet(from: &str, to: &str) -> Option<QuietHours> {
    Some(QuietHours { from: time(from), to: time(to) })
}

fn daily(text: &str) -> NoticeWishes {
    NoticeWishes { digest: Digest::Daily, digest_at: Some(time(text)), ..NoticeWishes::default() }
}

#[test]
fn d12_quiet_hours_and_digests_put_off() {
    let plain = NoticeWishes::default();
    let night = NoticeWishes { quiet_hours: quiet("22:00", "07:00"), ..plain.clone() };
    let noon = NoticeWishes { quiet_hours: quiet("12:30", "13:30"), ..plain.clone() };
    let hourly = NoticeWishes { digest: Digest::Hourly, ..plain.clone() };
    let hourly_night = NoticeWishes { digest: Digest::Hourly, ..night.clone() };
    for (wishes, way, oldest, due_at) in [
        (&plain, Way::Mail, "2026-11-20T10:00", "2026-11-20T10:05"),
        (&night, Way::Mail, "2026-11-20T21:54", "2026-11-20T21:59"),
        (&night, Way::Mail, "2026-11-20T21:55", "2026-11-21T07:00"),
        (&night, Way::Push, "2026-11-21T03:00", "2026-11-21T07:00"),
        (&noon, Way::Mail, "2026-11-20T12:27", "2026-11-20T13:30"),
        (&hourly, Way::Mail, "2026-11-20T10:10", "2026-11-20T11:00"),
        (&hourly, Way::Mail, "2026-11-20T09:55", "2026-11-20T10:00"),
        (&hourly, Way::Push, "2026-11-20T10:10", "2026-11-20T10:15"),
        (&hourly_night, Way::Mail, "2026-11-20T21:30", "2026-11-21T07:00"),
        (&daily("08:00"), Way::Mail, "2026-11-20T07:55", "2026-11-20T08:00"),
        (&daily("08:00"), Way::Mail, "2026-11-20T07:56", "2026-11-21T08:00"),
        // Clocks go forward at 2:00 on 29 March 2026, and back at 3:00 on 25 October.
        (&daily("02:30"), Way::Mail, "2026-03-28T12:00", "2026-03-29T03:30"),
        (&daily("08:00"), Way::Mail, "2026-03-28T12:00", "2026-03-29T08:00"),
        (&night, Way::Mail, "2026-10-24T23:00", "2026-10-25T07:00"),
    ] {
        let on = |text: &str| at(&format!("{text}[{ROME}]"));
        let unread = Unread { oldest: on(oldest), after: SpanMs::minutes(5), present_until: None };
        assert_eq!(due(wishes, ROME, way, unread), on(due_at), "{wishes:?} {oldest}");
    }
}

#[test]
fn d12_quiet_hours_end_in_the_hour_that_comes_twice() {
    let wishes = NoticeWishes { quiet_hours: quiet("22:00", "02:30"), ..NoticeWishes::default() };
    let oldest = at("2026-10-25T02:10+01:00[Europe/Rome]");
    let unread = Unread { oldest, after: SpanMs(0), present_until: None };
    assert_eq!(due(&wishes, ROME, Way::Push, unread), at("2026-10-25T02:30+01:00[Europe/Rome]"));
}

#[test]
fn d12_the_users_own_zone_counts_and_presence_puts_off() {
    let wishes = NoticeWishes { time_zone: Some("Asia/Tokyo".into()), ..daily("08:00") };
    let oldest = at("2026-11-20T10:00[Europe/Rome]");
    let unread = Unread { oldest, after: SpanMs(0), present_until: None };
    assert_eq!(due(&wishes, ROME, Way::Mail, unread), at("2026-11-21T08:00[Asia/Tokyo]"));
    let present = Unread { present_until: Some(at("2026-11-21T09:00[Asia/Tokyo]")), ..unread };
    assert_eq!(due(&wishes, ROME, Way::Mail, present), at("2026-11-22T08:00[Asia/Tokyo]"));
}

#[test]
fn d12_wishes_that_contradict_themselves_are_named() {
    let plain = NoticeWishes::default();
    let found =
        |wishes: &NoticeWishes| check(wishes).iter().map(|problem| problem.pointer).collect::<Vec<_>>();
    assert_eq!(found(&plain), [""; 0]);
    assert_eq!(found(&NoticeWishes { time_zone: Some("Rome".into()), ..plain.clone() }), ["/time_zone"]);
    assert_eq!(
        found(&NoticeWishes { quiet_hours: quiet("08:00", "08:00"), ..plain.clone() }),
        ["/quiet_hours/to"]
    );
    assert_eq!(found(&NoticeWishes { digest: Digest::Daily, ..plain.clone() }), ["/digest_at"]);
    assert_eq!(found(&NoticeWishes { digest_at: Some(time("08:00")), ..plain }), ["/digest_at"]);
    assert_eq!(
        found(&NoticeWishes { quiet_hours: quiet("22:00", "09:00"), ..daily("08:00") }),
        ["/digest_at"]
    );
}

prop_compose! {
    fn any_time()(hour in 0u8..24, minute in 0u8..60) -> TimeOfDay {
        TimeOfDay::new(hour, minute).unwrap()
    }
}

prop_compose! {
    fn any_wishes()(
        quiet in proptest::option::of((any_time(), any_time())),
        digest in prop::sample::select(vec![Digest::Off, Digest::Hourly, Digest::Daily]),
        at in any_time(),
        zone in prop::sample::select(vec![ROME, "Asia/Kolkata", "America/Sao_Paulo", "Australia/Lord_Howe", "UTC"]),
    ) -> NoticeWishes {
        let quiet_hours = quiet.map(|(from, to)| QuietHours { from, to });
        let digest_at = Some(at).filter(|_| digest == Digest::Daily);
        NoticeWishes { email: true, time_zone: Some(zone.into()), quiet_hours, digest, digest_at }
    }
}

proptest! {
    #[test]
    fn d12_nobody_is_told_early_or_never(
        wishes in any_wishes().prop_filter("sound", |wishes| check(wishes).is_empty()),
        way in prop::sample::select(vec![Way::Mail, Way::Push]),
        oldest in 1_767_225_600_000i64..1_798_761_600_000,
        present in proptest::option::of(0i64..200_000_000),
        later in 0i64..200_000_000,
    ) {
        let unread = Unread {
            oldest: TimestampMs(oldest),
            after: SpanMs::minutes(5),
            present_until: present.map(|ahead| TimestampMs(oldest + ahead)),
        };
        let told = due(&wishes, "UTC", way, unread);
        let earliest = TimestampMs(oldest + present.unwrap_or(0).max(300_000));
        prop_assert!(told >= earliest && told - earliest <= SpanMs::hours(26));
        let zone = TimeZone::get(wishes.time_zone.as_deref().unwrap()).unwrap();
        let local = time_of(&told.to_jiff().to_zoned(zone));
        if let Some(quiet) = wishes.quiet_hours {
            prop_assert!(!quiet.contains(local), "{local} in {quiet:?}");
        }
        let newer = Unread { oldest: TimestampMs(oldest + later), ..unread };
        prop_assert!(due(&wishes, "UTC", way, newer) >= told);
    }
}
