use super::*;

const DAY: Date = date(2026, 11, 10);

#[test]
fn d8_a_business_initiated_conversation_is_charged_once_per_24_hours_and_category() {
    let mut scene = Scene::new(Contract::Conversation, DAY);
    let first = scene.template(1, 0, Category::Marketing);
    assert_eq!((first.charge.rule, amount(&first.charge)), (Rule::ConversationOpened, "0.05"));
    assert_eq!(first.origin, Origin::BusinessInitiated);
    let second = scene.template(2, 23, Category::Marketing);
    assert_eq!((second.charge.rule, amount(&second.charge)), (Rule::WithinConversation, "free"));
    assert_eq!(second.charge.opened_by, Some(MessageId(1)), "names what opened it");
    let other = scene.template(3, 23, Category::Utility);
    assert_eq!((other.charge.rule, amount(&other.charge)), (Rule::ConversationOpened, "0.02"), "in parallel");
    // The 24 hours do not slide.
    let third = scene.template(4, 24, Category::Marketing);
    assert_eq!(third.charge.rule, Rule::ConversationOpened);
}

#[test]
fn d8_an_answer_opens_a_conversation_only_when_none_of_any_category_is_open() {
    let mut scene = Scene::new(Contract::Conversation, DAY);
    scene.template(1, 0, Category::Marketing);
    let within = scene.answer(2, 1);
    assert_eq!((within.charge.rule, within.origin), (Rule::WithinConversation, Origin::BusinessInitiated));
    // The marketing conversation ended; the contact's window may still be open.
    let opened = scene.answer(3, 25);
    assert_eq!((opened.charge.rule, opened.origin), (Rule::FreeTier, Origin::UserInitiated));
    let inside = scene.answer(4, 48);
    assert_eq!((inside.charge.rule, inside.charge.opened_by), (Rule::WithinConversation, Some(MessageId(3))));
}

#[test]
fn d8_a_thousand_user_initiated_conversations_a_month_are_free() {
    let mut scene = Scene::new(Contract::Conversation, DAY);
    for index in 1..=1_000 {
        let line = scene.answer(index, 0);
        assert_eq!((line.charge.rule, line.charge.free_tier_place), (Rule::FreeTier, Some(index as i64)));
        scene.next_conversation();
    }
    let beyond = scene.answer(1_001, 0);
    assert_eq!((beyond.charge.rule, amount(&beyond.charge)), (Rule::ConversationOpened, "0.01"));
    assert_eq!(beyond.charge.free_tier_place, Some(1_001));
    scene.next_conversation();
    let next_month = scene.answer(1_002, 24 * 25);
    assert_eq!((next_month.charge.rule, next_month.charge.free_tier_place), (Rule::FreeTier, Some(1)));
}

#[test]
fn d8_the_month_is_the_tenants_own() {
    let mut scene = Scene::new(Contract::Conversation, date(2026, 11, 30));
    let before = scene.answer(1, 10);
    scene.next_conversation();
    let after = scene.answer(2, 11);
    // 23:00 in Rome, and midnight there, an hour before midnight in UTC.
    assert_eq!((before.day, after.day), (date(2026, 11, 30), date(2026, 12, 1)));
    assert_eq!((before.charge.free_tier_place, after.charge.free_tier_place), (Some(1), Some(1)));
}

#[test]
fn d8_an_answered_advertisement_opens_72_free_hours_and_closes_the_others() {
    let mut scene = Scene::new(Contract::Conversation, DAY);
    scene.template(1, 0, Category::Marketing);
    scene.inbound(1, true);
    let opened = scene.answer(2, 2);
    assert_eq!((opened.charge.rule, opened.origin), (Rule::FreeEntryPointOpened, Origin::FreeEntryPoint));
    let within = scene.template(3, 73, Category::Marketing);
    assert_eq!(
        (within.charge.rule, within.charge.opened_by),
        (Rule::WithinFreeEntryPoint, Some(MessageId(2)))
    );
    let after = scene.template(4, 74, Category::Marketing);
    assert_eq!(after.charge.rule, Rule::ConversationOpened, "none was opened meanwhile");
}

#[test]
fn d8_an_advertisement_answered_after_24_hours_is_no_free_entry_point() {
    let mut scene = Scene::new(Contract::Conversation, DAY);
    scene.inbound(0, true);
    assert_eq!(scene.answer(1, 25).charge.rule, Rule::FreeTier);
}

#[test]
fn d8_the_contract_outlives_the_providers_rules() {
    for day in [date(2024, 1, 1), date(2025, 1, 1), date(2026, 1, 1), DAY] {
        let line = Scene::new(Contract::Conversation, day).template(1, 0, Category::Utility);
        assert_eq!((line.charge.policy, amount(&line.charge)), (policy::Policy::Conversation, "0.02"));
    }
}

#[test]
fn the_provider_counted_service_conversations_until_november_2024() {
    for (day, policy, rule) in [
        (date(2024, 10, 31), policy::Policy::Cbp2023, Rule::FreeTier),
        (date(2024, 11, 1), policy::Policy::Cbp2024_11, Rule::FreeConversationOpened),
    ] {
        let mut scene = Scene::new(Contract::PerMessage, day);
        let line = scene.answer(1, 0);
        assert_eq!((line.charge.policy, line.charge.rule), (policy, rule));
        // Utility within an open window was charged all the same.
        scene.inbound(25, false);
        assert_eq!(amount(&scene.template(2, 26, Category::Utility).charge), "0.02");
    }
}
