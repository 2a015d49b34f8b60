//! What is said: ids, time, phone numbers, provider wire formats, API shapes, commands, inputs and facts.
//!
//! This crate is pure. It never reads a clock, draws a random number, touches a file or a socket, or waits:
//! whatever it needs is handed in. Everything above it (`domain`, `store`, `runtime`, `gateway`) speaks in
//! these types, so a raw string never crosses a crate border.

pub mod api;
pub mod codec;
pub mod command;
pub mod condition;
pub mod content;
pub mod credit;
pub mod directory;
pub mod entry;
pub mod fact;
pub mod id;
pub mod limits;
pub mod outbound;
pub mod phone;
pub mod pricing;
pub mod record;
pub mod shard;
pub mod text;
pub mod time;
pub mod whatsapp;
