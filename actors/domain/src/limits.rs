//! Every bound of this crate, with its reason.

use protocol::time::SpanMs;

/// What callers give is measured where it is described.
pub use protocol::limits::{VACANCY_ID_CHARS, VACANCY_TITLE_CHARS};
/// The provider's limits of what is sent, under their names here.
pub use protocol::whatsapp::limits::{
    MAX_BUTTON_BODY as BUTTONS_BODY_CHARS, MAX_BUTTON_TITLE as BUTTON_CHARS, MAX_BUTTONS as BUTTONS,
    MAX_ROW_ID as CHOICE_ID_CHARS, MAX_ROW_TITLE as ROW_CHARS, MAX_ROWS as LIST_ROWS, MAX_TEXT as TEXT_CHARS,
};

/// Characters of a template's name: the provider's rule.
pub const TEMPLATE_NAME_CHARS: usize = 512;
/// Characters of an approved template's body, before and after filling in: the provider's rule (132005 beyond).
pub const TEMPLATE_BODY_CHARS: usize = 1_024;
/// Spaces side by side in an approved template and in its values: the provider refuses more (132018 in a send).
pub const TEMPLATE_SPACES: usize = 4;
/// Line breaks side by side in an approved template: the provider refuses more than one empty line (2388072).
pub const TEMPLATE_LINE_BREAKS: usize = 2;
/// Characters of one value when a free text is recognised as a template: names, dates and places are shorter, a
/// sentence of its own is longer.
pub const WORDING_VALUE_CHARS: usize = 60;
/// A message whose template the provider holds back is offered again after this: a pause lasts hours (facts 3.5).
pub const TEMPLATE_REST: SpanMs = SpanMs::minutes(5);
/// The first look at whether a template was approved comes after this.
pub const APPROVAL_LOOK_MIN: SpanMs = SpanMs::seconds(1);
/// The longest time between two looks: how much later than the approval a message may leave.
pub const APPROVAL_LOOK_MAX: SpanMs = SpanMs::minutes(5);
/// Each look waits for this part of the time so far: early ones come soon, and a day has about 300 of them.
pub const APPROVAL_LOOK_PART: i64 = 8;
/// A message waits for approval no longer than this: what it says is then no longer news.
pub const APPROVAL_WITHIN_MAX: SpanMs = SpanMs::hours(7 * 24);
/// Characters of a custom template's body: it is sent as text, and that is the provider's limit for text.
pub const CUSTOM_BODY_CHARS: usize = 4_096;
/// Characters of one sample value: the body that it stands in has no more.
pub const TEMPLATE_EXAMPLE_CHARS: usize = TEMPLATE_BODY_CHARS;
/// An approved template may be changed once in this time (facts 3.5).
pub const TEMPLATE_EDIT_EVERY: SpanMs = SpanMs::hours(24);
/// Changes of an approved template within [`TEMPLATE_EDITS_WITHIN`] (facts 3.5).
pub const TEMPLATE_EDITS: usize = 10;
/// The time that the provider counts changes over, and for which it blocks the name of a deleted template (facts 3.5).
pub const TEMPLATE_EDITS_WITHIN: SpanMs = SpanMs::hours(30 * 24);
/// The provider blocks the name of a deleted approved template for so long (facts 3.5).
pub const TEMPLATE_NAME_BLOCKED: SpanMs = SpanMs::hours(30 * 24);
/// Longest pause between two calls about a template: what a person who repaired a token waits at most.
pub const TEMPLATE_RETRY_MAX: SpanMs = SpanMs::minutes(10);

const _: () = assert!(TEMPLATE_BODY_CHARS <= CUSTOM_BODY_CHARS);

/// Billed conversations that the meter remembers per conversation and book: four categories over the seven days
/// for which providers repeat a webhook.
pub const METER_OPEN: usize = 28;
/// Billed messages remembered per conversation, so that `read` after `delivered` is not billed again. What is
/// older than all of them counts as billed: a bill may miss a message, it never doubles one.
pub const METER_BILLED: usize = 64;
/// Words of the provider kept for messages that are sent and not yet delivered, per conversation.
pub const METER_REPORTS: usize = 32;
/// How long a message or call of the contact allows free-form answers (facts: Cloud API, service window).
pub const WINDOW: SpanMs = SpanMs::hours(24);

