//! What people look at: a projection of the facts into SQL, and what tenants configure.
//!
//! One trait, several implementations, one contract suite. The laws that every implementation keeps:
//!
//! * **Exactly once.** A fact that was projected before changes nothing; the position rides in the same transaction.
//! * **A consistent prefix.** A power failure may undo the newest projections and consumer commits, always
//!   a suffix of them and never one in the middle: a consumer's cursor is never ahead of the events.
//!   What cannot be projected again (documents, read marks) is on disk when its call returns.
//! * **Tenants are apart.** Every query names its tenant, and sees nothing of another.

mod audit;
mod contacts;
mod credits;
mod deliveries;
mod documents;
mod erasure;
mod error;
mod events;
mod files;
mod filter;
mod fold;
mod inbox;
mod keys;
mod ledger;
pub mod limits;
mod notifications;
mod page;
mod postgres;
mod projection;
mod reaches;
mod recharges;
mod room;
pub mod search;
mod sql;
mod sqlite;
mod text;

use std::sync::Arc;

pub use audit::{Audit, AuditEntry, AuditQuery};
pub use contacts::{
    ConsentEntry, ConsentLine, ConsentQuery, ContactCard, ContactRecord, Contacts, SilencedContact,
};
pub use credits::{
    CreditAccount, CreditEntry, CreditKind, CreditUse, Credits, Purchase, Reservation, StatementLine,
};
pub use deliveries::{Deliveries, Delivery, DeliveryCommit, DeliveryOutcome, DeliveryQuery, DeliveryState};
pub use documents::{Change, Document, DocumentKind, DocumentWrite, Documents, Expect};
pub use erasure::{Erasure, Trace};
pub use error::{RecordsError, RecordsResult};
pub use events::{Advance, EventQuery, EventSeq, Events, StoredEvent};
pub use files::{Attachment, FetchTask, Fetched, FileRecord, Files, Removal, ScanTask, Scanned, Upload};
pub use filter::Filter;
pub use inbox::{
    ConversationRecord, Count, Direction, FlowPlace, Inbox, MessageQuery, MessageRecord, Preview, Replay,
    Unread,
};
pub use keys::{Claim, Keys, StoredResponse};
pub use ledger::{
    CounterKey, Ledger, LedgerEntry, LedgerQuery, MeterCommit, MeterLoad, ProviderCost, ProviderWord,
    UsageKey, UsageQuery, UsageRow,
};
pub use notifications::{NotificationRecord, Notifications, NotifyCommit, ReadThrough, UnreadCounts};
pub use page::{Cursor, Order, Page, PageRequest};
pub use postgres::{AddressError, PostgresRecords};
pub use projection::{FactBatch, LaneStep, Projection};
pub use reaches::{Device, Reach, Reaches, Settled, Untold};
pub use recharges::Recharges;
pub use room::add_if;
pub use sqlite::SqliteRecords;

/// The whole records store. Callers usually hold an `Arc<dyn Records>` and import the parts they use.
pub trait Records:
    Projection
    + Events
    + Inbox
    + Contacts
    + Erasure
    + Files
    + Audit
    + Ledger
    + Credits
    + Recharges
    + Notifications
    + Reaches
    + Deliveries
    + Documents
    + Keys
{
}

impl<T> Records for T where
    T: Projection
        + Events
        + Inbox
        + Contacts
        + Erasure
        + Files
        + Audit
        + Ledger
        + Credits
        + Recharges
        + Notifications
        + Reaches
        + Deliveries
        + Documents
        + Keys
{
}

/// How most of the program holds the records.
pub type SharedRecords = Arc<dyn Records>;
