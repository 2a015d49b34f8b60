use super::*;

#[test]
fn d8_until_october_2026_templates_are_charged_and_utility_is_free_in_the_window() {
    let mut scene = Scene::new(Contract::PerMessage, date(2026, 9, 10));
    let outside = scene.template(1, 0, Category::Utility);
    assert_eq!((outside.charge.rule, amount(&outside.charge)), (Rule::MessageDelivered, "0.02"));
    scene.inbound(1, false);
    assert_eq!(scene.template(2, 2, Category::Utility).charge.rule, Rule::UtilityInWindow);
    for (message, category, price) in
        [(3, Category::Marketing, "0.05"), (4, Category::Authentication, "0.03")]
    {
        assert_eq!(amount(&scene.template(message, 2, category).charge), price, "charged inside it too");
    }
    assert_eq!(scene.answer(5, 3).charge.rule, Rule::FreeForm);
    assert_eq!(scene.template(6, 25, Category::Utility).charge.rule, Rule::MessageDelivered, "window closed");
}

#[test]
fn d8_from_october_2026_utility_is_charged_in_the_window_and_service_after_a_thousand_a_month() {
    let mut scene = Scene::new(Contract::PerMessage, date(2026, 10, 10));
    scene.inbound(0, false);
    assert_eq!(amount(&scene.template(1, 1, Category::Utility).charge), "0.02");
    for index in 1..=1_000 {
        let line = scene.answer(1_000 + index, 1);
        assert_eq!((line.charge.rule, line.charge.free_tier_place), (Rule::FreeTier, Some(index as i64)));
        scene.next_conversation();
    }
    let beyond = scene.answer(9_999, 1);
    assert_eq!((beyond.charge.rule, amount(&beyond.charge)), (Rule::MessageDelivered, "0.01"));
}

#[test]
fn d8_free_entry_points_are_free_by_message_too_and_use_up_no_free_tier() {
    let mut scene = Scene::new(Contract::PerMessage, date(2026, 11, 10));
    scene.inbound(0, true);
    assert_eq!(scene.answer(1, 1).charge.rule, Rule::FreeEntryPointOpened);
    assert_eq!(scene.answer(2, 2).charge.rule, Rule::WithinFreeEntryPoint);
    assert_eq!(scene.template(3, 3, Category::Marketing).charge.rule, Rule::WithinFreeEntryPoint);
    assert!(scene.counters.is_empty());
}

#[test]
fn d8_the_rules_and_prices_of_the_day_of_queueing_apply() {
    let mut scene = Scene::new(Contract::PerMessage, date(2026, 9, 30));
    scene.cards.push(card("second", date(2026, 10, 1), "0.09"));
    scene.inbound(0, false);
    let fact = |queued_at, at| Fact::StatusChanged {
        message: MessageId(1),
        status: MessageStatus::Delivered,
        at,
        provider_id: None,
        category: Category::Utility,
        template: true,
        pricing: None,
        errors: Vec::new(),
        queued_at,
    };
    let (before, after) = (scene.at(0), scene.at(20));
    let line = scene.line(fact(before, after));
    assert_eq!((line.charge.policy, line.charge.rule), (policy::Policy::Pmp2025_07, Rule::UtilityInWindow));
    scene.next_conversation();
    let line = scene.line(fact(after, after));
    assert_eq!(line.charge.policy, policy::Policy::Pmp2026_10);
    let card = line.charge.rate_card.unwrap();
    assert_eq!((card.name.as_str(), card.effective_from), ("second", date(2026, 10, 1)));
}

#[test]
fn p9_a_charge_without_a_price_is_listed_as_such() {
    let mut scene = Scene::new(Contract::PerMessage, date(2026, 11, 10));
    scene.cards.clear();
    let line = scene.template(1, 0, Category::Marketing);
    assert!(line.charge.is_unpriced() && line.charge.amount.is_none());
}

#[test]
fn prices_follow_the_calling_code_and_fall_back_to_the_row_for_all_others() {
    let mut scene = Scene::new(Contract::PerMessage, date(2026, 11, 10));
    scene.cards[0].rows[1].marketing = "0.03".parse().unwrap();
    assert_eq!(amount(&scene.template(1, 0, Category::Marketing).charge), "0.05");
    scene.state.market = Some("FR".into());
    assert_eq!(amount(&scene.template(2, 0, Category::Marketing).charge), "0.03");
}

#[test]
fn failed_messages_cost_nothing() {
    let mut scene = Scene::new(Contract::PerMessage, date(2026, 11, 10));
    for unbilled in
        [MessageStatus::Queued, MessageStatus::Sent, MessageStatus::Failed, MessageStatus::Unknown]
    {
        let at = scene.at(0);
        assert_eq!(scene.fact(status(1, unbilled, at, Some(Category::Marketing))), None);
    }
    // Another device reported a failure, but the person has it.
    assert_eq!(amount(&scene.template(1, 1, Category::Marketing).charge), "0.05");
}
