//! What holds for every webhook.

use proptest::prelude::*;
use protocol::id::PhoneNumberId;
use protocol::whatsapp::webhook::Part;

use super::super::*;
use super::world::*;

fn any_names() -> impl Strategy<Value = Names> {
    let phone = prop::option::of(3_900_000_000_u64..3_900_000_003);
    let bsuid = prop::option::of(prop::sample::select(vec!["IT.1", "IT.2", "IT.3"]));
    (phone, bsuid).prop_map(|(phone, bsuid)| names(phone, bsuid))
}

fn any_part() -> impl Strategy<Value = Part> {
    let number = prop::option::of(prop::sample::select(vec!["pnaa", "pnbb", "pncc"]));
    let payload = prop_oneof![
        any_names().prop_map(|names| message(&names)),
        any_names().prop_map(|names| status(&names, None)),
        (any_names(), any_names()).prop_map(|(old, new)| renamed(&old, &new)),
    ];
    (number, payload)
        .prop_map(|(number, part)| Part { phone_number_id: number.map(PhoneNumberId::new), ..part })
}

proptest! {
    #[test]
    fn parts_are_conserved_and_routing_is_deterministic(parts in prop::collection::vec(any_part(), 0..40)) {
        let system = actix_rt::Runtime::new().unwrap();
        let run = || system.block_on(async {
            let engine = engine();
            let ingress = ingress(&engine);
            let accepted = accept(&ingress, parts.clone(), &[TENANT_A]).await;
            (accepted, log(&engine).await)
        });
        let (accepted, entries) = run();
        prop_assert_eq!(accepted.total(), parts.len() as u64);
        prop_assert_eq!(entries.len(), parts.len());
        let within_scope = |entry: &Entry| match &entry.body {
            EntryBody::Conversation { address, .. } => (address.tenant, address.number) == (TENANT_A, NUMBER_A),
            EntryBody::Account(notice) => notice.tenant != Some(TENANT_B),
        };
        prop_assert!(entries.iter().all(within_scope));
        prop_assert_eq!(run(), (accepted, entries));
    }
}
