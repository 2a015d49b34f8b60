//! The conversation, driven through `apply`.

mod outbound;
mod status;
mod window;
mod world;
