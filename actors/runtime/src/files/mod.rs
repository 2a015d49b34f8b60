//! Files of messages: stored once per tenant and content, given to a provider once per number.

mod shelf;
mod uploads;

pub use self::shelf::{FileShelf, ShelfError};
pub(crate) use self::uploads::no_files;
pub use self::uploads::{Uploads, Usable};
