//! `load-tests run`.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use load_tests::client::inbound::Receiver;
use load_tests::load::{Corpus, Numbers, Pace, Recipe, Target, drive};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The gateway's public address.
    #[arg(long, default_value = "127.0.0.1:8080")]
    target: SocketAddr,
    /// Webhooks per second, whatever the answers.
    #[arg(long, conflicts_with_all = ["saturate", "find_knee"], default_value_t = 1_000.0)]
    rate: f64,
    /// As fast as it answers, instead of a rate.
    #[arg(long, conflicts_with = "find_knee")]
    saturate: bool,
    /// Looks for the highest rate that keeps `--p99-ms`.
    #[arg(long)]
    find_knee: bool,
    /// The latency that the knee keeps.
    #[arg(long, default_value_t = 50.0)]
    p99_ms: f64,
    /// Seconds of each phase.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Connections, each with one request in flight.
    #[arg(long, default_value_t = 128)]
    connections: usize,
    /// Contacts that write.
    #[arg(long, default_value_t = 1_000)]
    conversations: u32,
    /// A few contacts write most.
    #[arg(long)]
    zipf: bool,
    /// Prebuilt webhooks, about 1 KB of memory each; every one is sent once.
    #[arg(long, default_value_t = 500_000)]
    requests: usize,
    /// What contacts write.
    #[arg(long, default_value = "Good morning, I would like to apply for the warehouse.")]
    text: String,
    /// Secret of the signatures.
    #[arg(long, default_value = "simulator-app-secret")]
    secret: String,
    /// Account of the number.
    #[arg(long, default_value = "102290129340398")]
    waba_id: String,
    /// The number's id.
    #[arg(long, default_value = "106540352242922")]
    phone_number_id: String,
    /// The number's digits.
    #[arg(long, default_value = "15550783881")]
    display_phone_number: String,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    tracing::info!(requests = args.requests, "building webhooks");
    let mut load = Load { args, corpus: Rc::new(Corpus::build(&recipe(args), args.requests)), next: 0 };
    let phases = if args.find_knee {
        load.find_knee()?
    } else if args.saturate {
        vec![load.phase(Pace::Closed)?]
    } else {
        vec![load.phase(Pace::Open { per_second: args.rate })?]
    };
    println!("{}", serde_json::to_string_pretty(&phases)?);
    let failed = phases.iter().any(|numbers| numbers.not_ok > 0);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

struct Load<'a> {
    args: &'a Args,
    corpus: Rc<Corpus>,
    next: usize,
}

/// Shares of the closed-loop throughput that are tried, downwards until one keeps the latency.
const STEPS: [f64; 9] = [0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.35, 0.2];

impl Load<'_> {
    /// One phase; requests go on where the last phase ended.
    fn phase(&mut self, pace: Pace) -> io::Result<Numbers> {
        let target = Target { addresses: vec![self.args.target], connections: self.args.connections };
        let range = self.next..self.corpus.len();
        let limit = Duration::from_secs_f64(self.args.seconds);
        let numbers = drive(target, Rc::clone(&self.corpus), range, pace, limit)?.numbers();
        self.next += usize::try_from(numbers.ok + numbers.not_ok).unwrap_or(usize::MAX);
        tracing::info!(?pace, ?numbers, "measured");
        Ok(numbers)
    }

    /// The closed loop first, then rates below it; the last phase is the knee.
    fn find_knee(&mut self) -> io::Result<Vec<Numbers>> {
        let top = self.phase(Pace::Closed)?;
        let mut phases = vec![top.clone()];
        for step in STEPS {
            let numbers = self.phase(Pace::Open { per_second: top.per_second * step })?;
            let kept = numbers.p99_ms <= self.args.p99_ms && numbers.not_ok == 0 && numbers.ok > 0;
            phases.push(numbers);
            if kept || self.next >= self.corpus.len() {
                break;
            }
        }
        Ok(phases)
    }
}

fn recipe(args: &Args) -> Recipe {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Recipe {
        receiver: Receiver {
            waba_id: args.waba_id.clone(),
            phone_number_id: args.phone_number_id.clone(),
            display_phone_number: args.display_phone_number.clone(),
        },
        app_secret: args.secret.clone(),
        path: "/webhooks/whatsapp".into(),
        conversations: args.conversations,
        zipf: args.zipf,
        text: args.text.clone(),
        run: now.subsec_nanos(),
        unix_seconds: i64::try_from(now.as_secs()).unwrap_or(0),
    }
}
