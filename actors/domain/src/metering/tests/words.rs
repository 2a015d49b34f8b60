use protocol::entry::ProviderStatus;

use super::*;

const DAY: Date = date(2026, 11, 10);

fn reported(fact: Fact, word: ProviderPricing) -> Fact {
    match fact {
        Fact::StatusChanged { message, status, at, category, template, errors, queued_at, .. } => {
            Fact::StatusChanged {
                message,
                status,
                at,
                category,
                template,
                errors,
                queued_at,
                provider_id: None,
                pricing: Some(word),
            }
        }
        other => other,
    }
}

fn delivered(scene: &Scene, message: u128, hours: i64, category: Option<Category>) -> Fact {
    status(message, MessageStatus::Delivered, scene.at(hours), category)
}

#[test]
fn f5_the_providers_word_wins_and_the_difference_is_listed() {
    let mut scene = Scene::new(Contract::Conversation, DAY);
    let fact = delivered(&scene, 1, 0, Some(Category::Utility));
    let line = scene.line(reported(fact, word("free_customer_service", "utility")));
    assert_eq!((line.cost.rule, amount(&line.cost)), (Rule::ReportedFree, "free"));
    assert_eq!(amount(line.estimate.as_ref().unwrap()), "0.02");
    assert_eq!(amount(&line.charge), "0.02", "the contract by conversation is ours alone");

    let fact = delivered(&scene, 2, 0, Some(Category::Utility));
    let line = scene.line(reported(fact, word("regular", "marketing")));
    assert_eq!(
        (line.cost.rule, amount(&line.cost)),
        (Rule::ReportedCharged, "0.05"),
        "moved to another category"
    );
}

#[test]
fn f5_agreement_keeps_our_own_reason() {
    let mut scene = Scene::new(Contract::PerMessage, DAY);
    let fact = delivered(&scene, 1, 0, Some(Category::Marketing));
    let line = scene.line(reported(fact, word("regular", "marketing_lite")));
    assert_eq!((line.cost.rule, line.estimate), (Rule::MessageDelivered, None));
    let fact = delivered(&scene, 2, 0, None);
    let line = scene.line(reported(fact, word("free_customer_service", "service")));
    assert_eq!((line.cost.rule, line.estimate), (Rule::FreeTier, None));
}

#[test]
fn p9_a_tenant_billed_by_message_pays_what_the_provider_says() {
    let mut scene = Scene::new(Contract::PerMessage, DAY);
    let fact = delivered(&scene, 1, 0, Some(Category::Marketing));
    let line = scene.line(reported(fact, word("free_entry_point", "referral_conversion")));
    assert_eq!(line.charge, line.cost);
    assert_eq!((line.charge.rule, amount(&line.charge)), (Rule::FreeEntryPointOpened, "free"));
}

#[test]
fn f5_a_word_that_came_with_sent_is_kept_until_delivery() {
    let mut scene = Scene::new(Contract::PerMessage, DAY);
    let at = scene.at(0);
    let sent = status(1, MessageStatus::Sent, at, Some(Category::Utility));
    assert_eq!(scene.fact(reported(sent, word("free_customer_service", "utility"))), None);
    let line = scene.template(1, 1, Category::Utility);
    assert_eq!(line.cost.rule, Rule::ReportedFree);
}

#[test]
fn f5_a_word_that_comes_after_the_line_is_added_to_it_once() {
    let mut scene = Scene::new(Contract::PerMessage, DAY);
    scene.template(1, 0, Category::Utility);
    scene.template(2, 0, Category::Utility);
    let at = scene.at(1);
    let read =
        |message, word| reported(status(message, MessageStatus::Read, at, Some(Category::Utility)), word);
    let agreed = read(1, word("regular", "utility"));
    let expected = Booking::Word { message: MessageId(1), report: word("regular", "utility"), cost: None };
    assert_eq!(scene.fact(agreed.clone()), Some(expected));
    assert_eq!(scene.fact(agreed), None);
    let Some(Booking::Word { cost: Some(cost), .. }) = scene.fact(read(2, word("regular", "marketing")))
    else {
        panic!("no difference");
    };
    assert_eq!((cost.rule, amount(&cost)), (Rule::ReportedCharged, "0.05"));
}

#[test]
fn by_conversation_every_message_of_a_charged_one_is_reported_billable() {
    let mut scene = Scene::new(Contract::PerMessage, date(2025, 3, 1));
    let cbp = ProviderPricing { model: "CBP".into(), kind: None, ..word("regular", "marketing") };
    let first = delivered(&scene, 1, 0, Some(Category::Marketing));
    assert_eq!(amount(&scene.line(reported(first, cbp.clone())).cost), "0.05");
    let second = delivered(&scene, 2, 1, Some(Category::Marketing));
    let line = scene.line(reported(second, cbp));
    assert_eq!((line.cost.rule, line.estimate), (Rule::WithinConversation, None));
}

#[test]
fn d8_the_providers_end_of_a_free_entry_point_is_the_true_one() {
    let mut scene = Scene::new(Contract::PerMessage, DAY);
    scene.inbound(0, true);
    let told = ProviderPricing {
        conversation_expires_at: Some(scene.at(7 * 24)),
        ..word("free_entry_point", "referral_conversion")
    };
    let fact = delivered(&scene, 1, 1, None);
    assert_eq!(scene.line(reported(fact, told)).charge.rule, Rule::FreeEntryPointOpened);
    assert_eq!(scene.template(2, 7 * 24 - 1, Category::Marketing).charge.rule, Rule::WithinFreeEntryPoint);
    assert_eq!(scene.template(3, 7 * 24, Category::Marketing).charge.rule, Rule::MessageDelivered);
}

#[test]
fn f5_a_message_that_only_the_opaque_id_still_knows_is_billed_by_the_providers_word() {
    let mut scene = Scene::new(Contract::PerMessage, DAY);
    let at = scene.at(0);
    let unmatched = |message: Option<u128>, status, pricing| Fact::StatusUnmatched {
        provider_id: ProviderId::new("w"),
        message: message.map(MessageId),
        status,
        at,
        pricing,
        errors: Vec::new(),
    };
    let word = || Some(word("regular", "marketing"));
    let line = scene.line(unmatched(Some(5), ProviderStatus::Delivered, word()));
    assert_eq!((line.template, amount(&line.charge)), (true, "0.05"));
    assert_eq!(scene.fact(unmatched(Some(5), ProviderStatus::Read, word())), None, "once");
    assert_eq!(scene.fact(unmatched(None, ProviderStatus::Delivered, word())), None, "not ours");
    // The word may have come earlier than the delivery, and without one nobody knows what it was.
    assert_eq!(scene.fact(unmatched(Some(6), ProviderStatus::Sent, word())), None);
    assert_eq!(amount(&scene.line(unmatched(Some(6), ProviderStatus::Delivered, None)).charge), "0.05");
    assert_eq!(scene.fact(unmatched(Some(7), ProviderStatus::Delivered, None)), None);
}
