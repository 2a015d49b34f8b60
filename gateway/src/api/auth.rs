//! Who calls: API keys, tenants and scopes.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpRequest, web};
use compact_str::CompactString;
use data_encoding::HEXLOWER;
use domain::directory::grants;
use protocol::command::Party;
use protocol::id::{KeyId, TenantId, UserId};
use protocol::time::TimestampMs;
use sha2::{Digest, Sha256};

use super::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// An authenticated caller. Everything it asks is answered for its tenant alone.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) tenant: TenantId,
    pub(crate) key: KeyId,
    pub(crate) user: Option<UserId>,
    scopes: Vec<CompactString>,
}

/// What a key may be allowed to do. `*` in a key allows everything, `messages:*` both of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    MessagesRead,
    MessagesWrite,
    ConversationsRead,
    ConversationsWrite,
    ContactsRead,
    ContactsWrite,
    ContactsErase,
    SettingsRead,
    SettingsWrite,
    BillingRead,
    BillingWrite,
    EventsRead,
    NotificationsRead,
    OperationsRead,
    OperationsWrite,
    AuditRead,
}

impl Scope {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::MessagesRead => "messages:read",
            Self::MessagesWrite => "messages:write",
            Self::ConversationsRead => "conversations:read",
            Self::ConversationsWrite => "conversations:write",
            Self::ContactsRead => "contacts:read",
            Self::ContactsWrite => "contacts:write",
            Self::ContactsErase => "contacts:erase",
            Self::SettingsRead => "settings:read",
            Self::SettingsWrite => "settings:write",
            Self::BillingRead => "billing:read",
            Self::BillingWrite => "billing:write",
            Self::EventsRead => "events:read",
            Self::NotificationsRead => "notifications:read",
            Self::OperationsRead => "operations:read",
            Self::OperationsWrite => "operations:write",
            Self::AuditRead => "audit:read",
        }
    }

    /// Every scope, for messages that list them.
    pub(crate) const ALL: [Self; 16] = [
        Self::MessagesRead,
        Self::MessagesWrite,
        Self::ConversationsRead,
        Self::ConversationsWrite,
        Self::ContactsRead,
        Self::ContactsWrite,
        Self::ContactsErase,
        Self::SettingsRead,
        Self::SettingsWrite,
        Self::BillingRead,
        Self::BillingWrite,
        Self::EventsRead,
        Self::NotificationsRead,
        Self::OperationsRead,
        Self::OperationsWrite,
        Self::AuditRead,
    ];

    /// Whether a scope as written in a key is one that exists.
    pub(crate) fn is_known(text: &str) -> bool {
        text == "*" || Self::ALL.iter().any(|scope| allows(text, *scope))
    }
}

fn allows(granted: &str, wanted: Scope) -> bool {
    grants(granted, wanted.name())
}

impl Caller {
    /// Refuses unless the key has the scope.
    pub(crate) fn require(&self, scope: Scope) -> ApiResult<()> {
        if self.scopes.iter().any(|granted| allows(granted, scope)) {
            return Ok(());
        }
        Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "scope_missing",
            "The key may not do that",
            format!("the key needs the scope `{}`", scope.name()),
        ))
    }

    /// Whether the caller may give this scope to another key: nobody grants more than they have.
    pub(crate) fn may_grant(&self, scope: &str) -> bool {
        Scope::ALL
            .iter()
            .filter(|wanted| allows(scope, **wanted))
            .all(|wanted| self.scopes.iter().any(|granted| allows(granted, *wanted)))
    }

    /// The person behind the key; refuses for keys that act for nobody.
    pub(crate) fn require_user(&self) -> ApiResult<UserId> {
        self.user.ok_or_else(|| {
            ApiError::new(
                StatusCode::FORBIDDEN,
                "user_required",
                "The key acts for no user",
                "create a key with `user` set: this call is about one person's own things",
            )
        })
    }

    /// Who is written into history and audit.
    pub(crate) fn party(&self) -> Party {
        self.user.map_or(Party::Service(self.key), Party::User)
    }
}

/// Hex SHA-256 of a key's secret, as the directory keeps it.
pub(crate) fn hash_secret(secret: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(secret.as_bytes()))
}

fn authenticate(request: &HttpRequest) -> ApiResult<Caller> {
    let unauthorized = |detail: &str| {
        ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", "Authentication required", detail)
    };
    let header = request
        .headers()
        .get(header::AUTHORIZATION)
        .ok_or_else(|| unauthorized("send `Authorization: Bearer <key>`"))?;
    let secret = header
        .to_str()
        .ok()
        .and_then(|text| text.strip_prefix("Bearer "))
        .ok_or_else(|| unauthorized("the Authorization header must be `Bearer <key>`"))?;
    let state =
        request.app_data::<web::Data<AppState>>().ok_or_else(|| ApiError::unavailable("starting up"))?;
    // The look-up is by the hash of the secret, so its timing tells nothing about stored secrets.
    let directory = state.directory.load();
    let key = directory.keys.get(&hash_secret(secret.trim())).ok_or_else(|| unauthorized("unknown key"))?;
    let now = TimestampMs(jiff::Timestamp::now().as_millisecond());
    if key.expires_at.is_some_and(|end| end <= now) {
        return Err(unauthorized("the key has expired"));
    }
    Ok(Caller { tenant: key.tenant, key: key.id, user: key.user, scopes: key.scopes.clone() })
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authenticate(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_match_whole_kinds_only() {
        assert!(allows("*", Scope::AuditRead));
        assert!(allows("messages:*", Scope::MessagesWrite));
        assert!(allows("messages:write", Scope::MessagesWrite));
        for granted in ["messages:read", "mess*", "messages", "messages:", ""] {
            assert!(!allows(granted, Scope::MessagesWrite), "{granted}");
        }
        assert!(Scope::is_known("messages:*") && !Scope::is_known("mesages:read"));
    }
}
