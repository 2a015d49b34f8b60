//! Flags that say where settings come from.

use std::path::PathBuf;

use super::Failure;
use crate::config::{Loaded, Sources, load};

/// Shared by every verb that reads the configuration.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct SettingsArgs {
    /// Configuration file (TOML); `gateway config default` prints one
    #[arg(long, env = "GATEWAY_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Folder of the embedded stores [default: data]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Address for webhooks and the API [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) listen: Option<String>,
    /// Address for metrics and probes [default: 127.0.0.1:9464]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) operator_listen: Option<String>,
}

impl SettingsArgs {
    pub(super) fn load(&self) -> Result<Loaded, Failure> {
        let flags = [
            ("data", self.data.as_ref().map(|path| path.display().to_string())),
            ("public.listen", self.listen.clone()),
            ("operator.listen", self.operator_listen.clone()),
        ];
        let sources = Sources {
            file: self.config.clone(),
            environment: std::env::vars().collect(),
            overrides: flags.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(),
        };
        load(&sources).map_err(|error| Failure::Configuration(error.to_string()))
    }
}
