//! Templates between us and the provider: what it says is carried into their documents, what people change is carried
//! to it, and once a day both are compared.

pub(super) mod notices;
mod stored;
pub(super) mod sync;
pub(super) mod tasks;
mod used;

pub use sync::SyncNote;
pub use used::last_used;
