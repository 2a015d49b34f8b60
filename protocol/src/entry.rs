//! What the durable log holds: one entry for each thing that a conversation has to apply.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::command::{Command, ConsentRecord, Party};
use crate::content::{Content, ProviderError, RawJson, Referral};
use crate::id::{Bsuid, ConversationId, MessageId, NumberId, ProviderId, TenantId, WabaId};
use crate::phone::{ContactKey, E164};
use crate::pricing::ProviderPricing;
use crate::time::TimestampMs;

/// Version of the stored form, written before every entry. Version N reads N and N−1.
pub const ENTRY_VERSION: u8 = 1;

/// One thing to apply, in log order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When the gateway received it, by the store's clock. Decisions about time use this value.
    pub received_at: TimestampMs,
    /// W3C `traceparent` of the request that brought it.
    pub traceparent: Option<CompactString>,
    /// What it is and whom it concerns.
    pub body: EntryBody,
}

/// Whom an entry concerns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EntryBody {
    /// Goes to the actor of one conversation.
    Conversation {
        /// Where it goes.
        address: Address,
        /// What happened or is wanted. Boxed: most of the queue is addresses.
        input: Box<Happening>,
    },
    /// Concerns a provider account, number or template: becomes a fact without a conversation.
    Account(AccountNotice),
}

/// A conversation, with what is needed to begin it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The tenant that owns the number.
    pub tenant: TenantId,
    /// The business number.
    pub number: NumberId,
    /// The contact's canonical key.
    pub contact: ContactKey,
    /// Derived from number and contact, see [`crate::shard::conversation_id`].
    pub conversation: ConversationId,
}

/// What happened in, or is wanted of, a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Happening {
    /// The contact wrote.
    Received(InboundMessage),
    /// The provider reports on a message of ours.
    Status(StatusUpdate),
    /// The contact called (or a call ended): restarts the window as a message does.
    Call(CallEvent),
    /// The contact changed phone number or user id at the provider.
    IdentityChanged(IdentityChange),
    /// The contact changed a preference at the provider (marketing messages).
    Preference(PreferenceChange),
    /// Somebody at the tenant, or a service, wants something.
    Command(Command),
    /// The contact's consent or block changed in a sibling conversation (another number of the same tenant).
    ContactChanged(ContactChange),
}

/// Every name under which the provider knows a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Phone number (`wa_id`, `from`); may be missing since 2026.
    pub phone: Option<E164>,
    /// Business-scoped user id.
    pub bsuid: Option<Bsuid>,
    /// Public user name, such as `@anna`.
    pub username: Option<CompactString>,
    /// The name that the contact gave to the provider.
    pub profile_name: Option<String>,
}

/// A message from a contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InboundMessage {
    /// Unique for the number: what duplicates are recognised by.
    pub provider_id: ProviderId,
    /// Provider's time of the message; the window counts from it.
    pub sent_at: TimestampMs,
    /// Who wrote.
    pub identity: Identity,
    /// What was written.
    pub content: Content,
    /// The message that this one answers.
    pub reply_to: Option<ProviderId>,
    /// Forwarded from another chat.
    pub forwarded: bool,
    /// The advertisement that the contact came from.
    pub referral: Option<Referral>,
}

/// How far a message of ours has come, by the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderStatus {
    /// Left the provider.
    Sent,
    /// Reached the device.
    Delivered,
    /// Seen.
    Read,
    /// A voice note was played for the first time.
    Played,
    /// Will not arrive.
    Failed,
}

/// The provider's report on one message of ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusUpdate {
    /// The provider's id of our message.
    pub provider_id: ProviderId,
    /// Ours, when the report carries the opaque id that we sent and its MAC is right.
    pub message: Option<MessageId>,
    /// What is reported.
    pub status: ProviderStatus,
    /// Provider's time.
    pub at: TimestampMs,
    /// What the provider charges, when it says so.
    pub pricing: Option<ProviderPricing>,
    /// Why it failed.
    pub errors: Vec<ProviderError>,
    /// Names of the recipient, when given.
    pub identity: Identity,
}

