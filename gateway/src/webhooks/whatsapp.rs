//! WhatsApp webhooks.
