//! `gateway check-config`: is the configuration sound, and where does each value come from?

use serde_json::{Map, json};

use super::settings::SettingsArgs;
use super::{Failure, output};

/// Check the configuration and show where each value comes from
#[derive(clap::Args)]
#[command(after_help = "Example:\n  GATEWAY_LOG__FORMAT=json gateway check-config --config gateway.toml")]
pub(super) struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let loaded = args.settings.load()?;
    if args.json {
        let rows = loaded.values.iter().map(|(key, (value, origin))| {
            (key.clone(), json!({ "value": redacted(key, value), "origin": origin.to_string() }))
        });
        return output::print(&rows.collect::<Map<_, _>>(), true);
    }
    for (key, (value, origin)) in &loaded.values {
        output::line(&format!("{key:<34} {:<28} {origin}", redacted(key, value)))?;
    }
    eprintln!("the configuration is sound");
    Ok(())
}

/// Store addresses may carry a password, before the host or as a parameter; a bucket has a secret.
fn redacted(key: &str, value: &str) -> String {
    let address = value.split('?').next().unwrap_or_default();
    if matches!(key, "files.s3_secret_access_key" | "push.private_key") && !value.is_empty() {
        return "…".to_owned();
    }
    if key == "mail.url" && !value.is_empty() {
        return value.split_once("://").map_or("…", |(scheme, _)| scheme).to_owned() + "://…";
    }
    match (key, address.split_once("://"), address.rsplit_once('@')) {
        ("store.url" | "records.url", Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        ("store.url" | "records.url", ..) => address.to_owned(),
        _ => value.to_owned(),
    }
}
