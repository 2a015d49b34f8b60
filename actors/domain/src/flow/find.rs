//! Finding a flow id inside what a person wrote.

use std::sync::Arc;

use compact_str::CompactString;
use protocol::directory::Flow;
use protocol::id::FlowId;

use crate::directory::TenantDirectory;

/// The first flow that the text names, in its newest version: `Hi, I want to apply test0001!` names `TEST0001`.
///
/// An id stands alone: a Latin letter or digit next to it makes another word of it. Letters of other scripts do
/// not, since Japanese writes no spaces.
#[must_use]
pub fn find<'a>(tenant: &'a TenantDirectory, text: &str) -> Option<&'a Arc<Flow>> {
    let with_dashes = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    let plain = text.split(|c: char| !c.is_ascii_alphanumeric());
    with_dashes
        .chain(plain)
        .chain(text.split_whitespace())
        .filter(|word| !word.is_empty())
        .find_map(|word| tenant.newest_flow(&FlowId(CompactString::from(word.to_uppercase()))))
}
