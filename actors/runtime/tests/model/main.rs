//! The protocol of lease, claim and commit as a model that Stateright walks through: every order of steps, every
//! crash, every lost answer, up to a number of faults. It has one shard with one conversation, which is all that the
//! promises are about: shards share nothing. Inputs ask for one message each.
//!
//! | step | what it stands for |
//! |---|---|
//! | `Append` | `Engine::append`, waited for by the ingress before its 200 (P1) |
//! | `Acquire`, `Renew`, `Release` | `Shard::acquire`, `node::actor::renew`, `Shard::release`; [`store::Store::acquire`] is `Engine::acquire` |
//! | `Read` | `Engine::read_any` |
//! | `Commit` | a batch of `Shard::gather`, applied and sent by `arbiter::round`, settled by `Shard::settle` |
//! | `Repeat`, `GiveUp` | `Shard::commit_again`; `Shard::lose`, which keeps `Leavings` |
//! | [`store::Store::commit`] | `Engine::commit_all`, with its checks in their order |
//! | `Post` | `outbound::send::Delivery::post`: age, lease, POST |
//! | `Replicate`, `FailOver` | a replica catches up, and takes over; `Answered` writes have been waited for (`WAIT`), except leases |
//! | `DeliverLate` | a request whose sender timed out is still on its way |
//! | `LeaseRunsOut` | a node pauses for longer than its lease, or cannot renew it |
//! | `Crash` | a process ends at any step and starts anew |
//!
//! Simpler than the code: a batch has one input; an answer of the provider is `Accepted`, `NotSent` or lost; lost
//! claims end by their deadline and not by a status. Assumed: a claim that is given up is older than any claim that is
//! still POSTed (`IN_DOUBT` is longer than `POST_WITHIN`), and a commit that moves no position is not later than
//! the store remembers batches.
//!
//! Each rule of [`protocol::Protocol`] can be switched off; `mutations` shows what then goes wrong. `./task model`
//! looks deeper than the default.

mod mutations;
mod node;
mod properties;
mod protocol;
mod sound;
mod steps;
mod store;
mod world;
