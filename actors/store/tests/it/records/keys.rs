use protocol::time::SpanMs;
use store::records::*;

use super::facts::{ACME, OTHER, minute};
use super::{Backend, fresh};

pub(super) async fn a_key_is_claimed_once_for_24_hours<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let claim = |tenant, fingerprint, at| records.claim_key(tenant, "k1".into(), fingerprint, at);
    assert_eq!(claim(ACME, u64::MAX, minute(0)).await.unwrap(), Claim::Fresh);
    assert_eq!(claim(ACME, u64::MAX, minute(1)).await.unwrap(), Claim::Same { response: None });
    assert_eq!(claim(ACME, 7, minute(1)).await.unwrap(), Claim::Different);
    assert_eq!(claim(OTHER, 7, minute(1)).await.unwrap(), Claim::Fresh);
    let later = minute(0) + SpanMs::hours(24);
    assert_eq!(claim(ACME, 7, later).await.unwrap(), Claim::Fresh);
    records.release_key(ACME, "k1".into()).await.unwrap();
    assert_eq!(claim(ACME, 8, later).await.unwrap(), Claim::Fresh, "released: may be used for anything");
    records.forget(later + SpanMs::hours(24) + SpanMs(1)).await.unwrap();
    assert_eq!(claim(ACME, 9, later).await.unwrap(), Claim::Fresh);
}

pub(super) async fn answers_are_kept<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let response = StoredResponse { status: 201, etag: Some("\"7\"".into()), body: "{}".into() };
    records.claim_key(ACME, "k1".into(), 1, minute(0)).await.unwrap();
    records.keep_response(ACME, "k1".into(), response.clone()).await.unwrap();
    records.release_key(ACME, "k1".into()).await.unwrap();
    let same = records.claim_key(ACME, "k1".into(), 1, minute(1)).await.unwrap();
    assert_eq!(same, Claim::Same { response: Some(response) }, "an answered key is not given back");
}
