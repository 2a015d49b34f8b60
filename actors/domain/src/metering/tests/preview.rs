use protocol::entry::Address;

use super::*;

const DAY: Date = date(2026, 11, 10);

impl Scene {
    fn preview(&self, hours: i64, category: Option<Category>) -> Line {
        let address = Address {
            tenant: TenantId(1),
            number: NumberId(7),
            contact: ContactKey::Phone(E164::parse("+393331234567").unwrap()),
            conversation: self.conversation,
        };
        let wish = Wish {
            category: category.unwrap_or(Category::Service),
            template: category.is_some(),
            at: self.at(hours),
        };
        let book = book(self.contract, &self.cards);
        for name in preview_counters(&book, &address, wish) {
            assert!(name.ends_with("2026-11"), "{name}");
        }
        preview(&self.state, &book, &self.counters, (&address, wish)).unwrap()
    }
}

#[test]
fn f7_a_preview_says_what_the_bill_will_say() {
    for contract in [Contract::Conversation, Contract::PerMessage] {
        let mut scene = Scene::new(contract, DAY);
        let steps = [
            (0, Some(Category::Utility)),
            (1, Some(Category::Utility)),
            (2, Some(Category::Marketing)),
            (3, None),
            (30, None),
            (31, Some(Category::Utility)),
        ];
        for (message, (hours, category)) in (1..).zip(steps) {
            let before = (scene.state.clone(), scene.counters.clone());
            let shown = scene.preview(hours, category);
            assert_eq!((scene.state.clone(), scene.counters.clone()), before, "looking changes nothing");
            let billed = match category {
                Some(category) => scene.template(message, hours, category),
                None => scene.answer(message, hours),
            };
            let what = |line: &Line| {
                let Charge { policy, rule, free_tier_place, amount, rate_card, .. } = line.charge.clone();
                (policy, rule, free_tier_place, amount, rate_card, line.market.clone(), line.origin)
            };
            assert_eq!(what(&shown), what(&billed), "message {message}");
        }
    }
}

#[test]
fn f7_a_conversation_that_has_not_begun_can_be_previewed() {
    let mut scene = Scene::new(Contract::Conversation, DAY);
    scene.state = PairState::default();
    let shown = scene.preview(0, Some(Category::Utility));
    assert_eq!((shown.market.as_str(), shown.charge.rule), ("IT", Rule::ConversationOpened));
    assert!(shown.words().contains("rate card `first`"), "{}", shown.words());
}
