//! What callers may want of a conversation, and what they are told.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::content::{Category, Choice, Media, Parameter};
use crate::entry::Identity;
use crate::id::{ContactId, ConversationId, GroupId, KeyId, MessageId, ProviderId, TenantId, UserId, derive};
use crate::limits::{ROLE_CHARS, VACANCY_ID_CHARS, VACANCY_TITLE_CHARS};
use crate::text::Line;
use crate::time::TimestampMs;

/// A wish, with everything that is needed to carry it out exactly once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// The same key never acts twice.
    pub key: CommandKey,
    /// Hash of what was asked, so that a key cannot be used for something else.
    pub fingerprint: u64,
    /// Who asks.
    pub by: Party,
    /// Applied later than this, the command is refused: its caller no longer waits.
    pub expires_at: TimestampMs,
    /// What is asked.
    pub action: Action,
}

/// Identifies a command for 24 hours: derived from the tenant and the caller's idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandKey(pub u128);

impl CommandKey {
    /// The key of a tenant's command.
    #[must_use]
    pub fn new(tenant: TenantId, idempotency_key: &str) -> Self {
        Self(derive("cmd1", &[&tenant.0.to_le_bytes(), idempotency_key.as_bytes()]))
    }
}

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Party {
    /// The contact.
    Contact,
    /// A person at the tenant.
    User(UserId),
    /// A downstream service, by its API key.
    Service(KeyId),
    /// The application bot.
    Bot,
    /// A rule or a campaign.
    Automation,
    /// The gateway itself.
    Gateway,
}

/// What can be asked of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Send a message.
    Send(SendBody),
    /// Switch between bot and direct chat.
    SetMode(Mode),
    /// Give the conversation to somebody, or to nobody.
    Assign(Option<Owner>),
    /// Attach a vacancy, or detach it.
    SetVacancy(Option<Vacancy>),
    /// Block the contact, or undo it.
    SetBlocked(bool),
    /// Leave the chat as employer, or come back.
    SetLeft(bool),
    /// The messages so far were read by somebody at the tenant.
    MarkRead,
    /// Record the contact's consent.
    SetConsent(ConsentRecord),
    /// Hold back everything outgoing, or let it go again.
    SetPaused(bool),
    /// Tell the contact that somebody is typing (and that the message was read).
    ShowTyping,
    /// Send free-form text; when the window is closed, as a template with the same wording, which is submitted for
    /// approval if there is none.
    SendOrSubmit {
        /// The text.
        body: String,
        /// The message it answers.
        reply_to: Option<ProviderId>,
        /// How it is submitted.
        approval: ApprovalWish,
    },
    /// Take a conversation that nobody else has taken, for the user.
    PickUp(UserId),
    /// Tell the user, too, what its owner is told; or no longer.
    SetFollowing {
        /// Who follows.
        user: UserId,
        /// From now on.
        following: bool,
    },
    /// Forget who the contact is, and what was said.
    Erase {
        /// The contact's id in the records.
        contact: ContactId,
        /// Names that the contact once had.
        names: Vec<Identity>,
    },
    /// A send that was refused before it came here: it is kept, so that the conversation can be asked why.
    RefuseSend(Refusal),
}

/// How a text is submitted for approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalWish {
    /// What the template is for.
    pub category: Category,
    /// The exact language of the text; the tenant's own when absent.
    pub language: Option<CompactString>,
    /// The message is given up when it is not approved within this time.
    pub within_ms: i64,
}

/// A message as asked for; the conversation checks it and fills it in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SendBody {
    /// Free-form text.
    Text {
        /// The text.
        body: String,
        /// The message it answers.
        reply_to: Option<ProviderId>,
    },
    /// A template by name and exact language.
    Template {
        /// Its name.
        name: CompactString,
        /// Exact language code.
        language: CompactString,
        /// Values for its parameters.
        parameters: Vec<Parameter>,
    },
    /// A file.
    Media(Media),
    /// A question with answers to choose from.
    Interactive {
        /// The question.
        body: String,
        /// The answers.
        options: Vec<Choice>,
    },
    /// An emoji on a message of the contact; `None` takes it off.
    Reaction {
        /// The contact's message.
        message: ProviderId,
        /// The emoji.
        emoji: Option<CompactString>,
    },
}

/// Who talks: the bot with its application flows, or people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The bot answers.
    #[default]
    Bot,
    /// Everything lands in the inbox.
    Direct,
}

/// Whom a conversation belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// One person.
    User(UserId),
    /// A group.
    Group(GroupId),
    /// Everybody with a role.
    #[schema(value_type = Line<{ ROLE_CHARS }>)]
    Role(String),
}

/// The job opening that a conversation is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Vacancy {
    /// The applicant-tracking system's id.
    #[schema(value_type = Line<{ VACANCY_ID_CHARS }>)]
    pub id: CompactString,
    /// For people.
    #[schema(value_type = Line<{ VACANCY_TITLE_CHARS }>)]
    pub title: String,
}

