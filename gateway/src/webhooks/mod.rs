//! What providers call.

pub mod signature;
pub mod whatsapp;
