//! Why a gateway did not start.

/// Why a gateway did not start. Everything that was opened is closed again.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address is taken, or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The HTTP server failed.
    #[error("cannot serve")]
    Serve(#[from] std::io::Error),
    /// The engine store cannot be opened.
    #[error("the engine store cannot be opened")]
    Engine(#[from] store::engine::EngineError),
    /// The records store cannot be opened.
    #[error("the records store cannot be opened")]
    Records(#[from] store::records::RecordsError),
    /// The store of files cannot be opened.
    #[error("the store of files cannot be opened")]
    Blobs(#[from] store::blobs::BlobError),
    /// The apply file was refused.
    #[error(transparent)]
    Apply(#[from] crate::apply::ApplyError),
    /// The HTTP client cannot be made.
    #[error("the client for providers cannot be made")]
    Client(#[from] reqwest::Error),
    /// A metric was declared twice: a mistake in the program.
    #[error("metrics cannot be declared")]
    Metrics(#[from] prometheus::Error),
    /// The node did not start.
    #[error("the node cannot start")]
    Node(#[from] runtime::StartError),
    /// A background task could not be started.
    #[error("a task died while it opened a store")]
    Task(#[from] tokio::task::JoinError),
}
