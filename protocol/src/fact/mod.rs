//! What happened, as everybody else is told: records, billing, notifications, downstream services.
//!
//! A fact leaves a conversation only in the commit of the state that caused it. Facts are stored, so variants
//! and fields are only ever added at the end.

mod answer;
mod name;
mod status;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

pub use self::answer::Answer;
pub use self::status::MessageStatus;

use crate::command::{ConsentRecord, Mode, Owner, Party, Refusal, Vacancy};
use crate::content::{Category, Channel, Content, ProviderError, Referral};
use crate::credit::RechargeState;
use crate::entry::{AccountNotice, CallEvent, Identity, ProviderStatus};
use crate::id::{
    ContactId, ConversationId, EventId, FlowId, MessageId, NumberId, ProviderId, RechargeId, TenantId,
    UserId, WabaId,
};
use crate::outbound::Attempt;
use crate::phone::ContactKey;
use crate::pricing::{Money, ProviderPricing};
use crate::time::TimestampMs;

/// Version of the stored form, written before every event. Version N reads N and N−1.
pub const EVENT_VERSION: u8 = 1;

/// A fact with its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Derived from the cause, so that a replay yields the same id.
    pub id: EventId,
    /// When it was applied, by the store's clock.
    pub at: TimestampMs,
    /// Trace of the request that caused it.
    pub traceparent: Option<CompactString>,
    /// Whose it is; `None` for notices about unknown accounts.
    pub tenant: Option<TenantId>,
    /// The conversation, unless it concerns an account.
    pub conversation: Option<ConversationId>,
    /// What happened.
    pub fact: Fact,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// First contact between a number and a person.
    ConversationStarted {
        /// The number.
        number: NumberId,
        /// Its channel.
        channel: Channel,
        /// The person's canonical key.
        contact: ContactKey,
        /// The person's id at the tenant.
        contact_id: ContactId,
        /// Whether the contact began it.
        by_contact: bool,
    },
    /// The contact's names became known or changed.
    ContactIdentified(Identity),
    /// The contact wrote.
    MessageReceived {
        /// Ours.
        message: MessageId,
        /// The provider's.
        provider_id: ProviderId,
        /// Provider's time.
        sent_at: TimestampMs,
        /// What it says.
        content: Content,
        /// The message it answers.
        reply_to: Option<ProviderId>,
        /// The advertisement that it came from.
        referral: Option<Referral>,
        /// When the window that it opened (or prolonged) closes.
        window_expires_at: TimestampMs,
        /// The contact is blocked: keep it apart, notify nobody.
        blocked: bool,
        /// It waits for a person: neither the bot nor a flow took it.
        for_inbox: bool,
    },
    /// A message of ours was accepted for sending.
    MessageQueued {
        /// Ours.
        message: MessageId,
        /// Who sends it.
        by: Party,
        /// What it says, parameters filled in.
        content: Content,
        /// What it will be charged as.
        category: Category,
        /// The message it answers.
        reply_to: Option<ProviderId>,
    },
    /// A POST ended without success; another may follow.
    AttemptFailed {
        /// Ours.
        message: MessageId,
        /// What came of it.
        attempt: Attempt,
        /// When it will be tried again; `None` if never.
        retry_at: Option<TimestampMs>,
    },
    /// The status of a message of ours moved forward.
    StatusChanged {
        /// Ours.
        message: MessageId,
        /// From now on.
        status: MessageStatus,
        /// Provider's time, or ours for steps of ours.
        at: TimestampMs,
        /// The provider's id, once known.
        provider_id: Option<ProviderId>,
        /// What it is charged as.
        category: Category,
        /// Whether it was sent as a template.
        template: bool,
        /// What the provider says it charges.
        pricing: Option<ProviderPricing>,
        /// Why it failed.
        errors: Vec<ProviderError>,
        /// When it was queued, so that the rules of that day apply.
        queued_at: TimestampMs,
    },
    /// A status for a message that this conversation no longer (or never) knew.
    StatusUnmatched {
        /// The provider's id.
        provider_id: ProviderId,
        /// Ours, when the opaque id named it.
        message: Option<MessageId>,
        /// What was reported.
        status: ProviderStatus,
        /// Provider's time.
        at: TimestampMs,
        /// What the provider says it charges.
        pricing: Option<ProviderPricing>,
        /// Why it failed.
        errors: Vec<ProviderError>,
    },
    /// A command was refused; kept for audit and `explain`.
    CommandRefused {
        /// Who asked.
        by: Party,
        /// What was asked, such as `send`.
        action: CompactString,
        /// Why not.
        refusal: Refusal,
    },
    /// The window will close within the configured time.
    WindowClosingSoon {
        /// When.
        expires_at: TimestampMs,
    },
    /// The window closed.
    WindowClosed {
        /// When.
        expired_at: TimestampMs,
    },
    /// The bot or people talk from now on.
    ModeChanged {
        /// From now on.
        mode: Mode,
        /// Who did it.
        by: Party,
    },
    /// An application began.
    FlowStarted {
        /// The flow.
        flow: FlowId,
        /// Its version; the application finishes on it.
        version: u32,
    },
    /// A step of an application was answered.
    FlowAnswered {
        /// The flow.
        flow: FlowId,
        /// The step's key.
        step: CompactString,
        /// The answer.
        answer: Answer,
    },
    /// The person was reminded of an unfinished application.
    FlowReminded {
        /// The flow.
        flow: FlowId,
        /// The step that waits.
        step: CompactString,
    },
    /// An application was completed. Delivered to downstream services once.
    FlowCompleted {
        /// The flow.
        flow: FlowId,
        /// Its version.
        version: u32,
        /// Every answer, in the order of the steps.
        answers: Vec<(CompactString, Answer)>,
        /// The vacancy it is for.
        vacancy: Option<Vacancy>,
    },
    /// An application was broken off (a person took over, or it expired).
    FlowAbandoned {
        /// The flow.
        flow: FlowId,
    },
    /// The contact's consent on the channel changed.
    ConsentChanged {
        /// The channel.
        channel: Channel,
        /// From now on.
        record: ConsentRecord,
    },
    /// The contact was blocked or unblocked.
    BlockChanged {
        /// From now on.
        blocked: bool,
        /// Who did it.
        by: Party,
    },
    /// The tenant left the chat or came back.
    LeftChanged {
        /// From now on.
        left: bool,
        /// Who did it.
        by: Party,
    },
    /// The conversation has another owner.
    OwnerChanged {
        /// From now on.
        owner: Option<Owner>,
        /// Who did it.
        by: Party,
    },
    /// A vacancy was attached or detached.
    VacancyChanged {
        /// From now on.
        vacancy: Option<Vacancy>,
        /// Who did it.
        by: Party,
    },
    /// Somebody at the tenant read everything so far.
    ConversationRead {
        /// Who.
        by: Party,
    },
    /// Sending was held back or let go.
    PauseChanged {
        /// From now on.
        paused: bool,
        /// Who did it.
        by: Party,
    },
    /// A call began or ended.
    Call(CallEvent),
    /// The owner should be told. What is told is the policy of the domain, not of the notifier.
    Notify {
        /// Whom; `None` means whoever watches unassigned conversations.
        owner: Option<Owner>,
        /// About what.
        about: NotificationKind,
        /// The message, if it is about one.
        message: Option<MessageId>,
    },
    /// The provider said something about an account, a template or a number, or something unknown.
    Account(AccountNotice),
    /// An input could not be applied and was set aside.
    DeadLettered {
        /// Why.
        reason: CompactString,
    },
    /// As [`Fact::ConsentChanged`], of a contact that nobody has talked with yet on this number.
    ConsentRecorded {
        /// The channel.
        channel: Channel,
        /// The person's canonical key.
        contact: ContactKey,
        /// The person's id at the tenant.
        contact_id: ContactId,
        /// From now on.
        record: ConsentRecord,
    },
    /// A step of an application waits for an answer.
    FlowAsked {
        /// The flow.
        flow: FlowId,
        /// The step's key.
        step: CompactString,
    },
    /// A message of ours was accepted, and waits for the provider to approve its wording. The template that it needs
    /// is submitted unless that has happened.
    ApprovalAwaited {
        /// Ours.
        message: MessageId,
        /// Who sends it.
        by: Party,
        /// What it says.
        content: Content,
        /// What the template is for, and what it will be charged as.
        category: Category,
        /// The message it answers.
        reply_to: Option<ProviderId>,
        /// The language of the template.
        language: CompactString,
        /// The account that the template is submitted to.
        account: Option<WabaId>,
        /// When it is given up.
        expires_at: TimestampMs,
    },
    /// A user follows the conversation, or no longer does.
    FollowChanged {
        /// Who follows.
        user: UserId,
        /// From now on.
        following: bool,
        /// Who did it.
        by: Party,
    },
    /// Who the contact is was forgotten, and whatever was said in this conversation before.
    ContactErased {
        /// The channel of the conversation.
        channel: Channel,
        /// The person's id at the tenant.
        contact_id: ContactId,
        /// That the person refused messages, without the words: it holds on.
        consent: Option<ConsentRecord>,
        /// Who asked for it.
        by: Party,
    },
    /// Less is left of the tenant's credits than it wants to be told about. Once, until a payment lifts them again.
    CreditsLow {
        /// What further messages may cost.
        available: Money,
        /// What the tenant wants to be told about.
        below: Money,
    },
    /// A payment is asked for, since less than a minimum is left of the tenant's credits.
    RechargeAsked {
        /// The payment names it.
        recharge: RechargeId,
        /// How much.
        amount: Money,
        /// What further messages may cost.
        available: Money,
        /// The minimum.
        below: Money,
    },
    /// A payment would be asked for, but it does not fit into the month's limit.
    RechargeHeldBack {
        /// How much it would be.
        amount: Money,
        /// What further messages may cost.
        available: Money,
        /// What was asked for in this month.
        asked: Money,
        /// The limit.
        limit: Money,
    },
    /// A payment that was asked for was made, or will not be.
    RechargeEnded {
        /// Which one.
        recharge: RechargeId,
        /// How it ended.
        state: RechargeState,
        /// How much was asked for.
        amount: Money,
        /// The name of the payment, or why there is none.
        detail: CompactString,
    },
}

/// Why somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// The contact wrote.
    NewMessage,
    /// An application was completed.
    ApplicationCompleted,
    /// The window is about to close.
    WindowClosingSoon,
    /// A message could not be sent, or nobody knows whether it was.
    SendFailed,
    /// The conversation was given to them.
    Assigned,
    /// The contact called and nobody answered.
    MissedCall,
    /// The contact opted out.
    OptedOut,
    /// The tenant's credits run low.
    LowCredits,
}