/// A call on the number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallEvent {
    /// The provider's id of the call.
    pub call_id: ProviderId,
    /// Provider's time.
    pub at: TimestampMs,
    /// `connect`, `terminate` or another name that the provider uses.
    pub event: CompactString,
    /// The contact called us; only that restarts the window.
    pub by_contact: bool,
    /// Whole seconds of talk, once it ended.
    pub duration_seconds: Option<u32>,
    /// Names of the caller.
    pub identity: Identity,
}

/// A contact's new names at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityChange {
    /// The provider's id of the message that announced it.
    pub provider_id: ProviderId,
    /// Provider's time.
    pub at: TimestampMs,
    /// The names from now on; absent ones did not change.
    pub now: Identity,
    /// What the provider says for people to read.
    pub text: Option<String>,
}

/// What holds for a contact on all numbers of a tenant and is therefore carried to each of its conversations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContactChange {
    /// Consent on the channel of this conversation.
    Consent(ConsentRecord),
    /// Blocked or unblocked by the tenant.
    Blocked {
        /// Blocked from now on.
        blocked: bool,
        /// Who decided.
        by: Party,
    },
}

/// A preference that the contact set at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreferenceChange {
    /// Provider's time.
    pub at: TimestampMs,
    /// The contact wants no more marketing messages (`stop`), or wants them again.
    pub marketing_stopped: bool,
    /// Names of the contact.
    pub identity: Identity,
    /// What the provider says about it.
    pub detail: Option<String>,
}

/// Something a provider says about an account, a number or a template rather than about a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountNotice {
    /// The tenant of the account; `None` when the account is not ours to know.
    pub tenant: Option<TenantId>,
    /// The WhatsApp business account.
    pub waba: WabaId,
    /// The number, when the notice names one of ours.
    pub number: Option<NumberId>,
    /// Provider's time, if given.
    pub at: Option<TimestampMs>,
    /// What it says.
    pub notice: Notice,
}

/// The kinds of account notices that the gateway understands; everything else is kept raw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Notice {
    /// A template was approved, rejected, paused …
    TemplateStatus {
        /// Provider's id of the template.
        template_id: CompactString,
        /// Name at the provider.
        name: CompactString,
        /// Language with an underscore, such as `en_US`.
        language: CompactString,
        /// Provider's event in upper case, such as `APPROVED`.
        event: CompactString,
        /// Why, when the provider says so.
        reason: Option<String>,
    },
    /// The quality score of a template changed.
    TemplateQuality {
        /// Name at the provider.
        name: CompactString,
        /// Language with an underscore.
        language: CompactString,
        /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
        score: CompactString,
    },
    /// The provider moved a template to another category; sends are charged by the new one.
    TemplateCategory {
        /// Name at the provider.
        name: CompactString,
        /// Language with an underscore.
        language: CompactString,
        /// The provider's name of the new category, in lower case.
        category: CompactString,
    },
    /// Any other known field (`account_update`, `phone_number_quality_update` …), for people to read.
    Other {
        /// The webhook field.
        field: CompactString,
        /// Its value as it came.
        raw: RawJson,
    },
    /// A part that this version does not understand, or that is not for a number of ours.
    Unknown {
        /// Where it stood, such as `messages` or `contacts`.
        field: CompactString,
        /// Why it was not understood.
        reason: CompactString,
        /// The part as it came, at most 64 KiB of it.
        raw: RawJson,
    },
    /// The wording of a template changed.
    TemplateComponents {
        /// Name at the provider.
        name: CompactString,
        /// Language with an underscore.
        language: CompactString,
        /// Its text from now on.
        body: String,
    },
}

impl Notice {
    /// Name and language of the template that it is about.
    #[must_use]
    pub fn template(&self) -> Option<(&str, &str)> {
        match self {
            Self::TemplateStatus { name, language, .. }
            | Self::TemplateQuality { name, language, .. }
            | Self::TemplateCategory { name, language, .. }
            | Self::TemplateComponents { name, language, .. } => Some((name, language)),
            Self::Other { .. } | Self::Unknown { .. } => None,
        }
    }
}