/// May this contact be messaged on this channel?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Never asked: single messages are allowed, bulk is not.
    #[default]
    Undefined,
    /// Agreed.
    OptedIn,
    /// Refused: never messaged.
    OptedOut,
}

/// A consent with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRecord {
    /// The state from now on.
    pub consent: Consent,
    /// How it was given.
    pub source: ConsentSource,
    /// The words that were used, if any.
    pub text: Option<String>,
    /// Who recorded it.
    pub by: Party,
    /// When.
    pub at: TimestampMs,
}

/// How a consent was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentSource {
    /// The contact wrote a keyword such as `STOP`.
    Keyword,
    /// Recorded by a person or a service.
    Recorded,
    /// Set by the contact at the provider.
    Provider,
}

/// What became of a command. Stored with the commit that applied it, for 24 hours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CommandResult {
    /// A message is on its way.
    Queued {
        /// The message.
        message: MessageId,
        /// Its conversation.
        conversation: ConversationId,
    },
    /// Done, or already so.
    Done {
        /// The conversation.
        conversation: ConversationId,
    },
    /// Not done, and why.
    Refused(Refusal),
    /// A message waits for the provider to approve its wording.
    AwaitingApproval {
        /// The message.
        message: MessageId,
        /// Its conversation.
        conversation: ConversationId,
    },
}

/// Why a command was refused. Each variant is one `code` of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// Free-form outside the 24-hour window.
    WindowClosed {
        /// Since when; `None` if the contact never wrote.
        since: Option<TimestampMs>,
        /// Approved templates that would work, at most [`MAX_TEMPLATE_HINTS`].
        templates: Vec<TemplateHint>,
    },
    /// The contact opted out on this channel.
    OptedOut {
        /// When.
        since: TimestampMs,
    },
    /// The tenant blocked the contact.
    Blocked,
    /// The tenant left the chat.
    Left,
    /// Bulk needs an explicit opt-in.
    OptInRequired,
    /// The provider does not deliver there.
    UnsupportedDestination {
        /// ISO country code or region name.
        country: CompactString,
    },
    /// No template of that name and language.
    TemplateNotFound {
        /// Languages that exist under the name.
        languages: Vec<CompactString>,
    },
    /// The template may not be sent now.
    TemplateNotApproved {
        /// Its status at the provider.
        status: CompactString,
    },
    /// The given values do not fit the template.
    TemplateParameters {
        /// What it wants: names, or `1`, `2` …
        expected: Vec<CompactString>,
        /// How many were given.
        given: usize,
    },
    /// The number is switched off.
    NumberDisabled,
    /// The channel cannot do that.
    NotSupported {
        /// The capability that is missing, such as `reaction`.
        capability: CompactString,
    },
    /// Too many messages of this conversation wait to be sent.
    QueueFull {
        /// The bound.
        limit: usize,
    },
    /// Content that the provider would refuse.
    InvalidContent {
        /// JSON pointer to the field.
        pointer: CompactString,
        /// What is wrong and how to cure it.
        detail: String,
    },
    /// The command was applied after its expiry: its caller no longer waited.
    Expired,
    /// The conversation does not exist.
    NotFound,
    /// The key was used before for something else.
    KeyReused,
    /// The number was added a moment ago and does not know yet who opted out.
    NumberNotReady,
    /// Somebody else has the conversation.
    AlreadyOwned {
        /// Who.
        owner: UserId,
    },
    /// Too many people follow the conversation.
    TooManyFollowers {
        /// The bound.
        limit: usize,
    },
    /// What the tenant paid in advance does not cover the message.
    InsufficientCredits {
        /// What it may cost, and what is there.
        detail: String,
    },
}

/// Templates named in a [`Refusal::WindowClosed`], at most.
pub const MAX_TEMPLATE_HINTS: usize = 20;

/// A template that could be sent instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateHint {
    /// Name.
    pub name: CompactString,
    /// Language.
    pub language: CompactString,
    /// What has to be filled in.
    pub parameters: Vec<CompactString>,
}

impl Refusal {
    /// The stable `code` of the API and of metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::WindowClosed { .. } => "window_closed",
            Self::OptedOut { .. } => "opted_out",
            Self::Blocked => "blocked",
            Self::Left => "left",
            Self::OptInRequired => "opt_in_required",
            Self::UnsupportedDestination { .. } => "unsupported_destination",
            Self::TemplateNotFound { .. } => "template_not_found",
            Self::TemplateNotApproved { .. } => "template_not_approved",
            Self::TemplateParameters { .. } => "template_parameters",
            Self::NumberDisabled => "number_disabled",
            Self::NotSupported { .. } => "not_supported",
            Self::QueueFull { .. } => "rate_limited",
            Self::InvalidContent { .. } => "invalid_content",
            Self::Expired => "expired",
            Self::NotFound => "not_found",
            Self::KeyReused => "idempotency_key_reused",
            Self::NumberNotReady => "number_not_ready",
            Self::AlreadyOwned { .. } => "already_owned",
            Self::TooManyFollowers { .. } => "too_many_followers",
            Self::InsufficientCredits { .. } => "insufficient_credits",
        }
    }
}
