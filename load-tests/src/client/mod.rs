//! What a provider sends: webhook bodies, escaped and signed as the Cloud API does it.

mod escape;
pub mod inbound;
mod sign;

pub use escape::escaped_json;
pub use sign::{SIGNATURE_HEADER, Signer, signature};
