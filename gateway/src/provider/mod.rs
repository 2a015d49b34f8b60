//! Provider adapters: how claimed messages leave.

mod failure;

pub mod whatsapp;
