//! The application bot: finds the flow that a person wants, asks its questions, reads the answers.
//!
//! Pure: a [`FlowRun`] is data, a step of it is a function of the flow, the run and what the person wrote.

mod answer;
mod check;
mod find;
mod question;
mod run;

pub use answer::Miss;
pub use check::{Problem, check};
pub use find::find;
pub use question::{ask, say_and_ask};
pub use run::{FlowRun, Progress};
