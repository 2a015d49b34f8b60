//! Provider adapters: how claimed messages leave.

mod failure;
mod media;
mod templates;

pub mod scanner;
pub mod whatsapp;
