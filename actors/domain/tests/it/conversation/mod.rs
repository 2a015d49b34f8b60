//! The conversation, driven through `apply`.

mod approval;
mod bot;
mod consent;
mod contact;
mod erasure;
mod flows;
mod inbound;
mod laws;
mod oracle;
mod outbound;
mod people;
mod send;
mod size;
mod status;
mod window;
pub(crate) mod world;
