//! Provider adapters: how claimed messages leave.

mod failure;
mod templates;

pub mod whatsapp;
