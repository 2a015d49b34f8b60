use proptest::prelude::*;

use super::*;
use crate::limits::METER_BILLED;

/// A report on one of a few messages.
fn report() -> impl Strategy<Value = (u128, MessageStatus, i64, Option<Category>)> {
    let categories = [Category::Marketing, Category::Utility, Category::Authentication];
    let statuses =
        [MessageStatus::Sent, MessageStatus::Delivered, MessageStatus::Read, MessageStatus::Failed];
    let category = prop_oneof![Just(None), proptest::sample::select(categories.to_vec()).prop_map(Some)];
    (1..20u128, proptest::sample::select(statuses.to_vec()), 0..200i64, category)
}

fn contract() -> impl Strategy<Value = Contract> {
    prop_oneof![Just(Contract::Conversation), Just(Contract::PerMessage)]
}

fn day() -> impl Strategy<Value = Date> {
    let days = [date(2024, 5, 1), date(2025, 5, 1), date(2026, 5, 1), date(2026, 11, 1)];
    proptest::sample::select(days.to_vec())
}

fn run(scene: &mut Scene, reports: &[(u128, MessageStatus, i64, Option<Category>)]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (message, state, hours, category) in reports {
        let at = scene.at(*hours);
        if let Some(Booking::Line(line)) = scene.fact(status(*message, *state, at, *category)) {
            lines.push(*line);
        }
    }
    lines
}

