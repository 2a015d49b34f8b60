//! Arguments of the verbs that start gateways.

use std::collections::BTreeMap;
use std::path::PathBuf;

use load_tests::bench::gateway_beside;
use load_tests::process::{Durability, Shape, Store};

#[derive(clap::Args)]
pub(crate) struct ShapeArgs {
    /// The gateway; the one beside this program when absent.
    #[arg(long)]
    gateway: Option<PathBuf>,
    /// How many gateways; they share one Redis and one PostgreSQL.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    nodes: u8,
    /// Where conversations are kept; redis for several nodes. Its servers are started in a temporary folder.
    #[arg(long, value_enum)]
    store: Option<StoreArg>,
    /// How many Redis; several are a Redis Cluster.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    primaries: u8,
    /// What an answer survives.
    #[arg(long, value_enum, default_value_t = DurabilityArg::Fsync)]
    durability: DurabilityArg,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum StoreArg {
    /// In the process, records in SQLite.
    Embedded,
    /// In Redis, records in PostgreSQL.
    Redis,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum DurabilityArg {
    /// The end of a process.
    Everysec,
    /// Loss of power.
    Fsync,
}

impl ShapeArgs {
    /// What they say, with what they leave open.
    pub(crate) fn shape(self) -> Result<Shape, &'static str> {
        let gateway = self.gateway.or_else(gateway_beside).ok_or("give the gateway with --gateway")?;
        let store = match (self.store, self.nodes) {
            (Some(StoreArg::Embedded), _) | (None, 1) => Store::Embedded,
            (Some(StoreArg::Redis), _) | (None, _) => Store::Redis,
        };
        let durability = match self.durability {
            DurabilityArg::Everysec => Durability::Everysec,
            DurabilityArg::Fsync => Durability::Fsync,
        };
        let settings = BTreeMap::new();
        if self.primaries == 2 {
            return Err("a Redis Cluster has three primaries or more: --primaries 1, or 3 to 16");
        }
        let (nodes, primaries) = (usize::from(self.nodes), usize::from(self.primaries));
        Ok(Shape { gateway, nodes, store, primaries, durability, settings })
    }
}
