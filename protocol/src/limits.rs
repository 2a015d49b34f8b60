//! Our own limits of what callers give, with their reasons. The provider's are in [`crate::whatsapp::limits`].
//!
//! They stand down here since the contract is made from them as well as the checks. Lengths are counted in characters.

/// What people call a number, a group, a key, a view: one line of a list.
pub const NAME_CHARS: usize = 100;
/// A person's name, or a part of it.
pub const PERSON_NAME_CHARS: usize = 200;
/// A role, such as `recruiter`.
pub const ROLE_CHARS: usize = 50;
/// An e-mail address (RFC 5321).
pub const EMAIL_CHARS: usize = 254;
/// A vacancy's id in the applicant tracking: room for any UUID or URL part.
pub const VACANCY_ID_CHARS: usize = 100;
/// A vacancy's title: one line for people.
pub const VACANCY_TITLE_CHARS: usize = 300;
/// A stage, and an id elsewhere: names of lists, UUIDs.
pub const WORD_CHARS: usize = 100;
/// WhatsApp's id of a person: a country, points, and up to 128 letters and digits (facts: BSUID).
pub const BSUID_CHARS: usize = 131;
/// Possible values of one merge field: more than a person reads through to choose one.
pub const FIELD_VALUES: usize = 50;
/// Value of a merge field, and the words of a consent: the longest text message.
pub const VALUE_CHARS: usize = crate::whatsapp::limits::MAX_TEXT;
/// Text that conversations are compared with: what is compared is not longer.
pub const CONDITION_CHARS: usize = 200;
/// The payment service's name of a payment.
pub const REFERENCE_CHARS: usize = 100;
/// Why a payment was declined.
pub const REASON_CHARS: usize = 200;
/// Members of a group: every message to a group notifies each of them.
pub const GROUP_MEMBERS: usize = 1_000;
/// Digits of an amount before and after the point: what the records keep exactly.
pub const AMOUNT_DIGITS: u32 = 9;
