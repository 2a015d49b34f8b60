//! The one query layer of both databases: every trait of the records, written once over [`Database`].
//!
//! A database brings connections, transactions and a schema with the same tables; see `sqlite` and `postgres`.

mod audit;
mod cards;
mod cells;
mod contacts;
mod credits;
mod deliveries;
mod documents;
mod erasure;
mod events;
mod few;
mod files;
mod filter;
mod find;
mod inbox;
mod keys;
mod ledger;
mod load;
mod money;
mod notifications;
mod overdue;
mod paging;
mod people;
mod period;
mod project;
mod reaches;
mod rebuild;
mod recharges;
mod replay;
mod rows;
mod save;
mod statement;
mod usage;
mod value;

pub(super) use cells::{Cell, Cells, Row};
#[cfg(test)]
pub(super) use rebuild::begin as begin_rebuild;
pub(super) use rebuild::step as rebuild_step;
pub(super) use statement::{Database, Durability, Insert, Kind, Lock, Sql};
pub(super) use value::{Value, Values};

#[cfg(test)]
pub(super) use people::{look_up as look_up_people, walk as walk_people};
#[cfg(test)]
pub(super) use {few::Listed, few::assumed, find::look_up, find::walk, inbox::select_messages};
