//! WhatsApp Cloud API: webhooks in, sends out, error codes.
