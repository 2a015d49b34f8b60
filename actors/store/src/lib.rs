//! Where things are kept. Two halves:
//!
//! * [`engine`]: what conversations need to decide: the durable log, snapshots, timers, leases, fenced commits.
//! * [`records`]: what people look at: inbox, history, ledger, audit, search, and what tenants configure.

pub mod engine;
pub mod records;
