//! WhatsApp Cloud API: webhooks in, sends out, error codes.

pub mod answer;
pub mod errors;
pub mod limits;
pub mod media;
pub mod send;
pub mod template;
pub mod webhook;
