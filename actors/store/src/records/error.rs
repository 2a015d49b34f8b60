//! Why a call failed.

/// Why a call of the records store failed.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The document was changed, created or deleted by somebody else meanwhile.
    #[error("`{kind}` `{id}` is not at the expected version")]
    Conflict {
        /// Kind of document.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// Another instance of this consumer moved its cursor: this one must read it again.
    #[error("the cursor of `{0}` was moved by somebody else")]
    CursorMoved(&'static str),
    /// A page cursor that this store did not issue for this list.
    #[error("the page cursor is not one of this list: begin without a cursor")]
    PageCursor,
    /// A value that cannot be stored or searched for.
    #[error("`{field}`: {detail}")]
    Invalid {
        /// Which value.
        field: &'static str,
        /// What is wrong and how to cure it.
        detail: String,
    },
    /// The store was made by something incompatible.
    #[error("{0}")]
    Incompatible(String),
    /// A stored row cannot be read.
    #[error("a stored {what} cannot be read")]
    Damaged {
        /// What kind of row.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store was closed.
    #[error("the records store is closed")]
    Closed,
    /// The store failed; the call had no effect.
    #[error("the records store failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl RecordsError {
    /// The tables are of a version that this program does not know.
    pub(super) fn newer_schema(found: i64, known: i64) -> Self {
        Self::Incompatible(format!(
            "the records were written by a newer version (schema {found}, this one knows {known}): use that version"
        ))
    }
}

/// Shorthand for answers of the records store.
pub type RecordsResult<T> = Result<T, RecordsError>;
