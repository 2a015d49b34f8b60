//! Mistakes in files, all of them, with their paths.

use std::path::Path;

use super::{ApplyError, parse};

const WHOLE: &str = r#"
tenants:
  - name: acme
    language: it
    time_zone: Europe/Rome
    contract: conversation
    credits: { balance: "250.00", currency: EUR, low_balance: "20",
               auto_recharge: { minimum_balance: "10", amount: "50", monthly_limit: "200" } }
    keys:
      - { name: ats, secret: "key_acme_0123456789abcdef", scopes: ["*"], user: anna@acme.example }
    users:
      - { name: Anna Rossi, email: anna@acme.example, role: recruiter }
    groups:
      - { name: logistics, members: [anna@acme.example] }
    numbers:
      - nickname: main
        channel: whatsapp
        phone: "+15550783881"
        phone_number_id: "106540352242922"
        waba_id: "102290129340398"
        app_secret: "s3cr3t-of-the-app"
        verify_token: "my-verify-token"
        access_token: "EAAG-token"
        base_url: "http://127.0.0.1:9999"
        unknown_sender: { create: candidate, assign: { user: anna@acme.example } }
      - { nickname: sms-it, channel: sms, phone: "+393399957083", account_sid: AC01, auth_token: t }
    templates:
      - { name: invite, kind: approved, language: it, category: utility, body: "Ciao {{1}}", status: approved }
      - { name: thanks, kind: custom, language: it, body: "Grazie {{candidate.first_name}}!" }
    flows:
      - id: test0001
        steps: [ { key: name, ask: "Come ti chiami?", type: text } ]
        completion: "Grazie."
rate_cards:
  - { name: meta, currency: EUR, effective_from: 2026-10-01, rows:
      [ { market: IT, marketing: "0.0572", utility: "0.0248", authentication: "0.0248", service: "0.0248" } ] }
"#;

fn problems(name: &str, text: &str) -> Vec<String> {
    match parse(Path::new(name), text) {
        Err(ApplyError::Invalid(problems)) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("expected problems, got {other:?}"),
    }
}

#[test]
fn a_whole_file_is_resolved() {
    let resolved = parse(Path::new("apply.yaml"), WHOLE).unwrap();
    assert_eq!(resolved.numbers.len(), 2);
    assert_eq!(resolved.groups[0].members, [resolved.users[0].id]);
    let rules = &resolved.credit_rules[0];
    assert_eq!(rules.notify_below.as_ref().unwrap().amount.to_string(), "20");
    assert_eq!(rules.recharge.as_ref().unwrap().amount.currency.0, "EUR");
    assert_eq!(resolved.flows[0].id.as_str(), "TEST0001");
    assert_eq!(resolved.flows[0].language, "it", "the tenant's language");
    assert_eq!(resolved.rate_cards[0].rows[0].service.to_string(), "0.0248");
    assert_eq!(resolved.numbers[0].secrets.app_secrets, ["s3cr3t-of-the-app"]);
    assert_eq!(resolved.keys[0].secret_sha256.len(), 64);
}

#[test]
fn toml_has_the_same_keys() {
    let text = r#"
        [[tenants]]
        name = "acme"
        [[tenants.users]]
        name = "Anna"
        email = "anna@acme.example"
        [[rate_cards]]
        name = "meta"
        currency = "EUR"
        effective_from = 2026-10-01
        rows = [{ market = "*", marketing = "1", utility = "1", authentication = "1", service = "1" }]
    "#;
    let resolved = parse(Path::new("apply.toml"), text).unwrap();
    assert_eq!(resolved.rate_cards[0].effective_from.to_string(), "2026-10-01");
}

#[test]
fn every_problem_is_listed_with_its_path() {
    let text = r#"
tenants:
  - name: acme
    time_zone: Mars/Base
    colour: red
    users:
      - { name: Anna, mail: anna@acme.example }
      - { name: Ivo, email: ivo@acme.example, notifications: { quiet_hours: { from: "8", to: "09:00" } } }
      - { name: Ada, email: ada@acme.example, notifications: { digest: daily } }
    groups:
      - { name: g, members: [nobody@acme.example] }
    numbers:
      - { nickname: a, channel: whatsapp, phone: 12, phone_number_id: 106540352242922 }
      - { nickname: b, channel: pigeon, phone: "+15550783881" }
      - { nickname: c, channel: whatsapp, phone: "0123", app_secret: x, phone_number_id: "1" }
    templates:
      - { name: Not Allowed, kind: approved, language: it, body: x }
"#;
    let found = problems("apply.yaml", text);
    let all = found.join("\n");
    for expected in [
        "tenants[0].colour: unknown field `colour`",
        "tenants[0].users[0].mail: unknown field `mail`",
        "tenants[0].users[0]: missing field `email`",
        "tenants[0].users[1].notifications.quiet_hours.from: must be a time of day",
        "tenants[0].users[2].notifications.digest_at: must say when",
        "tenants[0].numbers[0].phone: invalid type: integer",
        "tenants[0].numbers[1].channel: unknown variant `pigeon`",
        "tenants[0].numbers[2].phone: must begin with a country code",
        "tenants[0].time_zone: not a known IANA time zone",
        "tenants[0].groups[0].members[0]: no user",
        "tenants[0].templates[0]: an approved template needs `category`",
        "tenants[0].templates[0].name: approved names",
    ] {
        assert!(all.contains(expected), "{expected} not in:\n{all}");
    }
    assert!(all.contains("put the number in quotes"), "{all}");
    assert!(!all.contains("missing field `channel`"), "a consequence, not a mistake:\n{all}");
}

#[test]
fn secrets_come_from_files_beside_the_apply_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), "key_0123456789abcdef\n").unwrap();
    let path = folder.path().join("apply.yaml");
    let text = "tenants: [ { name: a, keys: [ { name: k, secret_file: key, scopes: ['*'] } ] } ]";
    assert_eq!(parse(&path, text).unwrap().keys[0].hint, "key_0123");
    let missing = problems(path.to_str().unwrap(), &text.replace("_file: key", "_file: nothing"));
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert!(missing[0].starts_with("tenants[0].keys[0].secret_file: nothing cannot be read"), "{missing:?}");
}

#[test]
fn an_empty_file_configures_nothing() {
    assert!(parse(Path::new("apply.yaml"), "").unwrap().tenants.is_empty());
}

#[test]
fn norwegian_is_a_language() {
    let resolved = parse(Path::new("apply.yaml"), "tenants: [ { name: y, language: no } ]").unwrap();
    assert_eq!((resolved.tenants[0].name.as_str(), resolved.tenants[0].language.as_str()), ("y", "no"));
}

#[test]
fn d9_rules_of_credits_that_cannot_hold_are_named() {
    let text = r#"
tenants:
  - name: acme
    credits: { balance: "1", currency: EUR, low_balance: "-1",
               auto_recharge: { minimum_balance: "0", amount: "50", monthly_limit: "20" } }
"#;
    let found = problems("acme.yaml", text);
    let at = |field: &str, detail: &str| format!("tenants[0].credits.{field}: {detail}");
    let amount = "must be above zero, with at most nine decimals";
    assert_eq!(
        found,
        [
            at("low_balance", amount),
            at("auto_recharge.minimum_balance", amount),
            at("auto_recharge.monthly_limit", "must not be less than `amount`"),
        ]
    );
}