/// Provider ids remembered in a conversation before they move to the store: two halves of this size each.
/// Providers repeat a webhook within seconds as a rule; 32 ids reach back through a busy dialogue.
pub const SEEN_HALF: usize = 16;

/// Messages of one conversation that wait to be sent. A flow asks one thing at a time and a person types; more
/// than this is a loop in somebody's program.
pub const QUEUE: usize = 64;

/// Users that follow one conversation: each is told of each message.
pub const FOLLOWERS: usize = 50;

/// Messages of ours whose statuses are followed inside the conversation; older ones are matched in the records.
pub const RECENT: usize = 16;

/// Of those, messages whose status is final: kept only so that repeated statuses change nothing.
pub const RECENT_FINAL: usize = 2;

/// Of those, messages that the provider holds back: for hours, while others are sent. One a day is much, and a provider
/// that never says what became of them must not crowd out the others.
pub const RECENT_HELD: usize = 4;

/// Statuses that overtook the answer to our own POST. Only one POST is under way, with few statuses each.
pub const PARKED: usize = 8;

/// How long such a status waits: longer than a POST can be in doubt.
pub const PARKED_FOR: SpanMs = SpanMs::seconds(90);

/// After this the outcome of a claimed message is `unknown`, unless a status tells. Longer than any POST takes.
pub const IN_DOUBT: SpanMs = SpanMs::seconds(60);

/// A message that waits for a send slot is offered again after this: offers may be lost with a node.
pub const OFFER_AGAIN: SpanMs = SpanMs::seconds(60);

/// The same while the number is switched off: nothing tells a conversation when it is on again.
pub const OFFER_TO_DISABLED: SpanMs = SpanMs::minutes(5);

/// Provider's limit per recipient: one message in this time, sustained (facts 4.1).
pub const PAIR_INTERVAL: SpanMs = SpanMs::seconds(6);

/// Messages that may be borrowed from the recipient's future quota at once (facts 4.1).
pub const PAIR_BURST: i64 = 45;

/// POSTs of a message whose limit lifts only after hours: a message of the day before yesterday helps nobody.
pub const LATER_ATTEMPTS: u8 = 3;

/// A message that has to wait longer than this (a quality limit lifts after hours) lets later ones pass.
pub const KEEPS_ITS_PLACE: SpanMs = SpanMs::minutes(1);

/// Questions of a flow: the answers are part of the state until the application is complete.
pub const FLOW_STEPS: usize = 50;

/// Characters of a flow's id and of the keys of its steps: words that people type and read.
pub const FLOW_WORD_CHARS: usize = 100;

/// Characters of a language code: the longest that are registered have 35 (RFC 5646, 4.4.1).
pub const LANGUAGE_CHARS: usize = 35;

/// Characters kept of one typed answer; a cover letter fits, a pasted book does not.
pub const ANSWER_CHARS: usize = 2_000;

/// Wrong answers in a row that are each answered; after that the interval of error replies holds, so that two
/// bots do not talk for ever.
pub const FLOW_MISSES: u8 = 3;

/// A payment that was asked for is given up after this: a card is charged within seconds, a person who has to approve
/// it does so by the next day.
pub const RECHARGE_WITHIN: SpanMs = SpanMs::hours(48);

/// What a message may cost is reserved no longer than this. WhatsApp drops what it cannot deliver after 30 days, without a
/// word now and then (facts 3.1), and repeats a webhook that failed for 7 days: after that nothing is to come.
pub const RESERVED_FOR: SpanMs = SpanMs::hours(37 * 24);

const _: () = assert!(PARKED_FOR.0 > IN_DOUBT.0, "a parked status must survive until the outcome is known");
const _: () = assert!(
    RECENT_FINAL + RECENT_HELD < RECENT,
    "final and held messages must not crowd out those that move"
);
const _: () = assert!(BUTTONS < LIST_ROWS, "a list holds more than buttons do");
