//! Ids of configured things, derived from what makes them unique, so that loading a file twice changes nothing.

use protocol::content::Channel;
use protocol::id::{EndpointId, GroupId, KeyId, NumberId, TenantId, UserId};
use protocol::phone::E164;

/// The id of the tenant with this name.
#[must_use]
pub fn tenant(name: &str) -> TenantId {
    TenantId::derive(&[name.as_bytes()])
}

/// The id of a tenant's user; e-mails are compared in lower case.
#[must_use]
pub fn user(tenant: TenantId, email: &str) -> UserId {
    UserId::derive(&[&tenant.0.to_le_bytes(), email.to_lowercase().as_bytes()])
}

/// The id of a tenant's group.
#[must_use]
pub fn group(tenant: TenantId, name: &str) -> GroupId {
    GroupId::derive(&[&tenant.0.to_le_bytes(), name.as_bytes()])
}

/// The id of a tenant's API key.
#[must_use]
pub fn key(tenant: TenantId, name: &str) -> KeyId {
    KeyId::derive(&[&tenant.0.to_le_bytes(), name.as_bytes()])
}

/// The id of a tenant's number on a channel.
#[must_use]
pub fn number(tenant: TenantId, channel: Channel, phone: E164) -> NumberId {
    let channel = match channel {
        Channel::Whatsapp => "whatsapp",
        Channel::Sms => "sms",
        Channel::Web => "web",
    };
    NumberId::derive(&[&tenant.0.to_le_bytes(), channel.as_bytes(), &phone.digits().to_le_bytes()])
}

/// The id of a tenant's downstream address.
#[must_use]
pub fn endpoint(tenant: TenantId, url: &str) -> EndpointId {
    EndpointId::derive(&[&tenant.0.to_le_bytes(), url.as_bytes()])
}
