//! Following what happens: events, notifications, explanations, dead letters, audit.

pub(crate) mod audit;
pub(crate) mod audit_export;
pub(crate) mod dead_letters;
pub(crate) mod devices;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod notices;
pub(crate) mod notifications;
pub(crate) mod replay;
pub(crate) mod stream;