proptest! {
    #[test]
    fn p9_each_delivered_message_has_exactly_one_line(
        reports in proptest::collection::vec(report(), 0..60), contract in contract(), day in day(),
    ) {
        let mut scene = Scene::new(contract, day);
        let lines = run(&mut scene, &reports);
        let mut billed: Vec<_> = lines.iter().map(|line| line.message.0).collect();
        billed.sort_unstable();
        let arrived = |state: &MessageStatus| matches!(state, MessageStatus::Delivered | MessageStatus::Read);
        let mut expected: Vec<_> =
            reports.iter().filter(|report| arrived(&report.1)).map(|report| report.0).collect();
        expected.sort_unstable();
        expected.dedup();
        prop_assert_eq!(billed, expected);
        // Hearing everything again changes nothing: neither lines, nor state, nor counters.
        let (state, counters) = (scene.state.clone(), scene.counters.clone());
        prop_assert!(run(&mut scene, &reports).is_empty());
        prop_assert_eq!((scene.state, scene.counters), (state, counters));
    }

    #[test]
    fn p9_the_sum_of_what_is_explained_is_the_total(
        reports in proptest::collection::vec(report(), 0..60), contract in contract(), day in day(),
    ) {
        let lines = run(&mut Scene::new(contract, day), &reports);
        let total: Decimal = lines.iter().filter_map(|line| line.charge.amount.as_ref()).map(|money| money.amount).sum();
        let card = &card("first", date(2020, 1, 1), "0.01").rows[0];
        let explained: Decimal = lines.iter().filter(|line| line.charge.rule.is_charged()).map(|line| match line.category {
            Category::Marketing => card.marketing,
            Category::Utility => card.utility,
            Category::Authentication => card.authentication,
            Category::Service => card.service,
        }).sum();
        prop_assert_eq!(total, explained);
        for line in &lines {
            prop_assert_eq!(line.charge.amount.is_some(), line.charge.rate_card.is_some());
        }
        // Whatever is "within" names an opener that has a line of its own.
        for opener in lines.iter().filter_map(|line| line.charge.opened_by) {
            prop_assert!(lines.iter().any(|line| line.message == opener));
        }
    }

    #[test]
    fn d8_late_reports_never_cost_more(hours in proptest::collection::vec(0..120i64, 1..12), seed in any::<u64>()) {
        let opened = |order: &[i64]| {
            let mut scene = Scene::new(Contract::Conversation, date(2026, 11, 1));
            let lines = order.iter().enumerate().map(|(index, hours)| scene.template(index as u128 + 1, *hours, Category::Utility));
            lines.filter(|line| line.charge.rule == Rule::ConversationOpened).count()
        };
        let mut in_order = hours.clone();
        in_order.sort_unstable();
        let mut shuffled = hours;
        shuffled.sort_by_key(|hours| (*hours as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        prop_assert!(opened(&shuffled) <= opened(&in_order));
    }

    #[test]
    fn d8_interleaving_conversations_changes_no_line(
        left in proptest::collection::vec(report(), 0..20), right in proptest::collection::vec(report(), 0..20),
        turns in proptest::collection::vec(any::<bool>(), 40),
    ) {
        let day = date(2026, 11, 1);
        let alone = |reports: &[_]| {
            let mut lines = run(&mut Scene::new(Contract::Conversation, day), reports);
            lines.iter_mut().for_each(forget_place);
            lines
        };
        let mut scenes = [Scene::new(Contract::Conversation, day), Scene::new(Contract::Conversation, day)];
        let (mut queues, mut lines) = ([&left[..], &right[..]], [Vec::new(), Vec::new()]);
        let mut counters = Counters::new();
        let mut free = 0;
        for side in turns.iter().map(|turn| usize::from(*turn)).chain([0, 1].repeat(20)) {
            let Some((next, rest)) = queues[side].split_first() else { continue };
            queues[side] = rest;
            scenes[side].counters = counters;
            lines[side].extend(run(&mut scenes[side], std::slice::from_ref(next)));
            counters = std::mem::take(&mut scenes[side].counters);
        }
        for line in lines.iter_mut().flatten() {
            free += usize::from(line.charge.rule == Rule::FreeTier);
            forget_place(line);
        }
        prop_assert_eq!(counters.iter().filter(|(name, _)| name.starts_with("conversation/")).map(|(_, value)| *value as usize).sum::<usize>(), free);
        prop_assert_eq!(&lines[0], &alone(&left));
        prop_assert_eq!(&lines[1], &alone(&right));
    }
}

fn forget_place(line: &mut Line) {
    line.charge.free_tier_place = None;
    line.cost.free_tier_place = None;
}

#[test]
fn p9_reading_after_a_long_silence_bills_nothing_twice() {
    let mut scene = Scene::new(Contract::PerMessage, date(2026, 11, 1));
    let many = 3 * METER_BILLED as u128;
    for message in 1..=many {
        scene.template(message, message as i64, Category::Marketing);
    }
    let read_at = scene.at(500);
    for message in 1..=many {
        let fact = match status(message, MessageStatus::Read, read_at, Some(Category::Marketing)) {
            Fact::StatusChanged {
                message,
                status,
                at,
                category,
                template,
                errors,
                provider_id,
                pricing,
                ..
            } => {
                let queued_at = scene.at(message.0 as i64);
                Fact::StatusChanged {
                    message,
                    status,
                    at,
                    category,
                    template,
                    errors,
                    provider_id,
                    pricing,
                    queued_at,
                }
            }
            other => other,
        };
        assert_eq!(scene.fact(fact), None);
    }
}

#[test]
fn the_state_is_bounded_and_survives_storage() {
    let mut scene = Scene::new(Contract::Conversation, date(2026, 11, 1));
    for message in 1..=1_000 {
        scene.template(message, message as i64, Category::Marketing);
        let at = scene.at(message as i64);
        let sent = status(message + 5_000, MessageStatus::Sent, at, Some(Category::Marketing));
        scene.fact(match sent {
            Fact::StatusChanged {
                message,
                status,
                at,
                category,
                template,
                errors,
                provider_id,
                queued_at,
                ..
            } => {
                let pricing = Some(word("regular", "marketing"));
                Fact::StatusChanged {
                    message,
                    status,
                    at,
                    category,
                    template,
                    errors,
                    provider_id,
                    pricing,
                    queued_at,
                }
            }
            other => other,
        });
    }
    let stored = scene.state.encode().unwrap();
    assert!(stored.len() < 6_000, "{}", stored.len());
    assert_eq!(PairState::decode(&stored), Some(scene.state));
    assert_eq!(PairState::decode(&[9, 9]), None);
    assert_eq!(PairState::decode(&[]), None);
}
