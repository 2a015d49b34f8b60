//! Where things are kept:
//!
//! * [`engine`]: what conversations need to decide: the durable log, snapshots, timers, leases, fenced commits.
//! * [`blobs`]: contents of files, in a folder or a bucket.
//! * [`records`]: what people look at: inbox, history, ledger, audit, search, and what tenants configure.

pub mod blobs;
pub mod engine;
pub mod records;
