//! Layers, origins and mistakes.

use std::path::PathBuf;

use super::{ConfigError, DEFAULT_FILE, Origin, Problem, Sources, load};

fn environment(variables: &[(&str, &str)]) -> Sources {
    let environment =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sources { environment, ..Sources::default() }
}

fn problems(sources: &Sources) -> Vec<Problem> {
    let ConfigError(problems) = load(sources).unwrap_err();
    problems
}

#[test]
fn the_default_file_is_complete_and_valid() {
    // `Settings` refuses unknown keys and has no optional ones, so code and file cannot drift apart.
    let loaded = load(&Sources::default()).unwrap();
    assert_eq!(loaded.settings.webhooks.max_body_bytes, 3 * 1024 * 1024);
    assert!(loaded.values.values().all(|(_, origin)| *origin == Origin::Default));
}

#[test]
fn every_default_key_has_a_comment() {
    let mut commented = false;
    for line in DEFAULT_FILE.lines() {
        let is_key = line.contains(" = ") && !line.starts_with('#');
        assert!(!is_key || commented, "no comment above: {line}");
        commented = line.starts_with('#');
    }
}

#[test]
fn later_sources_win_and_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    std::fs::write(
        &file,
        "data = \"/file\"\n[public]\nlisten = \"127.0.0.1:1\"\n[webhooks]\nmax_body_bytes = 2048\n",
    )
    .unwrap();
    let mut sources = environment(&[
        ("GATEWAY_PUBLIC__LISTEN", "127.0.0.1:2"),
        ("GATEWAY_WEBHOOKS__MAX_BODY_BYTES", "4096"),
    ]);
    sources.file = Some(file.clone());
    sources.overrides = vec![("public.listen", "127.0.0.1:3".to_owned())];
    let loaded = load(&sources).unwrap();
    assert_eq!(loaded.settings.data, PathBuf::from("/file"));
    assert_eq!(loaded.settings.webhooks.max_body_bytes, 4096);
    assert_eq!(loaded.settings.public.listen.port(), 3);
    assert_eq!(loaded.values["data"].1, Origin::File(file));
    assert_eq!(
        loaded.values["webhooks.max_body_bytes"].1.to_string(),
        "environment GATEWAY_WEBHOOKS__MAX_BODY_BYTES"
    );
    assert_eq!(loaded.values["public.listen"].1, Origin::Flag);
}

#[test]
fn a_value_can_come_from_a_file_named_by_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("id");
    std::fs::write(&secret, "node-7\n").unwrap();
    let loaded = load(&environment(&[("GATEWAY_NODE__ID_FILE", secret.to_str().unwrap())])).unwrap();
    assert_eq!(loaded.settings.node.id, "node-7");
    let missing = problems(&environment(&[("GATEWAY_NODE__ID_FILE", "/does/not/exist")]));
    assert_eq!(missing[0].key, "node.id");
}

#[test]
fn all_problems_are_reported_at_once() {
    let found = problems(&environment(&[
        ("GATEWAY_PUBLIC__LISEN", "127.0.0.1:1"),
        ("GATEWAY_OPERATOR__LISTEN", "nowhere"),
        ("GATEWAY_WEBHOOKS__MAX_BODY_BYTES", "many"),
        ("GATEWAY_STORE__URL", "http://127.0.0.1"),
        ("GATEWAY_RECORDS__URL", "mysql://127.0.0.1"),
        ("GATEWAY_STORE__DURABILITY", "often"),
        ("GATEWAY_LOG__FORMAT", "xml"),
        ("GATEWAY_OUTBOUND__REQUEST_TIMEOUT_MS", "60000"),
        ("GATEWAY_MAIL__URL", "smtp://user:password@mail.example"),
        ("GATEWAY_MAIL__FROM", "nobody"),
        ("GATEWAY_PUSH__PRIVATE_KEY", "secret"),
    ]));
    let text = ConfigError(found.clone()).to_string();
    for expected in [
        "public.lisen: unknown key; did you mean `public.listen`? (from environment GATEWAY_PUBLIC__LISEN)",
        "operator.listen: ",
        "webhooks.max_body_bytes: must be a whole number, not a text",
        "store.url: every address must begin with redis://",
        "records.url: must begin with postgres:// or postgresql:// (from environment GATEWAY_RECORDS__URL)",
        "store.durability: unknown variant `often`",
        "log.format: unknown variant `xml`",
        "outbound.request_timeout_ms: must be between 500 and 50000, not 60000",
        "mail.url: would send the password without encryption",
        "mail.from: must be an e-mail address",
        "push.private_key: must be 32 bytes in base64url",
    ] {
        assert!(text.contains(expected), "{expected} not in:\n{text}");
    }
    assert_eq!(found.len(), 11, "{text}");
}

#[test]
fn only_a_node_of_many_may_leave_applying_to_others() {
    let variables = [
        ("GATEWAY_NODE__OWNS_SHARDS", "false"),
        ("GATEWAY_STORE__URL", "redis://127.0.0.1"),
        ("GATEWAY_RECORDS__URL", "postgres://127.0.0.1/records"),
    ];
    assert!(!load(&environment(&variables)).unwrap().settings.node.owns_shards);
    let alone = ConfigError(problems(&environment(&variables[..1]))).to_string();
    assert!(alone.contains("node.owns_shards: must be true without store.url"), "{alone}");
}

#[test]
fn what_is_allowed_starts_a_node() {
    let fewest =
        |count: usize| load(&environment(&[("GATEWAY_CONVERSATIONS__MAX_LIVE", &count.to_string())]));
    let allowed = fewest(runtime::limits::BATCH_EVENTS).unwrap().settings.conversations.max_live;
    let node = runtime::NodeSettings { live_conversations: allowed, ..runtime::NodeSettings::default() };
    assert_eq!(node.problems(), Vec::<String>::new());
    assert!(fewest(runtime::limits::BATCH_EVENTS - 1).is_err());
}

#[test]
fn variables_of_the_command_line_are_not_settings() {
    assert!(
        load(&environment(&[
            ("GATEWAY_KEY", "k"),
            ("GATEWAY_URL", "u"),
            ("GATEWAY_CONFIG", "c"),
            ("HOME", "/")
        ]))
        .is_ok()
    );
}
