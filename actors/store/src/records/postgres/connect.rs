//! How connections are made.

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::limits::{CONNECT_WAIT, POOL, SILENCE_WAIT};
use super::super::{RecordsError, RecordsResult};

/// A pool for an address. Nothing is connected yet.
pub(super) fn pool(url: &str) -> RecordsResult<Pool> {
    let mut config = parse(url)?;
    if config.get_application_name().is_none() {
        config.application_name("gateway");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_WAIT);
    }
    // A server that vanished without a word is noticed, instead of being waited for until the system gives up.
    config.tcp_user_timeout(SILENCE_WAIT).keepalives_idle(SILENCE_WAIT);
    // Connections that broke are noticed without asking the server; one that breaks later fails its call.
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match config.get_ssl_mode() {
        SslMode::Require => {
            Manager::from_config(config, MakeRustlsConnect::new(tls().map_err(failed)?), recycling)
        }
        _ => Manager::from_config(config, NoTls, recycling),
    };
    let pool = Pool::builder(manager).max_size(POOL).runtime(Runtime::Tokio1);
    pool.create_timeout(Some(CONNECT_WAIT)).build().map_err(failed)
}

/// Why an address cannot be used. It is not repeated: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It is of something else.
    #[error("must begin with postgres:// or postgresql://")]
    Scheme,
    /// It names no server.
    #[error("names no host: write postgres://HOST/DATABASE, or ?host=/run/postgresql for a socket")]
    Host,
    /// Anything else.
    #[error("{0}")]
    Parameters(String),
}

impl From<AddressError> for RecordsError {
    fn from(error: AddressError) -> Self {
        Self::Invalid { field: "records.url", detail: error.to_string() }
    }
}

/// What an address says.
pub(super) fn parse(url: &str) -> Result<Config, AddressError> {
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(AddressError::Scheme);
    }
    let config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        AddressError::Parameters(cause.unwrap_or_else(|| error.to_string()))
    })?;
    if config.get_hosts().is_empty() { Err(AddressError::Host) } else { Ok(config) }
}

/// Certificates are checked against those that the system trusts, or `SSL_CERT_FILE` names.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let provider = aws_lc_rs::default_provider().into();
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_platform_verifier()?.with_no_client_auth())
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> RecordsError {
    RecordsError::Failed(error.into())
}
