//! The conversation, driven through `apply`.

mod bot;
mod consent;
mod contact;
mod flows;
mod inbound;
mod outbound;
mod people;
mod send;
mod status;
mod window;
mod world;
