//! Conversations as shown, and what can be changed about them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::contact::ContactView;
use crate::command::{Mode, Owner, Vacancy};
use crate::content::Channel;
use crate::id::{ConversationId, NumberId};
use crate::time::TimestampMs;

/// A conversation as shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConversationView {
    /// Its id.
    pub id: ConversationId,
    /// The business number.
    pub number_id: NumberId,
    /// Its channel.
    pub channel: Channel,
    /// The other side.
    pub contact: ContactView,
    /// Who talks: the bot or people.
    pub mode: Mode,
    /// Whether free-form text may be sent.
    pub window: WindowView,
    /// The running application.
    pub flow: Option<FlowView>,
    /// The job that it is about; `null` is a chat without a vacancy.
    pub vacancy: Option<Vacancy>,
    /// Whose it is.
    pub owner: Option<Owner>,
    /// Messages of the contact that nobody has read.
    pub unread: u32,
    /// When the newest message was written.
    pub last_message_at: Option<TimestampMs>,
    /// Beginning of the newest message, for lists.
    pub last_message: Option<String>,
    /// The tenant blocked the contact.
    pub blocked: bool,
    /// The tenant left the chat.
    pub left: bool,
    /// Everything outgoing is held back.
    pub paused: bool,
}

/// The 24 hours after the contact's last message or call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WindowView {
    /// Free-form messages may be sent now.
    pub open: bool,
    /// The contact's last message or call.
    pub opened_at: Option<TimestampMs>,
    /// When it closes, or closed.
    pub expires_at: Option<TimestampMs>,
}

/// A running application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlowView {
    /// The flow.
    pub id: String,
    /// The step that waits for an answer.
    pub step: Option<String>,
}

/// Body of `PUT …/mode`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetMode {
    /// From now on.
    pub mode: Mode,
}

/// Body of `PUT …/owner`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetOwner {
    /// `{"user": "usr_…"}`, `{"group": "grp_…"}`, `{"role": "recruiter"}` or `null`.
    pub owner: Option<Owner>,
}

/// Body of `PUT …/vacancy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetVacancy {
    /// From now on; `null` detaches it.
    pub vacancy: Option<Vacancy>,
}

/// Body of `PUT …/block`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetBlocked {
    /// From now on.
    pub blocked: bool,
}

/// Body of `PUT …/follow`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFollowing {
    /// From now on.
    pub following: bool,
}

/// Body of `PUT …/left`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLeft {
    /// From now on.
    pub left: bool,
}
