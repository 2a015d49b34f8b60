//! WhatsApp Cloud API: webhooks in, sends out, error codes.

pub mod limits;
pub mod webhook;
