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
