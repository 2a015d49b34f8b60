//! One suite for every engine, the comparison with the model, and what only the embedded one can show.

mod commits;
mod embedded;
mod facts;
mod faults;
mod harness;
mod killed;
mod leases;
mod letters;
mod log;
mod model;
mod nodes;
mod redis;
mod redis_faults;
mod server;
mod slots;
mod timers;
