//! Load over HTTP: requests that are built and signed up front, and two ways to send them.
//!
//! One thread, plain sockets, HTTP/1.1 with keep-alive and one request in flight per connection: the generator shares
//! the processor with what it measures, so it must cost little.

mod connection;
mod corpus;
mod drive;
mod plain;
mod report;
mod stencil;

pub use corpus::{Corpus, Recipe};
pub use drive::{Exchange, Source, Target, drive};
pub use plain::{Pace, drive_plain};
pub(crate) use report::to_f64;
pub use report::{Numbers, Summary};
pub(crate) use stencil::Stencil;
