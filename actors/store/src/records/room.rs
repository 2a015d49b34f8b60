//! Adding a document where all of its kind decide whether there is room for it.

use super::{Change, Document, DocumentWrite, Expect, Records, RecordsError, RecordsResult};

/// Adds a document if a look at all of its kind and tenant allows it. Others may add theirs at the same time, on any node:
/// then the look is taken again, so that no two find room for one. What the write expects is not asked.
///
/// # Errors
/// What the look answers comes back inside. [`RecordsError::Conflict`] when the document is there already, whatever it
/// says; otherwise as [`super::Documents::write_documents`].
pub async fn add_if<E>(
    records: &dyn Records,
    change: Change,
    write: DocumentWrite,
    mut look: impl FnMut(&[Document]) -> Result<(), E>,
) -> RecordsResult<Result<Vec<Document>, E>> {
    loop {
        let all = records.documents(write.kind, write.tenant).await?;
        if let Err(refusal) = look(&all) {
            return Ok(Err(refusal));
        }
        let newest = all.iter().map(|one| one.version).max().unwrap_or(0);
        let known = all.iter().any(|one| one.id == write.id);
        let added = DocumentWrite { expect: Expect::AbsentSince(newest), ..write.clone() };
        match records.write_documents(change, vec![added]).await {
            // Somebody wrote another one: that one made progress.
            Err(RecordsError::Conflict { .. }) if !known => {}
            written => return written.map(Ok),
        }
    }
}
