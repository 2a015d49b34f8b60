//! `gateway demo`: everything in one process, without accounts.

use std::path::PathBuf;

use super::serve::until_told;
use super::{Failure, output};
use crate::config::{Settings, Sources, load};
use crate::demo::{Demo, KEY, Story};
use crate::server::{Listeners, ServerOptions};
use crate::telemetry::Telemetry;

/// Try everything: a gateway, a simulated WhatsApp and a few candidates in one process
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gateway demo\n  gateway demo --data ./demo-data --no-traffic")]
pub(super) struct Args {
    /// Keep the stores in this folder instead of a temporary one
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address for webhooks and the API
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Address for metrics and probes
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9464")]
    operator_listen: String,
    /// No candidates: only what you send yourself
    #[arg(long)]
    no_traffic: bool,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let temporary = tempfile::tempdir().map_err(|error| Failure::failed(&error))?;
    let data = args.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    let settings = settings(&args, &data)?;
    let telemetry = Telemetry::install(&settings).map_err(|error| Failure::failed(&error))?;
    let ended = actix_rt::System::new().block_on(async {
        let listeners = Listeners::bind(&settings).map_err(|error| Failure::failed(&error))?;
        let options = ServerOptions { settings, apply: None, listeners };
        let demo = Demo::start(options).await.map_err(|error| Failure::failed(&error))?;
        let base = format!("http://{}", demo.server.public);
        introduce(&base, &demo)?;
        let Demo { server, provider, numbers } = demo;
        // The audience sits at the terminal: this is the demo's own output, not a log.
        let tell = |what: &str| eprintln!("demo: {what}");
        let story = Story::new(&provider, numbers.first().copied(), base, &tell);
        let traffic = async {
            if !args.no_traffic
                && let Err(error) = story.play().await
            {
                eprintln!("demo: the story broke off: {error}");
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = until_told(server) => ended,
            () = traffic => Ok(()),
        }
    });
    telemetry.shutdown();
    ended
}

fn settings(args: &Args, data: &std::path::Path) -> Result<Settings, Failure> {
    let overrides = vec![
        ("data", data.display().to_string()),
        ("public.listen", args.listen.clone()),
        ("operator.listen", args.operator_listen.clone()),
        ("log.level", "warn".to_owned()),
    ];
    let loaded = load(&Sources { overrides, ..Sources::default() });
    Ok(loaded.map_err(|error| Failure::Configuration(error.to_string()))?.settings)
}

fn introduce(base: &str, demo: &Demo) -> Result<(), Failure> {
    let provider = &demo.provider.base_url;
    output::line(&format!(
        "gateway    {base}
operator   http://{operator}
provider   {provider} (simulated)
API key    {KEY}

Try:
  export GATEWAY_URL={base} GATEWAY_KEY={KEY}
  curl -s -H \"Authorization: Bearer $GATEWAY_KEY\" $GATEWAY_URL/v1/conversations
  curl -s -X POST -H \"Authorization: Bearer $GATEWAY_KEY\" -H 'Content-Type: application/json' \\
       -d '{{\"number_id\":\"{number}\",\"to\":\"+393331234567\",\"type\":\"text\",\"text\":{{\"body\":\"Ciao!\"}}}}' $GATEWAY_URL/v1/messages
  curl -s -X POST -H 'Content-Type: application/json' \\
       -d '{{\"from\":\"+393335556677\",\"text\":\"TEST0001\"}}' {provider}/_simulator/inbound
  gateway tail
  curl -s http://{operator}/metrics

To see a node killed under load without losing a message: ./task crash
Ctrl-C ends it.",
        operator = demo.server.operator,
        number = demo.numbers.first().map(ToString::to_string).unwrap_or_default(),
    ))
}
