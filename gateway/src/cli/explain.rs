//! `gateway explain`: why was this refused, charged or not sent yet?

use serde_json::Value;

use super::client::{ClientArgs, block_on};
use super::{Failure, output};

/// Explain a conversation or a message: its state, reasons and log
#[derive(clap::Args)]
#[command(after_help = "Example:\n  GATEWAY_KEY=… gateway explain cnv_7x1905qprjp2xqcbde17xgsbgs")]
pub(super) struct Args {
    /// `cnv_…` or `msg_…`
    id: String,
    #[command(flatten)]
    client: ClientArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let client = args.client.connect()?;
    let explained = block_on(async move { client.get(&format!("explain/{}", args.id), &[]).await })?;
    if args.json {
        return output::print(&explained, true);
    }
    for_people(&explained).iter().try_for_each(|line| output::line(line))
}

/// The answer first, then what happened; `--json` has the whole state.
fn for_people(explained: &Value) -> Vec<String> {
    let list = |field: &str| explained[field].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut lines = vec![text(&explained["subject"])];
    lines.extend(list("reasons").iter().map(|reason| format!("  * {}", text(reason))));
    lines.push(String::new());
    lines.extend(
        list("log")
            .iter()
            .map(|event| format!("{}  {:<26} {}", text(&event["at"]), text(&event["type"]), event["data"])),
    );
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn f3_reasons_come_before_the_log() {
        let explained = json!({
            "subject": "cnv_1", "state": { "mode": "bot" }, "reasons": ["the window is closed"],
            "log": [ { "at": "2026-11-21T03:00:00Z", "type": "flow.asked", "data": { "step": "name" } } ]
        });
        let lines = for_people(&explained);
        assert_eq!(lines[..3], ["cnv_1", "  * the window is closed", ""]);
        assert!(lines[3].ends_with(r#"flow.asked                 {"step":"name"}"#), "{lines:?}");
    }
}
