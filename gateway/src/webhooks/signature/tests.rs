//! Signatures and tokens against small directories.

use std::collections::BTreeMap;
use std::path::Path;

use data_encoding::HEXLOWER;
use domain::directory::TenantDirectory;

use super::*;
use crate::apply;

/// A directory of tenants with one number each: name, app secrets.
fn directory(tenants: &[(&str, &[&str])]) -> Arc<Directory> {
    let mut directory = Directory::default();
    for (name, secrets) in tenants {
        let text = format!(
            "tenants: [ {{ name: {name}, numbers: [ {{ nickname: n, channel: whatsapp, phone: '+15550783881',
               phone_number_id: '1', verify_token: token-of-{name}, app_secrets: {secrets:?} }} ] }} ]"
        );
        let resolved = apply::parse(Path::new("a.yaml"), &text).unwrap();
        let tenant = resolved.tenants.into_iter().next().unwrap();
        let tenant = TenantDirectory {
            numbers: resolved.numbers.into_iter().map(|number| (number.id, number)).collect(),
            tenant,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            templates: BTreeMap::new(),
            flows: BTreeMap::new(),
            endpoints: Vec::new(),
            pauses: domain::directory::Pauses::default(),
            credit_rules: None,
            notices: BTreeMap::new(),
        };
        directory.tenants.insert(tenant.tenant.id, Arc::new(tenant));
    }
    Arc::new(directory)
}

fn verifier(tenants: &[(&str, &[&str])]) -> Verifier {
    Verifier::new(Arc::new(ArcSwap::new(directory(tenants))))
}

fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
}

#[test]
fn each_secret_in_use_is_accepted_and_names_its_tenants() {
    let verifier =
        verifier(&[("acme", &["old", "new"]), ("beta", &["other"]), ("gamma", &["shared", "new"])]);
    let [acme, beta, gamma] = ["acme", "beta", "gamma"].map(crate::ids::tenant);
    for _ in 0..2 {
        for (secret, mut expected) in
            [("old", vec![acme]), ("other", vec![beta]), ("new", vec![acme, gamma]), ("shared", vec![gamma])]
        {
            expected.sort();
            let signed = verifier.signed_by(sign(secret, b"body").as_bytes(), b"body");
            assert_eq!(signed.as_deref(), Some(expected.as_slice()), "{secret}");
        }
    }
}

#[test]
fn everything_else_is_refused() {
    let verifier = verifier(&[("acme", &["secret"])]);
    let good = sign("secret", b"body");
    for header in [
        "",
        "sha256=",
        &good[7..],
        &good.replace("sha256", "sha1"),
        &good[..good.len() - 1],
        &format!("{good}0"),
        &sign("wrong", b"body"),
        "sha256=zz",
    ] {
        assert_eq!(verifier.signed_by(header.as_bytes(), b"body"), None, "{header}");
    }
    assert_eq!(verifier.signed_by(good.as_bytes(), b"Body"), None, "another body");
    assert!(
        verifier.signed_by(good.to_uppercase().replace("SHA256", "sha256").as_bytes(), b"body").is_some()
    );
    assert_eq!(
        self::verifier(&[]).signed_by(good.as_bytes(), b"body"),
        None,
        "nobody is configured: fail closed"
    );
}

#[test]
fn a_new_directory_is_followed() {
    let current = Arc::new(ArcSwap::new(directory(&[("acme", &["old"])])));
    let verifier = Verifier::new(current.clone());
    assert!(verifier.signed_by(sign("old", b"x").as_bytes(), b"x").is_some());
    current.store(directory(&[("acme", &["new"])]));
    assert!(verifier.signed_by(sign("old", b"x").as_bytes(), b"x").is_none());
    assert!(verifier.signed_by(sign("new", b"x").as_bytes(), b"x").is_some());
}

#[test]
fn handshake_tokens_of_all_numbers_are_known() {
    let verifier = verifier(&[("acme", &["a"]), ("beta", &["b"])]);
    assert!(verifier.knows_token("token-of-acme"));
    assert!(verifier.knows_token("token-of-beta"));
    assert!(!verifier.knows_token("token-of-nobody"));
    assert!(!verifier.knows_token(""));
}
