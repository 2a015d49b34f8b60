use protocol::directory::ApiKey;
use protocol::id::KeyId;
use protocol::pricing::Money;
use store::records::Notifications as _;

use super::*;
use crate::consumers::follow::Follower;
use crate::consumers::notifier::Notifier;

async fn notified(owner: Option<Owner>) -> Vec<UserId> {
    let mut world = World::new().await;
    world.commit(CHAT, vec![started(), notify(owner)]).await;
    world.project().await;
    let notifier = Notifier { shared: world.shared.clone() };
    Follower::new(world.shared.clone(), notifier).await.unwrap().step().await.unwrap();
    let mut told = Vec::new();
    for (tenant, user) in [(ACME, anna()), (ACME, ivo()), (OTHER, stranger()), (ACME, stranger())] {
        let found = world.records.notifications_after(tenant, user, EventSeq(0), 10).await.unwrap();
        told.extend(found.iter().map(|record| record.user));
        let total = world.records.unread_counts(tenant, user).await.unwrap().total;
        assert_eq!(total, found.len() as u64);
    }
    told
}

#[tokio::test]
async fn d12_the_users_behind_an_owner_are_told_and_only_the_tenants_own() {
    assert_eq!(notified(Some(Owner::User(anna()))).await, [anna()]);
    assert_eq!(notified(Some(Owner::Role("admin".into()))).await, [ivo()]);
    assert_eq!(
        notified(Some(Owner::Group(GroupId(1)))).await,
        [anna(), ivo()],
        "not the stranger in the group"
    );
    assert_eq!(notified(None).await, [anna(), ivo()], "unassigned concerns everybody");
    assert_eq!(notified(Some(Owner::User(stranger()))).await, [anna(), ivo()], "nobody is left: everybody");
}

#[tokio::test]
async fn d12_streams_hear_what_is_stored_and_a_slow_one_learns_that_it_missed_some() {
    let mut world = World::new().await;
    let mut annas = NotificationStream::new(&world.shared, ACME, anna());
    let mut ivos = NotificationStream::new(&world.shared, ACME, ivo());
    let slow = NotificationStream::new(&world.shared, ACME, ivo());
    world
        .commit(CHAT, vec![started(), notify(Some(Owner::User(anna()))), notify(Some(Owner::User(ivo())))])
        .await;
    world.project().await;
    let notifier = Notifier { shared: world.shared.clone() };
    Follower::new(world.shared.clone(), notifier).await.unwrap().step().await.unwrap();
    let Some(Told::New(first)) = annas.next().await else { panic!("nothing") };
    assert_eq!((first.user, first.conversation), (anna(), Some(CHAT)));
    let Some(Told::New(second)) = ivos.next().await else { panic!("nothing") };
    assert!(second.user == ivo() && second.seq > first.seq);
    for _ in 0..NOTIFICATIONS_IN_FLIGHT {
        world.shared.told.send(Told::New(first.clone())).unwrap();
    }
    let mut slow = slow;
    assert_eq!(slow.next().await, Some(Told::Missed));
}

fn key(user: Option<UserId>, tenant: TenantId, scopes: &[&str], expires_at: Option<TimestampMs>) -> ApiKey {
    let secret_sha256 = format!("{user:?} {tenant} {scopes:?}");
    ApiKey {
        id: KeyId::derive(&[secret_sha256.as_bytes()]),
        tenant,
        name: "key".into(),
        secret_sha256,
        hint: "key".into(),
        scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
        user,
        expires_at,
    }
}

#[tokio::test]
async fn d12_low_credits_reach_the_bell_of_those_who_may_see_them() {
    let mut world = World::new().await;
    let keys = vec![
        key(Some(anna()), ACME, &["billing:*"], None),
        key(Some(ivo()), ACME, &["messages:*", "billing:write"], None),
        key(Some(ivo()), ACME, &["billing:read"], Some(NOON)),
        key(None, ACME, &["*"], None),
        key(Some(stranger()), OTHER, &["*"], None),
        key(Some(stranger()), ACME, &["*"], None),
    ];
    let documents = DirectoryDocuments { keys, ..documents(Vec::new()) };
    world.shared.options.directory.store(Arc::new(Directory::build(documents)));
    let euro = |amount: i64| Money { amount: amount.into(), currency: Currency("EUR".into()) };
    let low = Event {
        id: EventId(9),
        at: NOON,
        traceparent: None,
        tenant: Some(ACME),
        conversation: None,
        fact: Fact::CreditsLow { available: euro(5), below: euro(20) },
    };
    world.commit_bytes(vec![codec::encode(&low).unwrap()]).await;
    world.project().await;
    let notifier = Notifier { shared: world.shared.clone() };
    Follower::new(world.shared.clone(), notifier).await.unwrap().step().await.unwrap();
    let told = world.records.notifications_after(ACME, anna(), EventSeq(0), 9).await.unwrap();
    assert_eq!(
        told.iter().map(|row| (row.about, row.conversation)).collect::<Vec<_>>(),
        [(NotificationKind::LowCredits, None)]
    );
    let counts = world.records.unread_counts(ACME, anna()).await.unwrap();
    assert_eq!((counts.total, counts.conversations.len()), (1, 0));
    for (tenant, user) in [(ACME, ivo()), (OTHER, stranger()), (ACME, stranger())] {
        assert_eq!(world.records.notifications_after(tenant, user, EventSeq(0), 9).await.unwrap(), []);
    }
}
