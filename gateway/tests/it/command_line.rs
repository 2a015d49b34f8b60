//! The binary as people meet it: exit codes, what goes to stdout and what to stderr.

use std::process::{Command, Output};

fn gateway(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command.args(arguments).env_clear().envs(environment.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_default_file_can_be_used_as_it_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    let printed = gateway(&["config", "default"], &[]);
    assert!(printed.status.success());
    std::fs::write(&file, &printed.stdout).unwrap();
    let checked = gateway(&["check-config", "--json", "--config", file.to_str().unwrap()], &[]);
    let values: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(values["public.listen"]["origin"], format!("file {}", file.display()));
}

#[test]
fn every_mistake_in_the_configuration_is_listed_with_exit_code_3() {
    let wrong = [
        ("GATEWAY_PUBLIC__LISEN", "x"),
        ("GATEWAY_STORE__URL", "redis://127.0.0.1"),
        ("GATEWAY_LOG__LEVEL", "a=b=c"),
        ("GATEWAY_OPERATOR__LISTEN", "everywhere"),
    ];
    let ended = gateway(&["serve"], &wrong);
    assert_eq!(ended.status.code(), Some(3));
    assert!(ended.stdout.is_empty());
    let said = text(&ended.stderr);
    for expected in [
        "did you mean `public.listen`",
        "must name a PostgreSQL database when store.url is set",
        "log.level",
        "such as 127.0.0.1:8080",
    ] {
        assert!(said.contains(expected), "{expected} not in:\n{said}");
    }
}

#[test]
fn mistakes_in_an_apply_file_have_exit_code_3_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.yaml");
    std::fs::write(&file, "tenants: [ { name: a, colour: red } ]").unwrap();
    let data = folder.path().join("data");
    let ended = gateway(&["apply", file.to_str().unwrap(), "--data", data.to_str().unwrap()], &[]);
    assert_eq!(ended.status.code(), Some(3));
    assert!(text(&ended.stderr).contains("tenants[0].colour: unknown field"), "{}", text(&ended.stderr));
    assert!(!data.exists());
}

#[test]
fn an_unreachable_server_has_exit_code_4_and_a_failed_probe_5() {
    // Port 9 (discard) is closed wherever tests run.
    let asked = gateway(&["explain", "msg_x", "--url", "http://127.0.0.1:9", "--key", "k"], &[]);
    assert_eq!(asked.status.code(), Some(4), "{}", text(&asked.stderr));
    assert_eq!(gateway(&["healthcheck", "--url", "http://127.0.0.1:9"], &[]).status.code(), Some(5));
    assert_eq!(gateway(&["tail"], &[]).status.code(), Some(4), "no key");
    assert_eq!(gateway(&["no-such-verb"], &[]).status.code(), Some(2));
}
