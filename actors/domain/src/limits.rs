//! Every bound of this crate, with its reason.

/// Characters of a template's name: the provider's rule.
pub const TEMPLATE_NAME_CHARS: usize = 512;
/// Characters of an approved template's body, before and after filling in: the provider's rule (132005 beyond).
pub const TEMPLATE_BODY_CHARS: usize = 1_024;
/// Characters of a custom template's body: it is sent as text, and that is the provider's limit for text.
pub const CUSTOM_BODY_CHARS: usize = 4_096;
/// Templates of both kinds together that a tenant may have unless configured otherwise.
pub const TEMPLATES_PER_TENANT: usize = 100;

const _: () = assert!(TEMPLATE_BODY_CHARS <= CUSTOM_BODY_CHARS);

/// Billed conversations that the meter remembers per conversation and book: four categories over the seven days
/// for which providers repeat a webhook.
pub const METER_OPEN: usize = 28;
/// Billed messages remembered per conversation, so that `read` after `delivered` is not billed again. What is
/// older than all of them counts as billed: a bill may miss a message, it never doubles one.
pub const METER_BILLED: usize = 64;
/// Words of the provider kept for messages that are sent and not yet delivered, per conversation.
pub const METER_REPORTS: usize = 32;
