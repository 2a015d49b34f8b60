//! Saved views of the inbox.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::condition::Condition;
use crate::id::UserId;
use crate::limits::NAME_CHARS;
use crate::text::Line;

/// A saved view: give its id as `view` to `GET /v1/conversations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ViewView {
    /// `viw_…`, or `unanswered`, `sent_today`, `all_unanswered` of the built-in ones.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// It comes with the gateway and cannot be changed.
    pub built_in: bool,
    /// Everybody at the tenant sees it.
    pub shared: bool,
    /// Who made it; `null` for built-in ones and those made by a service.
    pub owner: Option<UserId>,
    /// What it shows. `me` is whoever looks.
    pub filter: Condition,
    /// How much it shows now; `null` where that is not asked for, or where it is about a person and the key acts for
    /// none.
    pub counts: Option<ViewCounts>,
}

/// How much a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ViewCounts {
    /// Conversations; at most 1,000 are counted.
    pub conversations: u32,
    /// Those of them with unread messages.
    pub unread: u32,
    /// There are more than were counted, or may be.
    pub more: bool,
}

/// Body of `POST /v1/views` and `PUT /v1/views/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewBody {
    /// What people call it.
    #[schema(value_type = Line<{ NAME_CHARS }>)]
    pub name: String,
    /// Everybody at the tenant sees it; only its maker otherwise.
    #[serde(default)]
    pub shared: bool,
    /// What it shows.
    pub filter: Condition,
}
