//! What a delivered message is charged, and why. A pure function of facts, in the order of the events table.
//!
//! Two answers stand on each line of the ledger: what the tenant is billed by its contract, and what the provider
//! charges by its rules of the day (its own word wins where it gave one). Policies are data, see [`policy`].
//!
//! The laws, each a property test:
//!
//! * **Once.** A message has at most one line, however often and in whatever order its statuses come.
//! * **Delivered only.** What failed, or was never delivered, costs nothing; nothing is ever refunded.
//! * **Conversations are apart.** How the events of different conversations are interleaved changes no line,
//!   except which of them used up a shared free tier; how many did is always the same.
//! * **Late reports never cost more.** Out of order, reports of one category open at most as many conversations
//!   as they would have in order.

mod apply;
mod bill;
mod book;
mod charge;
pub mod policy;
mod preview;
mod report;
mod state;

#[cfg(test)]
mod tests;

pub use apply::{Booking, Counters, apply, concerns, counters};
pub use book::{Book, Quote, time_zone};
pub use charge::{Charge, Line, Origin, RateCardRef, Rule};
pub use preview::{Wish, preview, preview_counters};
pub use state::{OpenConversation, PairState};
